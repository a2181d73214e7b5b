import type { Envelope, PresenceState, RequestOf, Service } from "./client-messages.ts";
import type { ChannelName, UserName } from "./ids.ts";
import type { ConversationName } from "./topics.ts";
import type { Vector } from "./vector.ts";

export type HistoryOptions = {
  /** Selects only the private messages exchanged with this other user. */
  readonly with?: UserName | undefined;
  /** The `next` of a page: selects the entries before that page. */
  readonly before?: string | undefined;
  /** Selects the entries that this vector does not cover. */
  readonly since?: Vector | undefined;
  /** The largest number of entries, 1 to 1,000; by default 100. */
  readonly limit?: number | undefined;
};

export type SearchOptions = Omit<HistoryOptions, "since">;

type AccountChange =
  | { readonly locked: boolean }
  | { readonly administrator: boolean }
  | { readonly newPassword: string };

/** The wire fields of services whose requests the gate converts into another form. */
interface WireOnly {
  readonly account: { readonly user: UserName } & AccountChange;
  readonly removal: { readonly channel: ChannelName; readonly removed: boolean };
  readonly trade: { readonly user: UserName; readonly trade: number; readonly accept: boolean };
  readonly presence: {
    /**
     * Undefined for a client that never logged in; the server then replies with an error that names
     * the field.
     */
    readonly user: UserName | undefined;
    readonly client?: string;
    readonly state: PresenceState;
  };
  readonly history: ConversationName & HistoryOptions;
  readonly search: ConversationName & SearchOptions & { readonly words: string };
}

/**
 * The fields that a client writes into `data`, by service, without the fields of every request
 * (W3–W6).
 */
export type RequestData = {
  readonly [S in Service]: S extends keyof WireOnly ? WireOnly[S] : OwnData<S>;
};

type OwnData<S extends Service> = Omit<RequestOf<S>, keyof Envelope | "service">;
