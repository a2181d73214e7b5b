import type { NamesQuery, PresenceState, Service } from "./client-messages.ts";
import type { ChannelName, UserName } from "./ids.ts";
import type { ConversationName } from "./topics.ts";
import type { Vector } from "./vector.ts";

export type HistoryOptions = {
  /** With a user's private messages: only those exchanged with this other user. */
  readonly with?: UserName | undefined;
  /** `next` of an earlier page: what comes before it. */
  readonly before?: string | undefined;
  /** All that is missing since this vector. */
  readonly since?: Vector | undefined;
  /** 1 to 1,000; 100 unless told. */
  readonly limit?: number | undefined;
};

type WithPassword = { readonly user: UserName; readonly password: string };

type AccountChange =
  | { readonly locked: boolean }
  | { readonly administrator: boolean }
  | { readonly newPassword: string };

interface DataOf {
  readonly login: { readonly user: UserName; readonly password?: string | undefined };
  readonly register: WithPassword & { readonly invitation?: string | undefined };
  readonly password: WithPassword & { readonly newPassword: string };
  readonly account: { readonly user: UserName } & AccountChange;
  readonly registration: {
    readonly mode: "open" | "closed" | "invitation";
    readonly invitation?: string | undefined;
  };
  readonly removal: { readonly channel: ChannelName; readonly removed: boolean };
  readonly keys: { readonly topics: readonly string[] };
  readonly presence: {
    /** Undefined for a client that never logged in: the server then tells what is missing. */
    readonly user: UserName | undefined;
    readonly client?: string;
    readonly state: PresenceState;
  };
  readonly users: NamesQuery;
  readonly channels: NamesQuery;
  readonly time: Readonly<Record<string, never>>;
  readonly status: Readonly<Record<string, never>>;
  readonly channel: { readonly channel: ChannelName; readonly user?: UserName | undefined };
  readonly publish: {
    readonly user: UserName;
    readonly channel: ChannelName;
    readonly message: string;
  };
  readonly message: { readonly src: UserName; readonly dst: UserName; readonly message: string };
  readonly history: ConversationName & HistoryOptions;
}

/** What a client writes into `data`, by service, beside what every request may carry (W3–W6). */
export type RequestData = { readonly [S in Service]: DataOf[S] };
