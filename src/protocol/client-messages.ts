import type { Cursor } from "./cursor.ts";
import type { ErrorCode } from "./errors.ts";
import type { ChannelName, RequestId, ServerName, UserName } from "./ids.ts";
import type { Vector } from "./vector.ts";

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

/** A request of whatever service, as its gate has parsed it. */
export type ParsedRequest = Envelope & { readonly service: string };

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

/** What a client can ask for, by its name on the wire. */
export type Service = Request["service"];

export type RequestOf<S extends Service> = Extract<Request, { service: S }>;

/** What a client says of its user: `gone` at a clean end. */
export const presenceStates = ["online", "away", "gone"] as const;
export type PresenceState = (typeof presenceStates)[number];

/** A user who is there. */
export interface Present {
  readonly user: UserName;
  readonly state: Exclude<PresenceState, "gone">;
}

/** A page of a list of names; without any of these, as many as a reply holds. */
export type NamesQuery = {
  /** What the names begin with. */
  readonly prefix?: string | undefined;
  /** Where the page begins: names from here on. It is the `next` of the page before. */
  readonly from?: string | undefined;
  /** Names, 1 to 1,000. */
  readonly limit?: number | undefined;
};

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

export type Incoming = ParsedRequest | Refused;

/** A reply's `data` on its way out: behind what every reply has stands what its service answers. */
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

/** What a write's reply says of its event: which replicas had it on disk when the reply left. */
export interface Receipt {
  readonly id: string;
  readonly server: ServerName;
  readonly seq: number;
  readonly clock: number;
  readonly timestamp: string;
  readonly durable: readonly ServerName[];
}
