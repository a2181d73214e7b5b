import type { PresenceState } from "./client-messages.ts";
import type { Epoch } from "./epoch.ts";
import type { Chain, RequestId, ServerName, UserName } from "./ids.ts";
import type { Vector } from "./vector.ts";
import type { View } from "./view.ts";

/**
 * Where a server stands. backfill: it fetches what it lacks; cutover: it follows live events and
 * closes the last gap; live: it may serve; draining: it stops, with requests still open; settled:
 * it stops and waits for its peers.
 */
export const phases = ["backfill", "cutover", "live", "draining", "settled"] as const;
export type Phase = (typeof phases)[number];

/** What carries a durable vector carries the adopted view too, both read at one instant. */
export interface ReplicaSummary {
  readonly server: ServerName;
  readonly clock: number;
  readonly view: View;
  readonly durable: Vector;
  /** The epoch that the sender is the coordinator of. */
  readonly office?: Epoch | undefined;
}

export type ReplicationMessage = ReplicaSummary &
  (
    | { readonly type: "events" /** Lines of own events, in order. */; readonly lines: string[] }
    | { readonly type: "ack" }
    | {
        readonly type: "heartbeat";
        readonly address: string;
        readonly phase: Phase;
        /** The chain's head of each server, at the durable vector (J5). */
        readonly chains: Readonly<Record<ServerName, Chain>>;
        /** Requests served in the last second. */
        readonly rate: number;
        /** What its time is ahead of its own clock, in milliseconds, once it was corrected (E5). */
        readonly offsetMs: number | undefined;
        /** What the last round corrected, and how many did; an older server tells neither. */
        readonly lastCorrectionMs: number | undefined;
        readonly clockRounds: number | undefined;
      }
    | {
        readonly type: "presence";
        /** What clients said to the sender. */
        readonly heard: readonly HeardPresence[];
      }
  );

/** What a client said last to one server (L11). */
export interface HeardPresence {
  readonly user: UserName;
  readonly client: string;
  readonly state: PresenceState;
  /** The server's clock when it heard it. */
  readonly clock: number;
  /** Milliseconds since then. */
  readonly ageMs: number;
}

export type PeerRequest =
  | (ReplicaSummary & { readonly service: "sync" })
  | SnapshotRequest
  | CoordinationRequest
  | { readonly service: "health"; readonly clock: number };

/** A claim on its way to the coordinator: the name, and what proves later who owns it. */
export interface ProposedClaim {
  readonly user: UserName;
  readonly id: RequestId;
  readonly credential: string;
}

/** What servers ask each other about the office, and the coordinator about time. */
export type CoordinationRequest = ReplicaSummary &
  (
    | {
        /** Somebody of lower rank misses a coordinator; also: are you there? */
        readonly service: "election";
        /** The highest epoch that the asker knows of: below it nobody is in office any more. */
        readonly epoch: Epoch;
      }
    | { /** For the promise of an epoch. */ readonly service: "candidate"; readonly epoch: Epoch }
    | {
        /** For the asker's own events of that epoch up to `seq` to be accepted. */
        readonly service: "accept";
        readonly epoch: Epoch;
        readonly seq: number;
      }
    | { readonly service: "forward"; readonly claim: ProposedClaim }
    | {
        readonly service: "clock";
        readonly round: number;
        /** What to correct the time that was said in this round by; undefined to be told it. */
        readonly correctionMs?: number | undefined;
      }
  );

/**
 * How a claim ended: `alike` if an account has a name that looks the same; `busy` if it is still
 * open, or the server that was asked is not in office.
 */
export const claimOutcomes = ["won", "taken", "alike", "busy"] as const;
export type ClaimOutcome = (typeof claimOutcomes)[number];

export type CoordinationAnswer = ReplicaSummary &
  (
    | { readonly service: "election" }
    | {
        readonly service: "candidate" | "accept";
        readonly isGranted: boolean;
        /** The highest epoch that the answering server has promised. */
        readonly promised: Epoch;
      }
    | {
        readonly service: "forward";
        readonly outcome: ClaimOutcome;
        /** Of the sender's own event that holds the name. */
        readonly seq: number | undefined;
        /** For a claim that was won: the credential of the copy that was proposed first. */
        readonly credential?: string | undefined;
      }
    | {
        readonly service: "clock";
        readonly timeMs: number;
        /** Whether it was ever corrected: then it is the cluster's time, and not only a server's. */
        readonly isCorrected: boolean;
      }
  );

/** For a page of a saved state, which is sent file by file as it is on disk. */
export interface SnapshotRequest {
  readonly service: "snapshot";
  readonly clock: number;
  /** The checksum of the state that the asker has begun with; undefined for the newest. */
  readonly of: string | undefined;
  /** The file's number among those of a saved state. */
  readonly file: number;
  readonly offset: number;
}

export interface SnapshotPage {
  readonly clock: number;
  readonly of: string;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly bytes: Uint8Array;
}

export interface SyncAnswer extends ReplicaSummary {
  /** Events that the asker lacks, at most 1,000, each server's in order. */
  readonly lines: string[];
  readonly more: boolean;
  /** Some of what the asker lacks stands in the saved state alone: it is to fetch that (J1). */
  readonly compacted: boolean;
}
