import type { Envelope, PresenceState, RequestOf, Service } from "./client-messages.ts";
import type { ChannelName, UserName } from "./ids.ts";
import type { ConversationName } from "./topics.ts";
import type { Vector } from "./vector.ts";

export type HistoryOptions = {
  /** Only the private messages that were exchanged with this other user. */
  readonly with?: UserName | undefined;
  /** `next` of a page: the entries before it. */
  readonly before?: string | undefined;
  /** The entries that this vector does not cover. */
  readonly since?: Vector | undefined;
  /** 1 to 1,000; by default 100. */
  readonly limit?: number | undefined;
};

type AccountChange =
  | { readonly locked: boolean }
  | { readonly administrator: boolean }
  | { readonly newPassword: string };

/** Services whose requests look otherwise on the wire than behind the gate. */
interface WireOnly {
  readonly account: { readonly user: UserName } & AccountChange;
  readonly removal: { readonly channel: ChannelName; readonly removed: boolean };
  readonly presence: {
    /** Undefined for a client that never logged in: the server then tells what is missing. */
    readonly user: UserName | undefined;
    readonly client?: string;
    readonly state: PresenceState;
  };
  readonly history: ConversationName & HistoryOptions;
}

/** What a client writes into `data`, by service, beside what every request may carry (W3–W6). */
export type RequestData = {
  readonly [S in Service]: S extends keyof WireOnly ? WireOnly[S] : OwnData<S>;
};

type OwnData<S extends Service> = Omit<RequestOf<S>, keyof Envelope | "service">;
