import type { Pack } from "../../../protocol/cards.ts";
import type { Look, PlayerAction } from "../../../protocol/game-requests.ts";
import type { MatchView, Seat, ShownEvent } from "../../../protocol/game-view.ts";
import type { UserName } from "../../../protocol/ids.ts";
import type { MatchId, PlayerRecord, RulesName } from "../../../protocol/matches.ts";
import type { Text } from "../../../texts/texts.ts";
import type { Size } from "../chat-model.ts";
import type { Key } from "../keys.ts";

/** What the player has, and what the shop sells. */
export interface Shop {
  readonly coins: number;
  readonly packs: readonly (Pack & { readonly pack: string; readonly left?: number | undefined })[];
}

/** A match as this screen has seen it. */
export interface SeenMatch {
  readonly view: MatchView;
  /** The last events, without a gap. */
  readonly events: readonly ShownEvent[];
  /** The ratings before the match, as far as they are known. */
  readonly ratings: ReadonlyMap<UserName, number>;
  /** The player's record after the match, once it is known. */
  readonly after: PlayerRecord | undefined;
}

interface Beginning {
  readonly me: UserName;
  readonly words: Text;
  readonly size: Size;
  /** Milliseconds since 1970, by the clock of this machine. */
  readonly nowMs: number;
  readonly rules: RulesName;
  /** The user whose matches are watched; undefined if the person plays. */
  readonly watched: UserName | undefined;
  /** The endpoints of the game servers, as text for the person. */
  readonly games: string;
}

export interface DuelModel extends Beginning {
  /** How things stand by the last answer; undefined before the first one. */
  readonly phase: Look["phase"] | undefined;
  /** The time since which the player has waited for a match. */
  readonly waitingSinceMs: number;
  /** Whether the person wants a match and sits in none. */
  readonly wants: boolean;
  /** The last match. */
  readonly seen: SeenMatch | undefined;
  readonly shop: Shop | undefined;
  /** The place of the chosen card in the hand. */
  readonly chosen: number;
  /** Whether an action has been sent that is not answered yet. */
  readonly isActing: boolean;
  readonly notice: { readonly text: string; readonly isProblem: boolean } | undefined;
  readonly isLost: boolean;
  readonly isLeaving: boolean;
  /** Whether the next `g` gives up. */
  readonly asksGiveUp: boolean;
  /** The time of the last Ctrl-C, if a second one leaves. */
  readonly quitAskedMs: number | undefined;
  /** By how much this machine's clock is ahead of that of the game server, as far as is known. */
  readonly aheadMs: number | undefined;
}

/** What can happen to the screen of a match. */
export type DuelEvent =
  | { readonly type: "key"; readonly key: Key }
  | { readonly type: "resize"; readonly size: Size }
  | { readonly type: "tick"; readonly nowMs: number }
  /** `isFresh` if the events are news that the answer has waited for. */
  | {
      readonly type: "looked";
      readonly look: Look;
      readonly nowMs: number;
      readonly isFresh: boolean;
    }
  /** The answer to `enter`. */
  | { readonly type: "entered"; readonly look: Look; readonly nowMs: number }
  | { readonly type: "left" }
  /** The player sits in a match, so it is too late to leave or to enter. */
  | { readonly type: "seated" }
  | { readonly type: "acted" }
  /** An action, or another wish, was refused. */
  | { readonly type: "refused"; readonly why: string }
  | { readonly type: "connection"; readonly isLost: boolean }
  | { readonly type: "shop"; readonly shop: Shop }
  | {
      readonly type: "record";
      readonly user: UserName;
      readonly record: PlayerRecord;
      /** The match that the record includes; undefined for a record from before a match. */
      readonly after: MatchId | undefined;
    };

/** What the shell must do. */
export type DuelEffect =
  | { readonly type: "enter"; readonly rules: RulesName }
  | { readonly type: "leave" }
  | { readonly type: "act"; readonly match: MatchId; readonly action: PlayerAction }
  | { readonly type: "shop" }
  | { readonly type: "record"; readonly user: UserName; readonly after: MatchId | undefined }
  | { readonly type: "redraw" | "suspend" | "quit" };

export interface DuelStep {
  readonly model: DuelModel;
  readonly effects: readonly DuelEffect[];
}

export function duelStill(model: DuelModel): DuelStep {
  return { model, effects: [] };
}

export function beginningDuel(given: Beginning): DuelModel {
  return {
    ...given,
    phase: undefined,
    waitingSinceMs: given.nowMs,
    wants: given.watched === undefined,
    seen: undefined,
    shop: undefined,
    chosen: 0,
    isActing: false,
    notice: undefined,
    isLost: false,
    isLeaving: false,
    asksGiveUp: false,
    quitAskedMs: undefined,
    aheadMs: undefined,
  };
}

/**
 * The match on the screen; undefined if the person waits for one. The result of a match stays, even
 * when the game servers have forgotten the match.
 */
export function matchOf({ phase, seen, wants }: DuelModel): SeenMatch | undefined {
  if (wants) return undefined;
  return phase === "match" || seen?.view.over != null ? seen : undefined;
}

/** Whether the match goes on, with the person in it. */
export function isPlaying(model: DuelModel): boolean {
  const match = matchOf(model);
  return match !== undefined && match.view.over == null && match.view.seat != null;
}

/** The player's own seat; for a spectator, that of the watched user. */
export function nearSeat({ view }: SeenMatch, watched: UserName | undefined): Seat {
  return view.seat ?? (view.players[1].user === watched ? 1 : 0);
}

export function userAt(view: MatchView, seat: Seat): UserName {
  return view.players[seat].user;
}

/** Whole seconds until a time of the game server's clock; never below 0. */
export function secondsUntil({ nowMs, aheadMs = 0 }: DuelModel, timeMs: number): number {
  return Math.max(0, Math.ceil((timeMs + aheadMs - nowMs) / 1_000));
}

export function told(model: DuelModel, text: string, isProblem = false): DuelModel {
  return { ...model, notice: { text, isProblem } };
}
