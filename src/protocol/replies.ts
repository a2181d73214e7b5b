import type { Present, Receipt, Service } from "./client-messages.ts";
import type { Epoch } from "./epoch.ts";
import type { ChannelName, ServerName, UserName } from "./ids.ts";
import type { Entry } from "./publications.ts";
import type { Listed, RefusedMessages } from "./reference-messages.ts";
import type { Vector } from "./vector.ts";
import type { View } from "./view.ts";

/** The place of the claim that holds an account's name. */
export interface ClaimPlace {
  readonly server: ServerName;
  readonly seq: number;
}

/** What a write answers with: where its event is. */
export interface Written {
  readonly entry: Receipt;
}

export interface HistoryPage {
  /** Oldest to newest in the total order. */
  readonly entries: readonly Entry[];
  /** With `before` or nothing: the page before this one. With `since`: there is more. */
  readonly next?: string | undefined;
  /** What the reader has now seen of this conversation. */
  readonly seen: Vector;
}

/** A topic's key of one day (X5). */
export interface DayKey {
  /** Days since 1970 in UTC. */
  readonly day: number;
  /** base64url. */
  readonly key: string;
}

/** A server as the one that answers knows it (Q10); null for what nobody told. */
export interface MemberStatus {
  readonly name: string;
  readonly rank: number | null;
  readonly address: string | null;
  /** Whether it is in the view of the server that answers. */
  readonly member: boolean;
  /** Whether it was heard lately. */
  readonly live: boolean;
  /** One of `phases`; a newer server may have others. */
  readonly phase: string | null;
  /** Events that it lacks of what anybody has. */
  readonly lag: number | null;
  readonly durable: Vector | null;
  readonly clock: number | null;
  /** Milliseconds that its time is ahead of its own clock, as corrected (E5). */
  readonly offsetMs: number | null;
  /** Milliseconds that the last round of the clocks corrected, and how many rounds have. */
  readonly lastCorrectionMs: number | null;
  readonly clockRounds: number | null;
  /** Requests served in the last second. */
  readonly rate: number | null;
}

/** The cluster as one server sees it: what `tertulia status` draws. */
export interface StatusReply {
  readonly members: readonly MemberStatus[];
  /** The reference's list, as the server heard it last. */
  readonly processes: readonly Listed[];
  readonly coordinator: string | null;
  readonly epoch: Epoch | null;
  readonly view?: View | undefined;
  readonly committed: Vector | null;
  /** Messages that the server has dropped since it started, by reason. */
  readonly refused?: Readonly<RefusedMessages> | undefined;
  /** Clocks too far ahead, which the server did not adopt (W4). */
  readonly disbelievedClocks?: number | undefined;
}

interface HoldingOf {
  readonly login: Written & {
    /** In an open cluster: the confirmed claim that the name belongs to (A11). */
    readonly account?: ClaimPlace | undefined;
  };
  readonly register: {
    /** Missing where an earlier copy of the request decided the claim. */
    readonly account?: ClaimPlace | undefined;
  };
  readonly password: Written;
  readonly account: Written;
  readonly registration: Written;
  readonly removal: Written;
  readonly keys: {
    /** By topic. */
    readonly keys: Readonly<Record<string, readonly DayKey[]>>;
    /** The public key of whoever signs publications, in base64url. */
    readonly publisher?: string | undefined;
  };
  readonly presence: {
    /** By name. */
    readonly present: readonly Present[];
  };
  readonly users: {
    /** Sorted. */
    readonly users: readonly UserName[];
    /** `from` of the next page; missing on the last one (Q13). */
    readonly next?: string | undefined;
  };
  readonly channels: {
    /** Sorted. */
    readonly channels: readonly ChannelName[];
    /** The same list, where clients of the original protocol look for it. */
    readonly users?: readonly ChannelName[];
    readonly next?: string | undefined;
  };
  readonly time: {
    /** The cluster's corrected time, ISO 8601. */
    readonly time: string;
  };
  readonly status: StatusReply;
  readonly channel: Written;
  readonly publish: Written;
  readonly message: Written;
  readonly history: HistoryPage;
}

/** What an OK answer holds, by service, beside what every reply has (W6, W8). */
export type Replies = { readonly [S in Service]: HoldingOf[S] };

/** A reply that a client has parsed. */
export type Reply<S extends Service> = Replies[S] & {
  /** The server that answered; undefined for one of the original protocol (C8). */
  readonly server: ServerName | undefined;
};
