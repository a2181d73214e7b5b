import type { Ballot } from "../protocol/epoch.ts";
import type { ServerName } from "../protocol/ids.ts";
import type { PasswordResult, PasswordWork } from "../protocol/password-work.ts";
import type {
  CoordinationAnswer,
  ReplicationMessage,
  SyncAnswer,
} from "../protocol/peer-messages.ts";
import type { HeartbeatReply } from "../protocol/reference-messages.ts";
import type { View } from "../protocol/view.ts";
import type { Store } from "../storage/store.ts";
import type { Effect, Now } from "./core/effects.ts";
import type { ServerCore } from "./core/step.ts";

export type EffectOf<Type extends Effect["type"]> = Effect & { readonly type: Type };

/** Ends a timer. */
export type EndTimer = () => void;

/**
 * All that a shell needs of the world. The server has real sockets, files and time behind it
 * (`real-surroundings.ts`), the simulation virtual ones (`test/support/virtual-surroundings.ts`).
 *
 * Every call returns at once. A call that takes time calls back later, once. No callback comes
 * within a step of the core, but for those of a stop.
 */
export interface Surroundings {
  readonly timers: Timers;
  readonly store: ReplicaStore;
  readonly snapshots: Snapshots;
  readonly clients: Clients;
  readonly bus: ProxyBus;
  readonly peers: Peers;
  readonly reference: Reference;
  /** Without a result if the machine failed at it. */
  readonly work: (
    work: PasswordWork,
    onResult: (result: PasswordResult | undefined) => void,
  ) => void;
  readonly log: (line: Omit<EffectOf<"log">, "type">) => void;
  /** Ends the process at once. */
  readonly crash: (problem: string) => void;
  /** Clients and peers reach the server from now on. */
  readonly open: () => void;
  /** Ends all wires but those to clients. */
  readonly close: (onClosed: () => void) => void;
}

export interface Timers {
  now(): Now;
  every(ms: number, run: () => void): EndTimer;
  after(ms: number, run: () => void): EndTimer;
}

/**
 * The store as a shell uses it. It says by the shell's `onFlushed(count)`, in the order of `append`,
 * how many lines are safe. If something can't be written, the process ends (R2).
 */
export interface ReplicaStore
  extends Pick<Store, "append" | "isDamaged" | "isMissing" | "way" | "checkpointIfDue"> {
  saveView(view: View, onSaved: () => void): void;
  savePromise(ballot: Ballot, onSaved: () => void): void;
  /** All that was lost is there again (J5). */
  repaired(): void;
  /** A new core of all that is held, now that a peer's saved state is there. */
  reload(onLoaded: (core: ServerCore) => void): void;
  /** After the last write. @param core whose state is saved, unless that takes too long */
  close(core: ServerCore | undefined, onClosed: () => void): void;
}

export interface Snapshots {
  /** Copies a peer's saved state to the disk, and puts it in place with its last page. */
  fetch(from: { readonly peer: ServerName; readonly address: string }, fetching: Fetching): void;
  /** Ends a fetch, and all that follow. */
  stop(): void;
}

/** What a shell hears of a fetch: pages, then one of the two ends. */
export interface Fetching {
  onPage(): void;
  onDone(): void;
  onFailed(reason: string): void;
}

export interface Clients {
  reply(effect: EffectOf<"reply">): void;
  /** Into the rotation of the brokers, or out of it. */
  rotate(joined: boolean): void;
  /** Once all that was taken in is answered (R11). */
  close(onClosed: () => void): void;
}

/** What goes over the proxies. */
export interface ProxyBus {
  /** Topics that are subscribed to. */
  readonly topics: Iterable<string>;
  broadcast(message: ReplicationMessage): void;
  publish(effect: EffectOf<"publish">): void;
}

export interface Peers {
  /** Without an answer if none came in time. */
  askSync(effect: EffectOf<"askSync">, onAnswer: (answer: SyncAnswer | undefined) => void): void;
  /** As `askSync`. */
  askCoordination(
    effect: EffectOf<"askPeer">,
    onAnswer: (answer: CoordinationAnswer | undefined) => void,
  ): void;
  answer(effect: EffectOf<"answerPeer">): void;
  answerSync(effect: EffectOf<"answerSync">): void;
  /** Keeps a connection to the peer. @param onLost called when it ends */
  watch(effect: EffectOf<"watchPeer">, onLost: () => void): void;
  /** Closes the connections to those who are gone for good. */
  keep(isKnown: (peer: ServerName) => boolean): void;
}

export interface Reference {
  /** Without a rank if no answer came in time. */
  rank(onRank: (rank: unknown) => void): void;
  /** Calls back only if an answer comes in time. */
  heartbeat(effect: EffectOf<"heartbeat">, onReply: (reply: HeartbeatReply) => void): void;
  /** Calls back once this server is out of the view; not at all if it is not yet. */
  leave(onLeft: () => void): void;
}
