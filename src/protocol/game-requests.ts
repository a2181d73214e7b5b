import type { CardId, PackName } from "./cards.ts";
import type { MatchView, ShownEvent } from "./game-view.ts";
import type { UserName } from "./ids.ts";
import type { MatchId, RulesName } from "./matches.ts";

/** What a player does in a match. */
export type PlayerAction =
  /**
   * The player plays with these cards; by default with their deck, or with their 30 strongest cards; a
   * player who owns fewer than five plays with cards that are lent. With `pack`, the game server first buys this pack for the player, who plays with its cards.
   */
  | {
      readonly type: "ready";
      readonly cards?: readonly CardId[] | undefined;
      readonly pack?: PackName | undefined;
    }
  | { readonly type: "play" | "counter"; readonly card: CardId }
  | { readonly type: "pass" }
  | { readonly type: "giveUp" };

/** What a player, or a spectator, asks of a game server. */
export type GameRequest =
  /** Wants a match by these rules. */
  | { readonly type: "enter"; readonly rules: RulesName }
  /** Wants no match any more. */
  | { readonly type: "leave" }
  | {
      readonly type: "act";
      /** Equal for each try of one action, so that it takes effect once. */
      readonly id: string;
      readonly match: MatchId;
      readonly action: PlayerAction;
    }
  /** Asks how things stand, and waits for news if `after` shows that nothing is new. */
  | {
      readonly type: "look";
      /** The player whose match is looked at; by default the asking user. */
      readonly of?: UserName | undefined;
      readonly after?: LookedAt | undefined;
      readonly waitMs: number;
    };

/** What a player has seen last. */
export interface LookedAt {
  /** Undefined if the player sat in no match. */
  readonly match?: MatchId | undefined;
  readonly eventSeq: number;
}

/** How things stand for a player. */
export type Look =
  | { readonly phase: "idle" }
  | { readonly phase: "waiting"; readonly rules: RulesName; readonly waitedMs: number }
  | {
      readonly phase: "match";
      readonly view: MatchView;
      /** The events after `after`, or the last ones. */
      readonly events: readonly ShownEvent[];
    };

export interface Acted {
  /** The number of the last event that the action made. */
  readonly eventSeq: number;
}

export type GameAnswer = Look | Acted;
