import type { CardId } from "../../../protocol/cards.ts";
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

/** How long a round may take. */
const roundMs = 30_000;
/** What a card gains if its attribute beats the other one's. */
const advantage = 20;

interface ClashSide extends Side {
  /** Rounds won. */
  readonly won: number;
}

export interface ClashState {
  /** From 1 on. */
  readonly round: number;
  /** How many rounds the match has. */
  readonly rounds: number;
  /** Milliseconds since 1970 at which the round's time is over. */
  readonly deadlineMs: number;
  readonly isOver: boolean;
  readonly sides: Both<ClashSide>;
}

/** Both players play one card face-down in each round, and the stronger card wins the round. */
export const clash: Rules<ClashState> = {
  start(decks, seed, timeMs) {
    const chance = seededChance(seed);
    return {
      round: 1,
      // The shorter deck is then used up exactly, and no player is without a card before the end.
      rounds: Math.min(decks[0].length, decks[1].length),
      deadlineMs: timeMs + roundMs,
      isOver: false,
      sides: forBoth(decks, (deck) => ({ ...deal(deck, chance), won: 0 })),
    };
  },

  judge(state, move, timeMs) {
    switch (move.type) {
      case "play":
        return playRefusal(state, move) ?? withRoundEnd(state, [played(move)]);
      case "timeOut":
        if (state.isOver || timeMs < state.deadlineMs) return "too_early";
        return withRoundEnd(state, latePlays(state));
      case "counter":
      case "pass":
        return "move_unknown";
      default:
        move satisfies never;
        return "move_unknown";
    }
  },

  fold(state, happening, timeMs) {
    switch (happening.type) {
      case "CARD_PLAYED": {
        const { seat, card } = happening;
        return { ...state, sides: changed(state.sides, seat, (side) => laid(side, card)) };
      }
      case "ROUND_END":
        return nextRound(state, timeMs);
      case "CARD_COUNTERED":
      case "PASSED":
        return state;
      default:
        happening satisfies never;
        return state;
    }
  },

  result({ isOver, sides }) {
    return isOver ? { winner: leader([sides[0].won, sides[1].won]) } : undefined;
  },

  deadlineMs: ({ isOver, deadlineMs }) => (isOver ? undefined : deadlineMs),

  view(state, viewer) {
    const isDecided = state.sides.every(hasPlayed);
    return {
      round: state.round,
      turn: state.isOver ? [] : seats.filter((seat) => !hasPlayed(state.sides[seat])),
      deadlineMs: clash.deadlineMs(state),
      sides: forBoth(state.sides, (side, seat) => ({
        ...cardsView(side, seat === viewer),
        score: side.won,
        table: hasPlayed(side) && !isDecided && seat !== viewer ? "hidden" : side.table[0],
      })),
    };
  },

  shown({ sides }, happening, viewer) {
    if (happening.type !== "CARD_PLAYED" || happening.seat === viewer) return happening;
    const { seat, card } = happening;
    const { table, discard } = sides[seat];
    // A card may be shown only if it is known to lie open, so a state of the wrong time hides more.
    const isOpen =
      discard.includes(card) || (table.includes(card) && hasPlayed(sides[other(seat)]));
    return isOpen ? happening : { ...happening, card: "hidden" };
  },
};

type Play = Extract<Move, { type: "play" }>;

function played({ seat, card }: Omit<Play, "type">): Happening {
  return { type: "CARD_PLAYED", seat, card };
}

function playRefusal({ isOver, sides }: ClashState, { seat, card }: Play): MoveRefusal | undefined {
  if (isOver) return "not_your_turn";
  if (hasPlayed(sides[seat])) return "already_played";
  return sides[seat].hand.includes(card) ? undefined : "card_not_in_hand";
}

/** A player that has not played in time plays their weakest card. */
function latePlays({ sides }: ClashState): Happening[] {
  return seats
    .filter((seat) => !hasPlayed(sides[seat]))
    .flatMap((seat) => {
      const [card] = sides[seat].hand.toSorted((a, b) => cardKind(a).power - cardKind(b).power);
      return card === undefined ? [] : [played({ seat, card })];
    });
}

type RoundEnd = {
  readonly type: "ROUND_END";
  readonly round: number;
  /** By seat. A viewer that got `hidden` instead of a card learns the card from here. */
  readonly cards: Both<CardId>;
  /** By seat. */
  readonly strengths: Both<number>;
  /** Absent if nobody has won the round. */
  readonly winner?: Seat;
  /** Rounds won, this round included, by seat. */
  readonly scores: Both<number>;
};

/** Adds the end of the round if both have played. */
function withRoundEnd(state: ClashState, plays: readonly Happening[]): readonly Happening[] {
  // Only a round's end depends on the time, so any time will do here.
  const after = plays.reduce((now, play) => clash.fold(now, play, 0), state);
  const end = roundEnd(after);
  return end === undefined ? plays : [...plays, end];
}

function roundEnd({ round, sides }: ClashState): RoundEnd | undefined {
  const [first] = sides[0].table;
  const [second] = sides[1].table;
  if (first === undefined || second === undefined) return undefined;
  const strengths = [strength(first, second), strength(second, first)] as const;
  const winner = leader(strengths);
  return {
    type: "ROUND_END",
    round,
    cards: [first, second],
    strengths,
    ...(winner !== undefined && { winner }),
    scores: forBoth(sides, ({ won }, seat) => won + (seat === winner ? 1 : 0)),
  };
}

function strength(card: CardId, opposed: CardId): number {
  return cardKind(card).power + (beats(card, opposed) ? advantage : 0);
}

function nextRound(state: ClashState, timeMs: number): ClashState {
  const end = roundEnd(state);
  if (end === undefined) return state;
  const sides = forBoth(state.sides, (side, seat) => ({
    ...drawn(cleared(side)),
    won: end.scores[seat],
  }));
  if (state.round === state.rounds) return { ...state, isOver: true, sides };
  return { ...state, round: state.round + 1, deadlineMs: timeMs + roundMs, sides };
}
