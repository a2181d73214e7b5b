import type { GameAnswer, GameRequest } from "../../protocol/game-requests.ts";
import type { UserName } from "../../protocol/ids.ts";
import type {
  EndedMatch,
  GameName,
  MatchId,
  OpenMatch,
  RulesName,
  Term,
} from "../../protocol/matches.ts";
import type { MatchEvent, Operation } from "./match-event.ts";
import type { ActionRefusal } from "./match-state.ts";
import type { Stamp } from "./stamps.ts";

export interface Now {
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  /** Milliseconds of a clock that only moves forward. */
  readonly steadyMs: number;
}

/** Why a request of a player is refused. */
export type Refusal =
  | ActionRefusal
  | "seated"
  | "match_not_found"
  | "not_in_match"
  | "queue_full"
  /** The holders of the match, or the cluster, do not answer; the same request may succeed later. */
  | "unavailable";

export type Answered = { readonly answer: GameAnswer } | { readonly refused: Refusal };

/** A player that waits for a match. */
export interface Waiting {
  readonly user: UserName;
  readonly rules: RulesName;
  readonly rating: number;
  readonly waitedMs: number;
}

/** A message about a match, between its host and its shadow, in a term. */
interface OfMatch {
  readonly match: MatchId;
  readonly term: number;
}

/** A message about one proposal. Each proposal of a host has a higher number than the one before. */
interface OfRound extends OfMatch {
  readonly round: number;
}

/** The messages between game servers. Each goes one way only, and may be lost or repeated. */
export type GameMessage =
  /** The sender lives. A new `start` means that the sender has restarted. */
  | { readonly type: "hello"; readonly start: string; readonly waiting: readonly Waiting[] }
  /** The host proposes operations that follow the first `base` events. */
  | (OfRound & {
      readonly type: "propose";
      readonly base: number;
      readonly timeMs: number;
      readonly operations: readonly Operation[];
    })
  | (OfRound & { readonly type: "ack"; readonly refused?: string | undefined })
  | (OfRound & { readonly type: "check" })
  | (OfRound & { readonly type: "checked"; readonly refused?: string | undefined })
  | (OfRound & { readonly type: "commit"; readonly events: readonly MatchEvent[] })
  | (OfRound & { readonly type: "rollback" })
  /** The shadow has so many events of the host's log on its disk. */
  | (OfMatch & { readonly type: "committed"; readonly length: number })
  /** The shadow can't follow: it wants the whole log. */
  | (OfMatch & { readonly type: "behind" })
  /** The host sends its whole log. */
  | {
      readonly type: "adopt";
      readonly match: MatchId;
      readonly term: Term;
      readonly events: readonly MatchEvent[];
    }
  /** The sender knows a higher term than the receiver. */
  | { readonly type: "stale"; readonly match: MatchId; readonly term: Term }
  /** The host has no copy of the match any more. */
  | (OfMatch & { readonly type: "lost" })
  /** The host says that the cluster has decided the end of the match. */
  | { readonly type: "over"; readonly match: MatchId }
  /** The sender wants to begin a match with a player that waits at the receiver. */
  | { readonly type: "invite"; readonly match: MatchId; readonly events: readonly MatchEvent[] }
  /** The invited server has the first event on its disk. */
  | { readonly type: "accepted"; readonly match: MatchId }
  /** The invited server refuses, or the server that invited takes its invitation back. */
  | { readonly type: "declined"; readonly match: MatchId }
  /** A request of a player, for the host of the player's match. */
  | {
      readonly type: "asked";
      readonly number: number;
      readonly user: UserName;
      readonly request: GameRequest;
      readonly stamp: Stamp;
      /** If given, only a copy of this match may answer: the player has seen it, and it may be over. */
      readonly only?: MatchId | undefined;
    }
  | { readonly type: "answered"; readonly number: number; readonly answered: Answered }
  /** The receiver of a request does not host the match. */
  | { readonly type: "notHost"; readonly number: number };

/** What only the log of decisions decides. */
export type Question =
  | ({ readonly service: "matchBegin" } & OpenMatch)
  | ({ readonly service: "matchTerm"; readonly match: MatchId } & Term)
  | {
      readonly service: "matchEnd";
      readonly match: MatchId;
      readonly term: number;
      readonly winner?: UserName | undefined;
      readonly isVoid?: true | undefined;
    };

export type Decided = Term | OpenMatch | EndedMatch | { readonly refused: string };

/** What can happen to a game server. */
export type Input =
  | { readonly type: "tick" }
  | { readonly type: "message"; readonly from: GameName; readonly message: GameMessage }
  /** A player asks; `to` is returned with the answer. */
  | {
      readonly type: "asked";
      readonly to: unknown;
      readonly user: UserName;
      readonly request: GameRequest;
    }
  /** All records up to this number are on disk. */
  | { readonly type: "stored"; readonly upTo: number }
  | { readonly type: "decided"; readonly question: Question; readonly decided: Decided }
  /** `place` is undefined if the cluster does not answer. */
  | {
      readonly type: "located";
      readonly user: UserName;
      readonly match?: MatchId | undefined;
      readonly place: Place | undefined;
    }
  /** All open matches of the cluster. */
  | { readonly type: "listed"; readonly matches: readonly OpenMatch[] }
  /** The other game servers of the cluster. */
  | { readonly type: "known"; readonly games: readonly GameName[] };

/** What the cluster knows about a player. */
export interface Place {
  readonly open?: OpenMatch | undefined;
  readonly rating: number;
}

/** A change of the disk. */
export type Record =
  | { readonly type: "append"; readonly match: MatchId; readonly events: readonly MatchEvent[] }
  /** These are all events of the match. */
  | { readonly type: "replace"; readonly match: MatchId; readonly events: readonly MatchEvent[] }
  | { readonly type: "forget"; readonly match: MatchId };

/**
 * What a game server does. Effects are performed in their order, but the record of a `store` is on
 * disk only once the input `stored` says so.
 */
export type Effect =
  | { readonly type: "send"; readonly to: GameName; readonly message: GameMessage }
  | { readonly type: "store"; readonly number: number; readonly record: Record }
  | { readonly type: "answer"; readonly to: unknown; readonly answered: Answered }
  /** Asks until the outcome is known. */
  | { readonly type: "decide"; readonly question: Question }
  /** Asks for a player's open match. `match` is returned with the answer. */
  | { readonly type: "locate"; readonly user: UserName; readonly match?: MatchId }
  /** Asks for all open matches that this server hosts or shadows. */
  | { readonly type: "list" };
