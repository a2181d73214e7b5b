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

/**
 * The time of an input: `wallMs` in milliseconds since 1970, and `steadyMs` in milliseconds by a
 * clock that never goes back.
 */
export interface Now {
  readonly wallMs: number;
  readonly steadyMs: number;
}

/** Everything that can happen to a server. */
export type Input =
  /**
   * All events that were loaded from the disk have been synced again (R2). The core ignores every
   * input before this one.
   */
  | { readonly type: "recovered" }
  | {
      readonly type: "requests";
      readonly to: ReplyTo;
      readonly batch: boolean;
      readonly requests: readonly Incoming[];
      /** Identifies the client's connection; opaque to the core. */
      readonly connection: string;
    }
  /** The next `count` appended lines are on disk, because a sync has returned. */
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
  | { readonly type: "ack"; readonly summary: ReplicaSummary }
  /**
   * A peer's saved state could not be fetched. After a successful fetch no input follows, because a
   * new core is loaded.
   */
  | { readonly type: "snapshotFailed"; readonly from: ServerName }
  | {
      readonly type: "coordinationRequest";
      readonly to: ReplyTo;
      readonly request: CoordinationRequest;
    }
  | ({ readonly type: "coordinationAnswer" } & Answered)
  /** The connection to a watched peer has ended, so the peer may be gone. */
  | { readonly type: "peerLost"; readonly from: ServerName }
  | { readonly type: "promiseSaved"; readonly ballot: Ballot }
  /**
   * The work of an effect `password` is finished. `result` is undefined if hashing or checking
   * failed.
   */
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

/**
 * The request of an effect `askPeer`, and the peer's answer, which is undefined if no answer came
 * in time.
 */
export type Answered<Request extends CoordinationRequest = CoordinationRequest> = {
  readonly from: ServerName;
  readonly request: Request;
  readonly answer: CoordinationAnswer | undefined;
};

/** Everything that a server can do. The shell performs effects in the order given. */
export type Effect =
  /** Append the lines to the journal. The input `flushed` follows once the lines are on disk. */
  | { readonly type: "append"; readonly lines: readonly EventLine[] }
  /** Write the view to disk. The input `viewSaved` follows. */
  | { readonly type: "saveView"; readonly view: View }
  /** Write the promise to disk. The input `promiseSaved` follows. */
  | { readonly type: "savePromise"; readonly ballot: Ballot }
  /** Check or hash a password. The input `passwordDone` with the same number follows. */
  | ({ readonly type: "password"; readonly number: number } & PasswordWork)
  | {
      readonly type: "reply";
      readonly to: ReplyTo;
      readonly batch: boolean;
      readonly replies: readonly SentReply[];
    }
  | { readonly type: "broadcast"; readonly message: ReplicationMessage }
  /** Tell the peer which events are on this disk. */
  | {
      readonly type: "ack";
      readonly peer: ServerName;
      readonly address: string;
      readonly summary: ReplicaSummary;
    }
  | {
      readonly type: "publish";
      readonly topic: string;
      readonly payload: unknown;
      /**
       * The version of the recipient's credential, on which the key of the recipient's topic
       * depends (X5).
       */
      readonly version?: string;
    }
  | {
      readonly type: "askSync";
      readonly peer: ServerName;
      readonly address: string;
      readonly request: PeerRequest & { service: "sync" };
    }
  /**
   * Ask the peer. The input `coordinationAnswer` has the answer, or undefined after `patienceMs`.
   */
  | {
      readonly type: "askPeer";
      readonly peer: ServerName;
      readonly address: string;
      readonly request: CoordinationRequest;
      readonly patienceMs: number;
    }
  | { readonly type: "answerPeer"; readonly to: ReplyTo; readonly answer: CoordinationAnswer }
  /** Keep a connection to this peer. The input `peerLost` follows when the connection ends. */
  | { readonly type: "watchPeer"; readonly peer: ServerName; readonly address: string }
  /**
   * Fetch the peer's saved state. Once the whole state is on disk, load a new core from the disk.
   * If the fetch fails, the input `snapshotFailed` follows.
   */
  | { readonly type: "fetchSnapshot"; readonly peer: ServerName; readonly address: string }
  /** Delete the damaged files: all events that this disk had lost are back (J5). */
  | { readonly type: "repaired" }
  /**
   * Answer with the journal's lines of the events that are above `since`, up to the durable vector
   * in `summary`.
   */
  | {
      readonly type: "answerSync";
      readonly to: ReplyTo;
      readonly from: ServerName;
      readonly summary: ReplicaSummary;
      readonly since: Vector;
    }
  | { readonly type: "heartbeat"; readonly report: HeartbeatReport; readonly clock: number }
  /**
   * Ask the reference to take this server out of the view. The input `left` follows once this
   * server is out of the view.
   */
  | { readonly type: "leave"; readonly clock: number }
  /** Connect to the brokers, or disconnect from them. */
  | { readonly type: "rotation"; readonly joined: boolean }
  /** Write the files and end the process: all open requests are finished. */
  | { readonly type: "stopped" }
  | {
      readonly type: "log";
      readonly level: "info" | "warn" | "error";
      readonly text: string;
      readonly fields?: Readonly<Record<string, unknown>>;
    };

/** Collects the effects of one step, in order. Every part of the core adds its effects here. */
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

  /** Removes and returns all effects added since the last call. */
  take(): readonly Effect[] {
    const list = this.#list;
    this.#list = [];
    return list;
  }
}
