import { expect } from "vitest";
import { type Chance, seededChance, shuffled } from "../../src/game/core/rules/chance.ts";
import {
  type Happening,
  type Move,
  type MoveRefusal,
  moveRefusals,
  type Rules,
  type Seat,
  seats,
} from "../../src/game/core/rules/rules.ts";
import type { Both, Side } from "../../src/game/core/rules/side.ts";
import { type CardId, cardKinds } from "../../src/protocol/cards.ts";

/** What the states of all games have in common. */
interface Sided {
  readonly sides: Both<Side>;
}

/** What a game promises besides the interface. */
export interface Promised<State> {
  /** Whether a player's card on the table is still hidden from the other one. */
  isFaceDown(state: State, seat: Seat): boolean;
  /** The most moves that a match accepts. */
  mostMoves(decks: Both<readonly CardId[]>): number;
}

/** Returns a seed of a match, different for each number. */
export function seedOf(number: number): string {
  return number.toString(16).padStart(32, "0");
}

/** Returns two decks of 5 to 30 cards, which have no card in common. */
function randomDecks(chance: Chance): Both<CardId[]> {
  const cards = shuffled(
    cardKinds.map(({ kind }, at) => `${kind}-${1 + (at % 5)}`),
    chance,
  );
  const first = 5 + chance(26);
  return [cards.slice(0, first), cards.slice(first, first + 5 + chance(26))];
}

/** Plays a match with random moves, legal and illegal ones, and checks each step of it. */
export function playRandomMatch<State extends Sided>(
  rules: Rules<State>,
  promised: Promised<State>,
  seed: number,
): State {
  const chance = seededChance(seedOf(seed + 1_000_000));
  const decks = randomDecks(chance);
  let timeMs = 1_000;
  let state = frozen(rules.start(decks, seedOf(seed), timeMs));
  checkState(rules, promised, { state, decks, made: [] });

  const refused = new Set<MoveRefusal>();
  let accepted = 0;
  while (rules.result(state) === undefined) {
    timeMs += chance(1_000);
    const move = randomMove(state, chance);
    const deadlineMs = rules.deadlineMs(state) ?? Number.NaN;
    if (move.type === "timeOut" && chance(2) === 0) timeMs = Math.max(timeMs, deadlineMs);
    // A refused move changes nothing, because nobody can change a frozen state.
    const made = rules.judge(state, move, timeMs);
    if (typeof made === "string") {
      refused.add(made);
      continue;
    }
    accepted += 1;
    expect(accepted).toBeLessThanOrEqual(promised.mostMoves(decks));
    for (const [at, happening] of made.entries()) {
      const copy = rules.fold(jsonCopy(state), jsonCopy(happening), timeMs);
      state = frozen(rules.fold(state, happening, timeMs));
      expect(JSON.stringify(copy)).toBe(JSON.stringify(state));
      checkState(rules, promised, { state, decks, made: made.slice(0, at + 1) });
    }
  }

  expect(moveRefusals).toEqual(expect.arrayContaining([...refused]));
  expect(rules.deadlineMs(state)).toBeUndefined();
  for (const move of allMoves(state))
    expect(rules.judge(state, move, Infinity)).toBeTypeOf("string");
  return state;
}

interface Step<State> {
  readonly state: State;
  readonly decks: Both<readonly CardId[]>;
  readonly made: readonly Happening[];
}

function checkState<State extends Sided>(
  rules: Rules<State>,
  promised: Promised<State>,
  { state, decks, made }: Step<State>,
): void {
  for (const seat of seats) {
    const { hand, deck, table, discard } = state.sides[seat];
    expect([...hand, ...deck, ...table, ...discard].sort()).toEqual([...decks[seat]].sort());
  }
  for (const viewer of [...seats, undefined]) {
    const seen = JSON.stringify([
      rules.view(state, viewer),
      made.map((happening) => rules.shown(state, happening, viewer)),
    ]);
    const leaked = seats
      .flatMap((seat) => hiddenCards(promised, state, { seat, viewer }))
      .filter((card) => seen.includes(`"${card}"`));
    expect(leaked, `seen by ${viewer}`).toEqual([]);
    if (viewer !== undefined) {
      expect(rules.view(state, viewer).sides[viewer].hand).toEqual(state.sides[viewer].hand);
    }
  }
}

/** Returns the cards of a seat that a viewer must not see; nobody sees their own deck. */
function hiddenCards<State extends Sided>(
  promised: Promised<State>,
  state: State,
  { seat, viewer }: { readonly seat: Seat; readonly viewer: Seat | undefined },
): readonly CardId[] {
  const { hand, deck, table } = state.sides[seat];
  if (seat === viewer) return deck;
  return [...deck, ...hand, ...(promised.isFaceDown(state, seat) ? table : [])];
}

/** Returns moves with cards from everywhere in the match, and with cards that do not exist. */
function allMoves({ sides }: Sided): Move[] {
  const cards = sides.flatMap(({ hand, deck, table, discard }) => [
    ...[...hand, ...table],
    ...[...deck.slice(0, 1), ...discard.slice(0, 1)],
  ]);
  return [
    { type: "timeOut" },
    ...seats.flatMap((seat): Move[] => [
      { type: "pass", seat },
      ...[...cards, "no-card", ""].flatMap((card): Move[] => [
        { type: "play", seat, card },
        { type: "counter", seat, card },
      ]),
    ]),
  ];
}

function randomMove(state: Sided, chance: Chance): Move {
  const moves = allMoves(state);
  // Without this, most matches would hardly ever see time run out, or a player pass.
  if (chance(12) === 0) return { type: "timeOut" };
  if (chance(12) === 0) return { type: "pass", seat: chance(2) === 0 ? 0 : 1 };
  return moves[chance(moves.length)] as Move;
}

function jsonCopy<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}

/** Freezes a value and all that it contains, so that a change in place throws. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
