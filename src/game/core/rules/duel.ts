import type { CardId, Rarity } from "../../../protocol/cards.ts";
import { seededChance } from "./chance.ts";
import {
  type Happening,
  type Move,
  type MoveRefusal,
  other,
  type Rules,
  type Seat,
  seats,
} from "./rules.ts";
import {
  type Both,
  beats,
  cardKind,
  cardsView,
  changed,
  cleared,
  deal,
  drawn,
  forBoth,
  hasPlayed,
  laid,
  leader,
  type Side,
} from "./side.ts";

const life = 100;
/** Points to pay cards with: at the start of a match, and at most. */
const points = { first: 3, most: 10 } as const;
/** How long a player may think before a card is on the table. */
const turnMs = 20_000;
/** How long the other player may think about a counter. */
const windowMs = 5_000;
/** Two players that only pass would never end a match. */
const mostTurns = 100;

/** What a card costs. */
const costs: Readonly<Record<Rarity, number>> = { common: 1, uncommon: 2, rare: 3, legendary: 5 };

interface DuelSide extends Side {
  readonly life: number;
  readonly points: number;
}

/**
 * A turn is in one of three stages, which the cards on the table tell apart:
 *
 *     no card ── play ──► the card of `seat` ── counter ──► both cards ──► ROUND_END
 *        └── pass ──► ROUND_END     └── pass, timeOut ──► ROUND_END
 *
 * `judge` returns a counter and ROUND_END together, so the stage with both cards ends at once.
 */
export interface DuelState {
  /** From 1 on. */
  readonly turn: number;
  /** The player whose turn it is. */
  readonly seat: Seat;
  /** Milliseconds since 1970 at which the time of the turn or of the window is over. */
  readonly deadlineMs: number;
  readonly isOver: boolean;
  readonly sides: Both<DuelSide>;
}

/** The players take turns, play cards that cost points, and may counter the other one's card. */
export const duel: Rules<DuelState> = {
  start(decks, seed, timeMs) {
    const chance = seededChance(seed);
    const sides = forBoth(decks, (deck) => ({ ...deal(deck, chance), life, points: points.first }));
    const seat = chance(2) === 0 ? 0 : 1;
    return { turn: 1, seat, deadlineMs: timeMs + turnMs, isOver: false, sides };
  },

  judge(state, move, timeMs) {
    switch (move.type) {
      case "play":
        return playRefusal(state, move) ?? [played(move)];
      case "counter":
        return counterRefusal(state, move) ?? countered(state, move);
      case "pass":
        if (state.isOver || move.seat !== mover(state)) return "not_your_turn";
        return passed(state);
      case "timeOut":
        if (state.isOver || timeMs < state.deadlineMs) return "too_early";
        return late(state);
      default:
        move satisfies never;
        return "move_unknown";
    }
  },

  fold(state, happening, timeMs) {
    switch (happening.type) {
      case "CARD_PLAYED":
        return { ...paid(state, happening), deadlineMs: timeMs + windowMs };
      case "CARD_COUNTERED":
        return paid(state, happening);
      case "PASSED":
        return state;
      case "ROUND_END":
        return nextTurn(state, timeMs);
      default:
        happening satisfies never;
        return state;
    }
  },

  result({ isOver, sides }) {
    return isOver ? { winner: leader([sides[0].life, sides[1].life]) } : undefined;
  },

  deadlineMs: ({ isOver, deadlineMs }) => (isOver ? undefined : deadlineMs),

  view(state, viewer) {
    return {
      round: state.turn,
      turn: state.isOver ? [] : [mover(state)],
      deadlineMs: duel.deadlineMs(state),
      sides: forBoth(state.sides, (side, seat) => ({
        ...cardsView(side, seat === viewer),
        score: side.life,
        points: side.points,
        table: side.table[0],
      })),
    };
  },

  // All cards are played face-up.
  shown: (_state, happening) => happening,
};

type WithCard = Extract<Move, { card: CardId }>;

/** Returns the player whose move it is: the other one while a card is on the table. */
function mover({ seat, sides }: DuelState): Seat {
  return hasPlayed(sides[seat]) ? other(seat) : seat;
}

function playRefusal(state: DuelState, move: WithCard): MoveRefusal | undefined {
  if (state.isOver || move.seat !== state.seat) return "not_your_turn";
  if (hasPlayed(state.sides[move.seat])) return "already_played";
  return cardRefusal(state, move);
}

function counterRefusal(state: DuelState, move: WithCard): MoveRefusal | undefined {
  if (state.isOver || move.seat !== mover(state)) return "not_your_turn";
  const [attack] = state.sides[state.seat].table;
  // In their own turn, a player has nothing to counter.
  if (attack === undefined) return "move_unknown";
  if (hasPlayed(state.sides[move.seat])) return "already_played";
  const refusal = cardRefusal(state, move);
  if (refusal !== undefined) return refusal;
  return beats(move.card, attack) ? undefined : "card_does_not_beat";
}

/** Whether the player has the card, and can pay for it. */
function cardRefusal({ sides }: DuelState, { seat, card }: WithCard): MoveRefusal | undefined {
  const side = sides[seat];
  if (!side.hand.includes(card)) return "card_not_in_hand";
  return cost(card) > side.points ? "too_few_points" : undefined;
}

function cost(card: CardId): number {
  return costs[cardKind(card).rarity];
}

function played({ seat, card }: Omit<WithCard, "type">): Happening {
  return { type: "CARD_PLAYED", seat, card };
}

function countered(state: DuelState, { seat, card }: WithCard): readonly Happening[] {
  const counter: Happening = { type: "CARD_COUNTERED", seat, card };
  return [counter, turnEnd(paid(state, counter))];
}

function passed(state: DuelState): readonly Happening[] {
  return [{ type: "PASSED", seat: mover(state) }, turnEnd(state)];
}

/** The card on the table hits; without one, the cheapest card that can be paid is played. */
function late(state: DuelState): readonly Happening[] {
  const { seat, sides } = state;
  if (hasPlayed(sides[seat])) return [turnEnd(state)];
  const [card] = sides[seat].hand
    .filter((held) => cost(held) <= sides[seat].points)
    .toSorted((a, b) => cost(a) - cost(b) || cardKind(a).power - cardKind(b).power);
  return card === undefined ? passed(state) : [played({ seat, card })];
}

/** Moves a card to the table, and takes its cost. */
function paid(
  state: DuelState,
  { seat, card }: { readonly seat: Seat; readonly card: CardId },
): DuelState {
  const sides = changed(state.sides, seat, (side) => ({
    ...laid(side, card),
    points: side.points - cost(card),
  }));
  return { ...state, sides };
}

type TurnEnd = {
  readonly type: "ROUND_END";
  /** The number of the turn, and the player whose turn it was. */
  readonly round: number;
  readonly seat: Seat;
  readonly isCountered: boolean;
  /** What the card took from the other player's life; 0 if it was countered or none was played. */
  readonly damage: number;
  /** The lives after the turn, by seat. */
  readonly scores: Both<number>;
};

function turnEnd({ turn, seat, sides }: DuelState): TurnEnd {
  const [card] = sides[seat].table;
  const isCountered = hasPlayed(sides[other(seat)]);
  // A quarter of the power, so that a match lasts some turns; no card has less than 1.
  const damage = card === undefined || isCountered ? 0 : Math.ceil(cardKind(card).power / 4);
  const scores = forBoth(sides, (side, owner) =>
    owner === seat ? side.life : Math.max(0, side.life - damage),
  );
  return { type: "ROUND_END", round: turn, seat, isCountered, damage, scores };
}

function nextTurn(state: DuelState, timeMs: number): DuelState {
  const { scores } = turnEnd(state);
  const sides = forBoth(state.sides, (side, seat) => ({ ...cleared(side), life: scores[seat] }));
  const isOver =
    state.turn === mostTurns || sides.some((side) => side.life === 0) || sides.every(hasNoCards);
  if (isOver) return { ...state, isOver, sides };
  const turn = state.turn + 1;
  const seat = other(state.seat);
  // The hands and points that a player begins with are those of their first turn.
  const isFirst = turn <= seats.length;
  return {
    ...state,
    turn,
    seat,
    deadlineMs: timeMs + turnMs,
    sides: isFirst ? sides : changed(sides, seat, refreshed),
  };
}

function hasNoCards({ hand, deck }: DuelSide): boolean {
  return hand.length === 0 && deck.length === 0;
}

/** What a player gets at the start of a turn: a card and a point. */
function refreshed(side: DuelSide): DuelSide {
  return { ...drawn(side), points: Math.min(points.most, side.points + 1) };
}
