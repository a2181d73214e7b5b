import type { CardId, PackName } from "./cards.ts";
import type { Cursor } from "./cursor.ts";
import type { ErrorCode } from "./errors.ts";
import type { ChannelName, HookId, HookName, RequestId, ServerName, UserName } from "./ids.ts";
import type { Beginning, Ending, GameName, MatchId, Term } from "./matches.ts";
import type { SearchTerm } from "./search-words.ts";
import type { ConversationName } from "./topics.ts";
import type { Vector } from "./vector.ts";

/** The fields that a request of any service may have (W3–W6). */
export interface Envelope {
  /** The client's Lamport clock; undefined if it is missing or invalid (W4). */
  readonly clock: number | undefined;
  /**
   * The client's own time. Publications of the old form repeat this time (P1); no server stores it.
   */
  readonly timestamp?: string | number | undefined;
  readonly id: RequestId | undefined;
  /** The vector of what the client has seen, perhaps with a slot (R9, D8). */
  readonly after?: Vector | undefined;
  /**
   * A slot that was settled before the client first sent this operation (D9). If it is missing, the
   * server takes the slot that it has applied.
   */
  readonly sinceSlot?: number | undefined;
  /** Whether the answer must show all that was decided before the request was sent (D8). */
  readonly consistency?: "now" | undefined;
  /**
   * The address of the person for whom a gateway asks (X9). The shell drops it unless the payload
   * has a gateway's seal.
   */
  readonly via?: string | undefined;
  /** The token from the reply to `login` (W6). The shell checks the token, and sets `session`. */
  readonly token?: string | undefined;
  readonly session?: Session | undefined;
}

/** Permission to open a session. The shell turns it into the token of the reply. */
export interface Grant {
  readonly user: UserName;
  /**
   * The version of the user's credential at login. A password change makes a new version, which
   * ends the session.
   */
  readonly version: string;
}

/** The session that a request's valid token proves. */
export interface Session extends Grant {
  /** Milliseconds since 1970. */
  readonly issuedMs: number;
  readonly expiresMs: number;
  /**
   * Whether a command made the token with the cluster's secret: such a session may do all that an
   * administrator may.
   */
  readonly isOperator: boolean;
  /**
   * True if the token is signed with a secret that is accepted but not in use (O55). The reply then
   * has a token that is signed with the secret in use.
   */
  readonly isOfOtherSecret?: boolean;
}

/** A valid request, whatever its service. */
export type ParsedRequest = Envelope & { readonly service: string };

export type Request = Envelope &
  (
    | {
        readonly service: "login";
        readonly user: UserName;
        /** The account's password; required in a cluster with accounts. */
        readonly password?: string | undefined;
      }
    | {
        readonly service: "register";
        readonly user: UserName;
        /**
         * The new account's password. It is in memory only until the reply, and is never logged or
         * stored.
         */
        readonly password: string;
        /**
         * The invitation that an administrator gave to the user; required if registration is by
         * invitation.
         */
        readonly invitation?: string | undefined;
      }
    | {
        /** A user changes their own password. */
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
    | {
        /** A user makes an incoming webhook, which writes to a channel in the user's name. */
        readonly service: "hook";
        readonly user: UserName;
        readonly channel: ChannelName;
        readonly name: HookName;
        /** The hook's secret. It is in memory only until the reply, and is never logged or stored. */
        readonly hookToken: string;
      }
    | {
        /** Lists the hooks of a user. */
        readonly service: "hooks";
        readonly user: UserName;
      }
    | {
        /** The hook's owner, or an administrator, revokes the hook with this id. */
        readonly service: "unhook";
        readonly hook: string;
      }
    | {
        /** Writes to a hook's channel. The token alone gives the right to write. */
        readonly service: "post";
        readonly hookToken: string;
        readonly message: string;
      }
    | {
        /** Asks for the user's coins and offers, and for what is for sale. */
        readonly service: "shop";
        readonly user: UserName;
      }
    | {
        /** Lists the cards of any user. */
        readonly service: "cards";
        readonly user: UserName;
      }
    | {
        /** Buys a pack of cards. */
        readonly service: "buy";
        readonly user: UserName;
        readonly pack: PackName;
      }
    | {
        /** Offers cards to another user for cards of theirs. */
        readonly service: "offer";
        readonly user: UserName;
        readonly to: UserName;
        readonly give: readonly CardId[];
        readonly want: readonly CardId[];
      }
    | {
        /** Accepts an offer, or drops it. */
        readonly service: "trade";
        readonly user: UserName;
        readonly trade: number;
        readonly isAccepted: boolean;
      }
    | {
        /** Chooses the cards with which the user plays. */
        readonly service: "deck";
        readonly user: UserName;
        readonly cards: readonly CardId[];
      }
    | {
        /** An administrator says how many packs are for sale; without `left`, any number. */
        readonly service: "supply";
        readonly pack: PackName;
        readonly left?: number | undefined;
      }
    | ({
        /** A game server seats two users in a new match. */
        readonly service: "matchBegin";
        readonly game: GameName;
      } & Beginning)
    | ({
        /** A game server asks that a match has this host and shadow from a term on. */
        readonly service: "matchTerm";
        readonly match: MatchId;
        readonly game: GameName;
      } & Term)
    | ({
        /** A game server ends a match. */
        readonly service: "matchEnd";
        readonly game: GameName;
      } & Ending)
    | {
        /** An administrator ends a match, which then does not count. */
        readonly service: "matchVoid";
        readonly match: MatchId;
      }
    | {
        /** Asks for the open match, the record and the last matches of any user. */
        readonly service: "match";
        readonly user: UserName;
      }
    | {
        /** Lists the open matches by their ids. */
        readonly service: "matches";
        /** The least id of the page: the `next` of the previous page. */
        readonly from?: MatchId | undefined;
      }
    /** Lists the users with the highest ratings. */
    | { readonly service: "ranking" }
    | { readonly service: "keys"; readonly topics: readonly string[] }
    | {
        /** Reports a user's presence, and asks for the list of all users who are online. */
        readonly service: "presence";
        readonly user: UserName;
        /**
         * Distinguishes the clients of one user by name; all clients without a name count as a
         * single client.
         */
        readonly client: string;
        readonly state: PresenceState;
      }
    | ({ readonly service: "users" } & NamesQuery)
    | ({ readonly service: "channels" } & NamesQuery)
    | { readonly service: "time" }
    | { readonly service: "status" }
    | {
        /** Asks for the steps of one event (Q14). */
        readonly service: "trace";
        /** The id of the event's request, or the event's name, such as `server_0a1b2c3d/12`. */
        readonly of: string;
      }
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
    /** Finds messages of a conversation by their words (Q31). */
    | ({ readonly service: "search" } & SearchQuery)
  );

/** The name of a service, as in the field `service`. */
export type Service = Request["service"];

export type RequestOf<S extends Service> = Extract<Request, { service: S }>;

/**
 * The presence states that a client reports of its user; `gone` means that the client has closed.
 */
export const presenceStates = ["online", "away", "gone"] as const;
export type PresenceState = (typeof presenceStates)[number];

/** A hook in the reply to `hooks`. Nobody can read its token. */
export interface ListedHook {
  readonly id: HookId;
  readonly channel: ChannelName;
  readonly name: HookName;
  /** When the hook was made, as ISO 8601. */
  readonly timestamp: string;
}

/** One user in the reply to `presence`: online or away, but not gone. */
export interface Present {
  readonly user: UserName;
  readonly state: Exclude<PresenceState, "gone">;
}

/**
 * Selects a page of a list of names. Without any of these fields, the reply has as many names as
 * fit into it.
 */
export type NamesQuery = {
  /** Selects the names that begin with this text. */
  readonly prefix?: string | undefined;
  /** The first name of the page: the `next` of the previous page. */
  readonly from?: string | undefined;
  /** The largest number of names in the page, 1 to 1,000. */
  readonly limit?: number | undefined;
};

export interface HistoryQuery {
  readonly conversation: ConversationName;
  /** Selects only the private messages exchanged with this user. */
  readonly with?: UserName | undefined;
  readonly before?: Cursor | undefined;
  readonly since?: Vector | undefined;
  /** The largest number of entries in the page, 1 to 1,000. */
  readonly limit: number;
}

export interface SearchQuery {
  readonly conversation: ConversationName;
  readonly terms: readonly SearchTerm[];
  /** Selects only the private messages exchanged with this user. */
  readonly with?: UserName | undefined;
  readonly before?: Cursor | undefined;
  /** The largest number of entries in the page, 1 to 1,000. */
  readonly limit: number;
}

/** A request that the gate refused. Its reply has this error instead of a result (W7). */
export interface Refused {
  readonly service: string;
  readonly refused: { readonly code: ErrorCode; readonly description: string };
  readonly clock: number | undefined;
  readonly id: RequestId | undefined;
}

export type Incoming = ParsedRequest | Refused;

/** The `data` of a reply before encoding: the common fields, and the fields of its service. */
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
  /** The slot of the decided operation, or else the slot that the server has applied (D9). */
  slot?: number;
  /** The shell turns the grant into the signed field `token`. */
  grant?: Grant | undefined;
  [field: string]: unknown;
}

export interface SentReply {
  readonly service: string;
  readonly data: ReplyData;
}

/** Names a write's event, and the replicas that had the event on disk when the reply was sent. */
export interface Receipt {
  readonly id: string;
  readonly server: ServerName;
  readonly seq: number;
  readonly clock: number;
  readonly timestamp: string;
  readonly durable: readonly ServerName[];
}
