import { describe, expect, test } from "vitest";
import { type DuelState, duel } from "../../../../src/game/core/rules/duel.ts";
import type { Move, Seat } from "../../../../src/game/core/rules/rules.ts";
import type { CardId } from "../../../../src/protocol/cards.ts";
import { played, playedByTime, smallDeck } from "../../../support/played-moves.ts";
import { playRandomMatch, seedOf } from "../../../support/random-match.ts";

/** Fire, power 29, costs 1: hits for 8. */
const paladin = "paladin-common-1";
/** Water, power 62, costs 2: beats fire. */
const phoenix = "phoenix-uncommon-2";
/** Plant, power 22, costs 1. */
const warrior = "warrior-common-2";
/** Water, power 116, costs 5. */
const legend = "phoenix-legendary-2";
/** Fire, power 112, costs 5: hits for 28. */
const dragon = "dragon-legendary-1";

const startMs = 1_000;
const turnEndMs = startMs + 20_000;

type Sides = DuelState["sides"];
type Change = Partial<Sides[0]>;

/** The first turn of a match, which is the first player's, with these sides. */
function matchOf([first, second]: readonly [Change, Change], change: Partial<DuelState> = {}) {
  const side = { hand: [], deck: [], table: [], discard: [], life: 100, points: 3 };
  const sides: Sides = [
    { ...side, ...first },
    { ...side, ...second },
  ];
  return { turn: 1, seat: 0, deadlineMs: turnEndMs, isOver: false, sides, ...change } as const;
}

function made(state: DuelState, move: Move, timeMs = startMs) {
  return played(duel, state, { move, timeMs }).made;
}

function stateAfter(state: DuelState, move: Move, timeMs = startMs): DuelState {
  return played(duel, state, { move, timeMs }).state;
}

const timeOut: Move = { type: "timeOut" };

function play(seat: Seat, card: CardId): Move {
  return { type: "play", seat, card };
}

function counter(seat: Seat, card: CardId): Move {
  return { type: "counter", seat, card };
}

function pass(seat: Seat): Move {
  return { type: "pass", seat };
}

const bothHands = [{ hand: [paladin] }, { hand: [phoenix, warrior, legend] }] as const;
const begun = matchOf(bothHands);
const inWindow = stateAfter(begun, play(0, paladin));

describe("the start of a duel", () => {
  const decks = [smallDeck(1), [...smallDeck(2), "wolf-common-1"]] as const;

  test("both players have five cards in hand, 100 lives and 3 points, and chance chooses the first player", () => {
    const view = duel.view(duel.start(decks, seedOf(1), startMs), undefined);
    expect(view).toMatchObject({
      ...{ round: 1, deadlineMs: turnEndMs },
      sides: [
        { handSize: 5, deckSize: 0, score: 100, points: 3 },
        { handSize: 5, deckSize: 1, score: 100, points: 3 },
      ],
    });
    const first = [1, 2, 3, 4, 5, 6, 7, 8].map(
      (seed) => duel.start(decks, seedOf(seed), startMs).seat,
    );
    expect(new Set(first)).toEqual(new Set([0, 1]));
  });

  test("a player sees their own hand only, and a spectator none", () => {
    const state = duel.start(decks, seedOf(1), startMs);
    const hands = ([0, 1, undefined] as const).map((viewer) =>
      duel.view(state, viewer).sides.map(({ hand }) => hand?.length),
    );
    expect(hands).toEqual([
      [5, undefined],
      [undefined, 5],
      [undefined, undefined],
    ]);
  });
});

describe("a card that is played in a duel", () => {
  test("it costs its points, and opens a window of 5 s for the other player", () => {
    expect(made(begun, play(0, paladin))).toEqual([
      { type: "CARD_PLAYED", seat: 0, card: paladin },
    ]);
    expect(duel.view(inWindow, undefined)).toMatchObject({
      ...{ round: 1, turn: [1], deadlineMs: startMs + 5_000 },
      sides: [{ points: 2, handSize: 0, table: paladin }, { points: 3 }],
    });
  });

  test("it hits for a quarter of its power, rounded up, when the other player passes", () => {
    expect(made(inWindow, pass(1))).toEqual([
      { type: "PASSED", seat: 1 },
      {
        ...{ type: "ROUND_END", round: 1, seat: 0 },
        ...{ isCountered: false, damage: 8, scores: [100, 92] },
      },
    ]);
  });

  test("it hits when the window's time is over", () => {
    expect(made(inWindow, timeOut, startMs + 5_000)).toMatchObject([
      { type: "ROUND_END", damage: 8, scores: [100, 92] },
    ]);
  });

  test("the weakest card hits for 1", () => {
    const state = stateAfter(
      matchOf([{ hand: ["dragon-common-1"] }, {}]),
      play(0, "dragon-common-1"),
    );
    expect(made(state, pass(1))).toMatchObject([{}, { damage: 1 }]);
  });

  test("a counter whose attribute beats it takes both cards away, and is paid", () => {
    expect(made(inWindow, counter(1, phoenix))).toEqual([
      { type: "CARD_COUNTERED", seat: 1, card: phoenix },
      {
        ...{ type: "ROUND_END", round: 1, seat: 0 },
        ...{ isCountered: true, damage: 0, scores: [100, 100] },
      },
    ]);
    const { sides, turn, seat } = stateAfter(inWindow, counter(1, phoenix));
    expect({ turn, seat }).toEqual({ turn: 2, seat: 1 });
    expect(sides).toMatchObject([
      { table: [], discard: [paladin], points: 2 },
      { table: [], discard: [phoenix], points: 1, hand: [warrior, legend] },
    ]);
  });

  test("a counter that lost only the end of its turn still takes the damage away", () => {
    const state = duel.fold(inWindow, { type: "CARD_COUNTERED", seat: 1, card: phoenix }, startMs);
    expect(duel.judge(state, counter(1, warrior), startMs)).toBe("already_played");
    expect(made(state, timeOut, startMs + 5_000)).toMatchObject([
      { type: "ROUND_END", isCountered: true, damage: 0 },
    ]);
  });
});

describe("a turn of a duel", () => {
  test("a pass ends it", () => {
    expect(made(begun, pass(0))).toMatchObject([
      { type: "PASSED", seat: 0 },
      { type: "ROUND_END", damage: 0, isCountered: false },
    ]);
    const next = stateAfter(begun, pass(0), 5_000);
    expect(duel.view(next, 0)).toMatchObject({ round: 2, turn: [1], deadlineMs: 25_000 });
  });

  test("a player draws a card and gets a point at the start of each turn but their first", () => {
    const decks = [{ deck: ["wolf-rare-1", "lion-rare-1"] }, { deck: ["wolf-rare-2"] }] as const;
    const second = stateAfter(matchOf(decks), pass(0));
    expect(second.sides).toMatchObject([{ points: 3 }, { points: 3, hand: [] }]);
    const third = stateAfter(second, pass(1));
    expect(third.sides).toMatchObject([{ points: 4, hand: ["wolf-rare-1"] }, { hand: [] }]);
    const fourth = stateAfter(third, pass(0));
    expect(fourth.sides).toMatchObject([{ points: 4 }, { points: 4, hand: ["wolf-rare-2"] }]);
  });

  test("a player has at most 10 points", () => {
    const rich = matchOf([{ hand: [paladin], points: 10 }, {}], { turn: 2, seat: 1 });
    expect(stateAfter(rich, pass(1)).sides[0].points).toBe(10);
  });

  test("at its deadline the cheapest card is played, of equally cheap ones the weakest, and its window opens", () => {
    const hand = [dragon, "lion-uncommon-1", paladin, "knight-common-1"];
    const state = matchOf([{ hand }, {}]);
    expect(duel.judge(state, timeOut, turnEndMs - 1)).toBe("too_early");
    expect(made(state, timeOut, turnEndMs)).toEqual([
      { type: "CARD_PLAYED", seat: 0, card: "knight-common-1" },
    ]);
    expect(duel.deadlineMs(stateAfter(state, timeOut, turnEndMs))).toBe(turnEndMs + 5_000);
  });

  test("at its deadline a player that can pay no card passes", () => {
    expect(made(matchOf([{ hand: [dragon] }, {}]), timeOut, turnEndMs)).toMatchObject([
      { type: "PASSED", seat: 0 },
      { type: "ROUND_END", damage: 0 },
    ]);
  });
});

describe("a move that a duel refuses", () => {
  test.each<[string, string, DuelState, Move]>([
    ["a play in the other's turn", "not_your_turn", begun, play(1, warrior)],
    ["a pass in the other's turn", "not_your_turn", begun, pass(1)],
    ["a card of the other player", "card_not_in_hand", begun, play(0, phoenix)],
    ["a counter in one's own turn", "move_unknown", begun, counter(0, paladin)],
    ["a counter without a window", "not_your_turn", begun, counter(1, phoenix)],
    ["a second play", "already_played", inWindow, play(0, paladin)],
    ["a pass after a play", "not_your_turn", inWindow, pass(0)],
    ["a play in the other's window", "not_your_turn", inWindow, play(1, warrior)],
    ["a counter of one's own card", "not_your_turn", inWindow, counter(0, paladin)],
    ["a counter with a card that is nowhere", "card_not_in_hand", inWindow, counter(1, "x")],
    ["a counter that does not beat the card", "card_does_not_beat", inWindow, counter(1, warrior)],
    ["a counter that is too dear", "too_few_points", inWindow, counter(1, legend)],
    [
      "a play that is too dear",
      "too_few_points",
      matchOf([{ hand: [dragon] }, {}]),
      play(0, dragon),
    ],
    ["an early end of the turn", "too_early", begun, timeOut],
    ["an early end of the window", "too_early", inWindow, timeOut],
  ])("%s is refused: %s", (...[, refusal, state, move]) => {
    expect(duel.judge(state, move, startMs)).toBe(refusal);
  });

  test("after the end, nobody can move, and no time runs out", () => {
    const over = matchOf(bothHands, { isOver: true });
    for (const move of [play(0, paladin), pass(0), counter(1, phoenix)]) {
      expect(duel.judge(over, move, startMs)).toBe("not_your_turn");
    }
    expect(duel.judge(over, timeOut, Infinity)).toBe("too_early");
    expect(duel.view(over, undefined)).toMatchObject({ turn: [] });
    expect(duel.deadlineMs(over)).toBeUndefined();
  });
});

describe("the end of a duel", () => {
  test("a player without life loses, and life does not fall below 0", () => {
    const state = matchOf([
      { hand: [dragon], points: 5 },
      { life: 20, hand: [warrior] },
    ]);
    const over = stateAfter(stateAfter(state, play(0, dragon)), pass(1));
    expect(over.sides[1].life).toBe(0);
    expect(duel.result(over)).toEqual({ winner: 0 });
  });

  test("the match ends once neither player has a card in hand or deck, after the last card's turn", () => {
    const state = stateAfter(
      matchOf([{ hand: [paladin], life: 50 }, { life: 40 }]),
      play(0, paladin),
    );
    expect(duel.result(state)).toBeUndefined();
    expect(duel.result(stateAfter(state, pass(1)))).toEqual({ winner: 0 });
  });

  test("a player without cards passes while the other player has some", () => {
    const state = stateAfter(matchOf([{}, { deck: [phoenix, warrior, legend] }]), pass(0));
    expect(duel.result(state)).toBeUndefined();
  });

  test("after 100 turns, more life wins, and equal lives are a draw", () => {
    const last = matchOf(
      [
        { hand: [paladin], life: 9 },
        { hand: [phoenix], life: 8 },
      ],
      { turn: 100 },
    );
    expect(duel.result(stateAfter(last, pass(0)))).toEqual({ winner: 0 });
    const equal = matchOf(bothHands, { turn: 100 });
    expect(duel.result(stateAfter(equal, pass(0)))).toEqual({ winner: undefined });
    expect(duel.result(stateAfter(matchOf(bothHands, { turn: 99 }), pass(0)))).toBeUndefined();
  });
});

test("a duel that was saved as JSON in an open window goes on equally", () => {
  const decks = [smallDeck(1), smallDeck(2)] as const;
  const middle = stateAfter(duel.start(decks, seedOf(5), startMs), timeOut, turnEndMs);
  expect(middle.sides[middle.seat].table).toHaveLength(1);
  const saved = JSON.parse(JSON.stringify(middle)) as DuelState;
  expect(saved).toStrictEqual(middle);
  expect(playedByTime(duel, saved)).toStrictEqual(playedByTime(duel, middle));
});

test("a duel of random moves ends, keeps all cards, hides what is hidden, and is equal on two servers", () => {
  const winners = new Set<Seat | undefined>();
  for (let seed = 0; seed < 60; seed += 1) {
    const over = playRandomMatch(duel, promised, seed);
    winners.add(duel.result(over)?.winner);
  }
  expect(winners).toContain(0);
  expect(winners).toContain(1);
});

// Each turn has a card or a pass, and an answer to it.
const promised = { isFaceDown: () => false, mostMoves: () => 200 };
