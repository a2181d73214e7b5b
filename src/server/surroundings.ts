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

export type EndTimer = () => void;

/**
 * The port through which a shell uses sockets, files and time: real in the server
 * (`real-surroundings.ts`), virtual in the simulation (`test/support/virtual-surroundings.ts`).
 *
 * Every method returns at once. A method that takes time calls back later, once. Only the callbacks
 * of a stop may run at once, while the shell still performs the effects of a step.
 */
export interface Surroundings {
  readonly timers: Timers;
  readonly store: ReplicaStore;
  readonly snapshots: Snapshots;
  readonly clients: Clients;
  readonly bus: ProxyBus;
  readonly peers: Peers;
  readonly reference: Reference;
  /** Hashes or checks a password. `result` is undefined if hashing or checking failed. */
  readonly work: (
    work: PasswordWork,
    onResult: (result: PasswordResult | undefined) => void,
  ) => void;
  readonly log: (line: Omit<EffectOf<"log">, "type">) => void;
  /** Ends the process at once. */
  readonly crash: (problem: string) => void;
  /** Starts to receive messages from clients and peers. */
  readonly open: () => void;
  /** Closes all connections except the connections to brokers, which `clients.close` closes. */
  readonly close: (onClosed: () => void) => void;
}

export interface Timers {
  now(): Now;
  after(ms: number, run: () => void): EndTimer;
}

/**
 * The store as a shell uses it. After each sync, the store calls the shell's `onFlushed(count)`:
 * the next `count` lines, in the order of `append`, are on disk. If a write fails, the process ends
 * (R2).
 */
export interface ReplicaStore
  extends Pick<Store, "append" | "isDamaged" | "isMissing" | "way" | "checkpointIfDue"> {
  saveView(view: View, onSaved: () => void): void;
  savePromise(ballot: Ballot, onSaved: () => void): void;
  /** Called when all lost events are back (J5). */
  repaired(): void;
  /** Loads a new core from the disk, after a peer's saved state has arrived. */
  reload(onLoaded: (core: ServerCore) => void): void;
  /**
   * Closes the store after the last write.
   * @param core the core whose state is saved first, unless saving takes too long
   */
  close(core: ServerCore | undefined, onClosed: () => void): void;
}

export interface Snapshots {
  /**
   * Copies a peer's saved state to the disk. After the last page, the copy replaces the old state.
   */
  fetch(from: { readonly peer: ServerName; readonly address: string }, fetching: Fetching): void;
  /** Ends the present fetch, and makes all later fetches fail. */
  stop(): void;
}

/** The callbacks of a fetch: `onPage` for each page, then either `onDone` or `onFailed`. */
export interface Fetching {
  onPage(): void;
  onDone(): void;
  onFailed(reason: string): void;
}

export interface Clients {
  reply(effect: EffectOf<"reply">): void;
  /** Enters the rotation of all brokers if `joined` is true, otherwise leaves it. */
  rotate(joined: boolean): void;
  /** Closes the sockets after all requests that were received are answered (R11). */
  close(onClosed: () => void): void;
}

/** Sends messages over the proxies. */
export interface ProxyBus {
  /** The topics with at least one subscriber. */
  readonly topics: Iterable<string>;
  broadcast(message: ReplicationMessage): void;
  publish(effect: EffectOf<"publish">): void;
}

export interface Peers {
  /** Sends an acknowledgement, over the proxies if the peer is not connected. */
  acknowledge(effect: EffectOf<"ack">): void;
  /** Asks a peer for events. `answer` is undefined if no answer came in time. */
  askSync(effect: EffectOf<"askSync">, onAnswer: (answer: SyncAnswer | undefined) => void): void;
  /** Asks a peer about coordination. `answer` is undefined if no answer came in time. */
  askCoordination(
    effect: EffectOf<"askPeer">,
    onAnswer: (answer: CoordinationAnswer | undefined) => void,
  ): void;
  answer(effect: EffectOf<"answerPeer">): void;
  answerSync(effect: EffectOf<"answerSync">): void;
  /** Keeps a connection to the peer. @param onLost called when the connection ends */
  watch(effect: EffectOf<"watchPeer">, onLost: () => void): void;
  /** Closes the connections to all peers for which `isKnown` returns false. */
  keep(isKnown: (peer: ServerName) => boolean): void;
}

export interface Reference {
  /** Asks for this server's rank. `rank` is undefined if no answer came in time. */
  rank(onRank: (rank: unknown) => void): void;
  /** Sends a heartbeat. Calls back only if an answer comes in time. */
  heartbeat(effect: EffectOf<"heartbeat">, onReply: (reply: HeartbeatReply) => void): void;
  /** Asks to be taken out of the view. Calls back only if this server is now out of the view. */
  leave(onLeft: () => void): void;
}
