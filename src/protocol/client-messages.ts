import type { Cursor } from "./cursor.ts";
import type { ErrorCode } from "./errors.ts";
import type { ChannelName, RequestId, ServerName, UserName } from "./ids.ts";
import type { ConversationName } from "./topics.ts";
import type { Vector } from "./vector.ts";

/** What every request may carry beside its own fields (W3–W6). */
export interface Envelope {
  /** The client's Lamport clock; undefined if it is missing or invalid (W4). */
  readonly clock: number | undefined;
  /** The client's own time, echoed in publications of the old form (P1); never stored. */
  readonly timestamp?: string | number | undefined;
  readonly id: RequestId | undefined;
  /** What the client has seen (R9). */
  readonly after?: Vector | undefined;
  /** As `login` gave it (W6). The shell checks it, and sets `session`. */
  readonly token?: string | undefined;
  readonly session?: Session | undefined;
}

/** A session that the receiver of an answer may have: the shell makes a token of it. */
export interface Grant {
  readonly user: UserName;
  /** The version of the credential at the log-in: another password ends the session. */
  readonly version: string;
}

/** The session of a request, by a token that this cluster has signed. */
export interface Session extends Grant {
  /** Milliseconds since 1970. */
  readonly issuedMs: number;
  readonly expiresMs: number;
  /** Whoever has the cluster's secret may do what an administrator may. */
  readonly isOperator: boolean;
}

/** A request of any service, as its gate has parsed it. */
export type ParsedRequest = Envelope & { readonly service: string };

export type Request = Envelope &
  (
    | {
        readonly service: "login";
        readonly user: UserName;
        /** As in `register`; needed in a cluster with accounts. */
        readonly password?: string | undefined;
      }
    | {
        readonly service: "register";
        readonly user: UserName;
        /** In memory until the answer; never logged, never stored. */
        readonly password: string;
        /** From an administrator, where the registration requires an invitation. */
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
        /** An administrator changes another user's account. */
        readonly service: "account";
        readonly user: UserName;
        readonly change:
          | { readonly flag: "locked" | "administrator"; readonly isSet: boolean }
          | { readonly newPassword: string };
      }
    | {
        /** An administrator decides who may register. */
        readonly service: "registration";
        readonly mode: "open" | "closed" | "invitation";
        readonly invitation?: string | undefined;
      }
    | {
        /** An administrator removes a channel, or restores it. */
        readonly service: "removal";
        readonly channel: ChannelName;
        readonly isRemoved: boolean;
      }
    | { readonly service: "keys"; readonly topics: readonly string[] }
    | {
        /** Reports that a user is online, and asks for all who are. */
        readonly service: "presence";
        readonly user: UserName;
        /** Tells the user's clients apart; those without it count as one. */
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
        readonly user?: UserName | undefined;
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

/** A service's name on the wire. */
export type Service = Request["service"];

export type RequestOf<S extends Service> = Extract<Request, { service: S }>;

/** A client's report about its user: `gone` at a clean end. */
export const presenceStates = ["online", "away", "gone"] as const;
export type PresenceState = (typeof presenceStates)[number];

/** A user who is online. */
export interface Present {
  readonly user: UserName;
  readonly state: Exclude<PresenceState, "gone">;
}

/** A page of a list of names; without any of these fields, as many names as a reply holds. */
export type NamesQuery = {
  /** The beginning of the names. */
  readonly prefix?: string | undefined;
  /** The first name of the page: the `next` of the page before. */
  readonly from?: string | undefined;
  /** Names, 1 to 1,000. */
  readonly limit?: number | undefined;
};

export interface HistoryQuery {
  readonly conversation: ConversationName;
  /** Only the private messages that were exchanged with this user. */
  readonly with?: UserName | undefined;
  readonly before?: Cursor | undefined;
  readonly since?: Vector | undefined;
  /** Entries, 1 to 1,000. */
  readonly limit: number;
}

/** A request that the gate refused: its error is answered in its place (W7). */
export interface Refused {
  readonly service: string;
  readonly refused: { readonly code: ErrorCode; readonly description: string };
  readonly clock: number | undefined;
  readonly id: RequestId | undefined;
}

export type Incoming = ParsedRequest | Refused;

/** A reply's `data` on its way out: the fields of every reply, and those of its service. */
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
  /** The shell signs it into `token`. */
  grant?: Grant | undefined;
  [field: string]: unknown;
}

export interface SentReply {
  readonly service: string;
  readonly data: ReplyData;
}

/** A write's event, and the replicas that had it on disk when the reply left. */
export interface Receipt {
  readonly id: string;
  readonly server: ServerName;
  readonly seq: number;
  readonly clock: number;
  readonly timestamp: string;
  readonly durable: readonly ServerName[];
}
