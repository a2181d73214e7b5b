import type { Incoming, SentReply } from "../../protocol/client-messages.ts";
import type { Ballot } from "../../protocol/epoch.ts";
import type { EventLine } from "../../protocol/event.ts";
import type { ServerName } from "../../protocol/ids.ts";
import type { PasswordResult, PasswordWork } from "../../protocol/password-work.ts";
import type {
  CoordinationAnswer,
  CoordinationRequest,
  PeerRequest,
  ReplicaSummary,
  ReplicationMessage,
  SyncAnswer,
} from "../../protocol/peer-messages.ts";
import type { HeartbeatReply, HeartbeatReport } from "../../protocol/reference-messages.ts";
import type { Vector } from "../../protocol/vector.ts";
import type { View } from "../../protocol/view.ts";

/** The destination of an answer: opaque to the core. */
export type ReplyTo = unknown;

/** The time of an input: milliseconds since 1970, and of a clock that only rises. */
export interface Now {
  readonly wallMs: number;
  readonly steadyMs: number;
}

/** What happens to a server. */
export type Input =
  /** All that the disk held is synced again (R2); no input counts before this one. */
  | { readonly type: "recovered" }
  | {
      readonly type: "requests";
      readonly to: ReplyTo;
      readonly batch: boolean;
      readonly requests: readonly Incoming[];
      /** Names the connection within the shell. */
      readonly connection: string;
    }
  /** The next `count` appended lines are on disk: a sync returned. */
  | { readonly type: "flushed"; readonly count: number }
  | { readonly type: "viewSaved"; readonly number: number }
  | { readonly type: "replication"; readonly message: ReplicationMessage }
  | {
      readonly type: "syncRequest";
      readonly to: ReplyTo;
      readonly request: PeerRequest & { service: "sync" };
    }
  | { readonly type: "syncAnswer"; readonly from: ServerName; readonly answer: SyncAnswer }
  | { readonly type: "syncFailed"; readonly from: ServerName }
  /** A peer's saved state could not be fetched. After a success a new core begins from the disk. */
  | { readonly type: "snapshotFailed"; readonly from: ServerName }
  | {
      readonly type: "coordinationRequest";
      readonly to: ReplyTo;
      readonly request: CoordinationRequest;
    }
  /** The answer to an `askPeer`; undefined if none came in time. */
  | ({ readonly type: "coordinationAnswer" } & Answered)
  /** A peer link ended: a hint that its server may be gone. */
  | { readonly type: "peerLost"; readonly from: ServerName }
  | { readonly type: "promiseSaved"; readonly ballot: Ballot }
  /** A `password` is done; without a result if the machine failed at it. */
  | {
      readonly type: "passwordDone";
      readonly number: number;
      readonly result: PasswordResult | undefined;
    }
  | { readonly type: "referenceReply"; readonly reply: HeartbeatReply }
  | { readonly type: "left" }
  | { readonly type: "subscription"; readonly topic: string; readonly active: boolean }
  | { readonly type: "stop"; readonly leave: boolean }
  | { readonly type: "tick" };

/** A peer's answer to an `askPeer`, with the request; undefined if none came in time. */
export type Answered<Request extends CoordinationRequest = CoordinationRequest> = {
  readonly from: ServerName;
  readonly request: Request;
  readonly answer: CoordinationAnswer | undefined;
};

/** What a server does. The shell performs effects in the order given. */
export type Effect =
  /** Append to the journal; a `flushed` says when it is on disk. */
  | { readonly type: "append"; readonly lines: readonly EventLine[] }
  /** Put the view on disk, then say `viewSaved`. */
  | { readonly type: "saveView"; readonly view: View }
  /** Put the promise on disk, then say `promiseSaved`; a higher one may take its place. */
  | { readonly type: "savePromise"; readonly ballot: Ballot }
  /** Check or hash a password, then say `passwordDone` with the same number. */
  | ({ readonly type: "password"; readonly number: number } & PasswordWork)
  | {
      readonly type: "reply";
      readonly to: ReplyTo;
      readonly batch: boolean;
      readonly replies: readonly SentReply[];
    }
  | { readonly type: "broadcast"; readonly message: ReplicationMessage }
  | {
      readonly type: "publish";
      readonly topic: string;
      readonly payload: unknown;
      /** The version of the recipient's credential: the key of their topic depends on it (X5). */
      readonly version?: string;
    }
  | {
      readonly type: "askSync";
      readonly peer: ServerName;
      readonly address: string;
      readonly request: PeerRequest & { service: "sync" };
    }
  /** Ask the peer; `coordinationAnswer` brings what it said, or nothing after `patienceMs`. */
  | {
      readonly type: "askPeer";
      readonly peer: ServerName;
      readonly address: string;
      readonly request: CoordinationRequest;
      readonly patienceMs: number;
    }
  | { readonly type: "answerPeer"; readonly to: ReplyTo; readonly answer: CoordinationAnswer }
  /** Keep a connection to this peer; `peerLost` tells of its end. */
  | { readonly type: "watchPeer"; readonly peer: ServerName; readonly address: string }
  /**
   * Fetch the peer's saved state. Once all of it is on disk, begin again from the disk with a new
   * core; on failure say `snapshotFailed`.
   */
  | { readonly type: "fetchSnapshot"; readonly peer: ServerName; readonly address: string }
  /** What this disk had lost is back (J5). */
  | { readonly type: "repaired" }
  /** Answer with what `since` lacks of the durable vector, read from the journal. */
  | {
      readonly type: "answerSync";
      readonly to: ReplyTo;
      readonly from: ServerName;
      readonly summary: ReplicaSummary;
      readonly since: Vector;
    }
  | { readonly type: "heartbeat"; readonly report: HeartbeatReport; readonly clock: number }
  /** Ask the reference to be taken out of the view; `left` says that it is done. */
  | { readonly type: "leave"; readonly clock: number }
  /** Connect to the brokers, or disconnect from them. */
  | { readonly type: "rotation"; readonly joined: boolean }
  /** All open requests are finished: the process may write its files and end. */
  | { readonly type: "stopped" }
  | {
      readonly type: "log";
      readonly level: "info" | "warn" | "error";
      readonly text: string;
      readonly fields?: Readonly<Record<string, unknown>>;
    };

/** The effects of one step, in order. Every part of the core adds to it. */
export class Effects {
  #list: Effect[] = [];

  add(effect: Effect): void {
    this.#list.push(effect);
  }

  log(
    level: "info" | "warn" | "error",
    text: string,
    fields?: Readonly<Record<string, unknown>>,
  ): void {
    this.add({ type: "log", level, text, ...(fields ? { fields } : {}) });
  }

  /** All effects added since the last call. */
  take(): readonly Effect[] {
    const list = this.#list;
    this.#list = [];
    return list;
  }
}
