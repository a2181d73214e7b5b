import type { CardId } from "../../../protocol/cards.ts";
import type { Seat, SideView, TableView } from "../../../protocol/game-view.ts";

export type { Seat, SideView, TableView };

export const seats = [0, 1] as const;

export function other(seat: Seat): Seat {
  return seat === 0 ? 1 : 0;
}

/** What a player does, or what time does: `timeOut` is asked for by the host when a deadline has passed. */
export type Move =
  | { readonly type: "play"; readonly seat: Seat; readonly card: CardId }
  | { readonly type: "counter"; readonly seat: Seat; readonly card: CardId }
  | { readonly type: "pass"; readonly seat: Seat }
  | { readonly type: "timeOut" };

/** Why a move is refused. */
export const moveRefusals = [
  "not_your_turn",
  "card_not_in_hand",
  "already_played",
  "too_few_points",
  "card_does_not_beat",
  "too_early",
  "move_unknown",
] as const;
export type MoveRefusal = (typeof moveRefusals)[number];

/**
 * What a move has made. All fields are JSON. `card` is the card that the player at `seat` has just
 * put down, also in CARD_COUNTERED; it is `hidden` for a viewer that may not see it yet.
 */
export type Happening =
  | { readonly type: "CARD_PLAYED"; readonly seat: Seat; readonly card: CardId }
  | { readonly type: "CARD_COUNTERED"; readonly seat: Seat; readonly card: CardId }
  | { readonly type: "PASSED"; readonly seat: Seat }
  | ({ readonly type: "ROUND_END" } & Readonly<Record<string, unknown>>);

export interface Result {
  /** Undefined if nobody has won. */
  readonly winner?: Seat | undefined;
}

/**
 * A game, as pure functions. Equal arguments give equal results on every machine, so that two
 * servers that apply the same happenings have equal states. States are JSON and are never changed in
 * place.
 */
export interface Rules<State> {
  /**
   * Shuffles and deals.
   * @param decks 5 to 30 cards each, without repetition
   * @param seed 32 hex digits, the only source of chance
   * @param timeMs milliseconds since 1970
   */
  start(
    decks: readonly [readonly CardId[], readonly CardId[]],
    seed: string,
    timeMs: number,
  ): State;
  /** Returns what a move makes, or why it is refused. A refused move changes nothing. */
  judge(state: State, move: Move, timeMs: number): readonly Happening[] | MoveRefusal;
  /** Applies one happening that `judge` has returned. */
  fold(state: State, happening: Happening, timeMs: number): State;
  /** Returns the result once the match is over. */
  result(state: State): Result | undefined;
  /** Returns the time of the deadline, from which `timeOut` is accepted; undefined without a deadline. */
  deadlineMs(state: State): number | undefined;
  /** @param viewer undefined for a spectator */
  view(state: State, viewer: Seat | undefined): TableView;
  /** Returns a happening as a viewer may see it now, without cards that are still hidden to them. */
  shown(state: State, happening: Happening, viewer: Seat | undefined): Happening;
}
