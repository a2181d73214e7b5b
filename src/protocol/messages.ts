import type { Epoch } from "./epoch.ts";
import type { ErrorCode } from "./errors.ts";
import type { Chain, ChannelName, RequestId, ServerName, UserName } from "./ids.ts";
import type { Vector } from "./vector.ts";

// ---- what clients ask (W1) ----------------------------------------------------------------

/** What every request may carry beside its own fields (W3–W6). */
export interface Envelope {
  /** The client's Lamport clock; undefined if missing or no such integer (W4). */
  readonly clock: number | undefined;
  /** The client's own time, echoed in old-form publications (P1); never stored. */
  readonly timestamp: string | number | undefined;
  readonly id: RequestId | undefined;
  /** What the client has seen (R9). */
  readonly after: Vector | undefined;
  /** As `login` gave it (W6); what it is worth is the shell's to tell, as `session`. */
  readonly token?: string | undefined;
  readonly session?: Session | undefined;
}

/** A session that the receiver of an answer may have: the shell makes a token of it. */
export interface Grant {
  readonly user: UserName;
  /** Of the credential that it begins with: another password ends it. */
  readonly version: string;
}

/** Whose request it is, by a token that this cluster has signed. */
export interface Session extends Grant {
  /** Milliseconds since 1970. */
  readonly issuedMs: number;
  readonly expiresMs: number;
  /** Whoever has the cluster's secret may do what an administrator may. */
  readonly isOperator: boolean;
}

/** A place in the total order. */
export interface Cursor {
  readonly clock: number;
  readonly server: ServerName;
}

export type Request = Envelope &
  (
    | {
        readonly service: "login";
        readonly user: UserName;
        /** As in `register`; needed where accounts are. */
        readonly password?: string | undefined;
      }
    | {
        readonly service: "register";
        readonly user: UserName;
        /** In memory until it is answered; never logged, never stored. */
        readonly password: string;
        /** What an administrator gave, where registration wants an invitation. */
        readonly invitation?: string | undefined;
      }
    | {
        /** Changes one's own password. */
        readonly service: "password";
        readonly user: UserName;
        readonly password: string;
        readonly newPassword: string;
      }
    | {
        /** An administrator changes somebody's account. */
        readonly service: "account";
        readonly user: UserName;
        readonly change:
          | { readonly flag: "locked" | "administrator"; readonly isSet: boolean }
          | { readonly newPassword: string };
      }
    | {
        /** An administrator says who may register. */
        readonly service: "registration";
        readonly mode: "open" | "closed" | "invitation";
        readonly invitation: string | undefined;
      }
    | {
        /** An administrator takes a channel away, or gives it back. */
        readonly service: "removal";
        readonly channel: ChannelName;
        readonly isRemoved: boolean;
      }
    | { readonly service: "keys"; readonly topics: readonly string[] }
    | {
        /** Says that a user is there, and asks who else is. */
        readonly service: "presence";
        readonly user: UserName;
        /** Which of the user's clients says it; those that don't tell count as one. */
        readonly client: string;
        readonly state: PresenceState;
      }
    | ({ readonly service: "users" } & NamesQuery)
    | ({ readonly service: "channels" } & NamesQuery)
    | { readonly service: "time" }
    | { readonly service: "status" }
    | {
        readonly service: "channel";
        readonly channel: ChannelName;
        readonly user: UserName | undefined;
      }
    | {
        readonly service: "publish";
        readonly user: UserName;
        readonly channel: ChannelName;
        readonly message: string;
      }
    | {
        readonly service: "message";
        readonly src: UserName;
        readonly dst: UserName;
        readonly message: string;
      }
    | ({ readonly service: "history" } & HistoryQuery)
  );

/** What a client says of its user: `gone` at a clean end. */
export const presenceStates = ["online", "away", "gone"] as const;
export type PresenceState = (typeof presenceStates)[number];

/** A user who is there. */
export interface Present {
  readonly user: UserName;
  readonly state: Exclude<PresenceState, "gone">;
}

/** A page of a list of names; without any of these, as many as a reply holds. */
export interface NamesQuery {
  /** What the names begin with. */
  readonly prefix?: string | undefined;
  /** Where the page begins: names from here on. It is the `next` of the page before. */
  readonly from?: string | undefined;
  /** Names, 1 to 1,000. */
  readonly limit?: number | undefined;
}

export interface HistoryQuery {
  readonly conversation:
    | { readonly channel: ChannelName; readonly user?: never }
    | { readonly user: UserName; readonly channel?: never };
  /** Of a user's private messages those that he exchanged with this one. */
  readonly with?: UserName | undefined;
  readonly before: Cursor | undefined;
  readonly since: Vector | undefined;
  /** Entries, 1 to 1,000. */
  readonly limit: number;
}

/** A request that the gate refused: its error reply still goes out in its place (W7). */
export interface Refused {
  readonly service: string;
  readonly refused: { readonly code: ErrorCode; readonly description: string };
  readonly clock: number | undefined;
  readonly id: RequestId | undefined;
}

export type Incoming = Request | Refused;

export interface ReplyData {
  status?: "sucesso" | "OK" | "erro";
  code?: ErrorCode;
  description?: string;
  retry?: boolean;
  id?: RequestId;
  /** The server that served the request. */
  server: ServerName;
  clock: number;
  timestamp: string;
  [field: string]: unknown;
}

export interface Reply {
  readonly service: string;
  readonly data: ReplyData;
}

/** What a write's reply says of its event: which replicas had it on disk when the reply left. */
export interface Receipt {
  readonly id: string;
  readonly server: ServerName;
  readonly seq: number;
  readonly clock: number;
  readonly timestamp: string;
  readonly durable: readonly ServerName[];
}

// ---- what is published (P1–P3) and what history holds ---------------------------------------

interface Published {
  readonly message: string;
  readonly timestamp: string;
  readonly clock: number;
  readonly id: string;
  readonly server: ServerName;
  readonly seq: number;
}

/** A channel's message, as `history`, `publications.json` and the second form have it. */
export interface ChannelEntry extends Published {
  readonly channel: ChannelName;
  readonly user: UserName;
}

/** A private message, as `history`, `messages.json` and the second form have it. */
export interface PrivateEntry extends Published {
  readonly src: UserName;
  readonly dst: UserName;
}

export type Entry = ChannelEntry | PrivateEntry;

/** An entry on its topic: `prev` is the same server's one before it there, 0 for none (P3). */
export type Publication = Entry & { readonly prev: number };

/** The old form, for plain SUB clients (P1); `timestamp` is the sender's own if it sent one. */
export type PlainPublication =
  | { user: string; message: string; timestamp: string | number; clock: number }
  | (Record<"src" | "from" | "message", string> & {
      timestamp: string | number;
      clock: number;
      dst: string;
      id: string;
      server: string;
      seq: number;
    });

// ---- what servers say to each other ---------------------------------------------------------

/** A numbered list of the member servers; number 0 is the view of nobody. */
export interface View {
  readonly number: number;
  readonly members: readonly ServerName[];
}

export const noView: View = { number: 0, members: [] };

export function quorumOf(view: View): number {
  return Math.floor(view.members.length / 2) + 1;
}

/**
 * Where a server stands. backfill: it fetches what it lacks; cutover: it follows live events and
 * closes the last gap; live: it may serve; draining: it stops, with requests still open; settled:
 * it stops and waits for its peers.
 */
export const phases = ["backfill", "cutover", "live", "draining", "settled"] as const;
export type Phase = (typeof phases)[number];

/** What carries a durable vector carries the adopted view too, both read at one instant. */
export interface Standing {
  readonly server: ServerName;
  readonly clock: number;
  readonly view: View;
  readonly durable: Vector;
  /** The epoch that the sender is the coordinator of. */
  readonly office?: Epoch | undefined;
}

export type ReplicationMessage = Standing &
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
  | (Standing & { readonly service: "sync" })
  | SnapshotRequest
  | OfficeRequest
  | { readonly service: "health"; readonly clock: number };

/** A claim on its way to the coordinator: the name, and what proves later who owns it. */
export interface ProposedClaim {
  readonly user: UserName;
  readonly id: RequestId;
  readonly credential: string;
}

/** What servers ask each other about the office, and the coordinator about time. */
export type OfficeRequest = Standing &
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

export type OfficeAnswer = Standing &
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

export interface SyncAnswer extends Standing {
  /** Events that the asker lacks, at most 1,000, each server's in order. */
  readonly lines: string[];
  readonly more: boolean;
  /** Some of what the asker lacks stands in the saved state alone: it is to fetch that (J1). */
  readonly compacted: boolean;
}

/** How many messages of others did not count, since this process started (X1). */
export interface RefusedMessages {
  /** Without the MAC of this cluster's secret. */
  forged: number;
  /** Genuine, but late or replayed. */
  stale: number;
}

// ---- what everybody says to the reference ------------------------------------------------------

export const roles = ["server", "broker", "proxy", "reference", "bot"] as const;
export type Role = (typeof roles)[number];

export interface Listed {
  readonly name: string;
  readonly rank: number;
  readonly address: string;
  readonly role: Role;
  readonly clock: number;
  readonly pid?: number | undefined;
  /** Whether it has proven to have the cluster's secret (X1); nobody relies on a guest. */
  readonly isKnown: boolean;
  /** Of a broker or proxy: whether servers that are no members may connect there. */
  readonly guestServers?: boolean | undefined;
  /** Messages that a member has refused since it started. */
  readonly refused?: Readonly<RefusedMessages> | undefined;
  readonly disbelievedClocks?: number | undefined;
}

export type ReferenceRequest = { readonly clock: number; readonly id?: RequestId | undefined } & (
  | { readonly service: "rank"; readonly user: string; readonly address?: string | undefined }
  | { readonly service: "list" }
  | ({ readonly service: "heartbeat" } & HeartbeatReport)
  | { readonly service: "leave"; readonly user: ServerName }
  | { readonly service: "remove"; readonly user: ServerName; readonly force: boolean }
  | { readonly service: "health" }
);

export interface HeartbeatReport {
  readonly user: string;
  readonly address?: string | undefined;
  readonly role?: Role | undefined;
  readonly pid?: number | undefined;
  readonly guestServers?: boolean | undefined;
  readonly refused?: Readonly<RefusedMessages> | undefined;
  readonly disbelievedClocks?: number | undefined;
  /** A server's adopted view and its durable vector, read at one instant. */
  readonly view?: View | undefined;
  readonly durable?: Vector | undefined;
  /** Whether a server has caught up, so that it may become a member. */
  readonly ready?: boolean | undefined;
}

/** The reply to a server's heartbeat; plain ones get only `timestamp` and `clock`. */
export interface HeartbeatReply {
  readonly view: View;
  readonly list: readonly Listed[];
  /** True until a reference without a file may make its first view. */
  readonly waiting: boolean;
}
