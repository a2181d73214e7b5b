import { describe, expect, test } from "vitest";
import { type ClashState, clash } from "../../../../src/game/core/rules/clash.ts";
import type { Move, Seat } from "../../../../src/game/core/rules/rules.ts";
import type { CardId } from "../../../../src/protocol/cards.ts";
import { played, playedByTime, smallDeck } from "../../../support/played-moves.ts";
import { playRandomMatch, seedOf } from "../../../support/random-match.ts";

// Fire, powers 1, 13 and 29; plant, 22 and 4; water, 44.
const [dragon, knight, paladin] = [
  "dragon-common-1",
  "knight-common-1",
  "paladin-common-1",
] as const;
const [warrior, mermaid] = ["warrior-common-2", "mermaid-common-2"] as const;
const mage = "mage-common-2";

const startMs = 1_000;
const deadlineMs = startMs + 30_000;

/** A match in its first round, with these hands and no decks. */
function matchOf(first: readonly CardId[], second: readonly CardId[]): ClashState {
  const none = { deck: [], table: [], discard: [], won: 0 };
  const rounds = Math.min(first.length, second.length);
  return {
    round: 1,
    rounds,
    deadlineMs,
    isOver: false,
    sides: [
      { hand: first, ...none },
      { hand: second, ...none },
    ],
  };
}

function play(seat: Seat, card: CardId): { move: Move; timeMs: number } {
  return { move: { type: "play", seat, card }, timeMs: startMs };
}

/** The end of a round in which both play their cards. */
function roundEnd(first: CardId, second: CardId): unknown {
  const { state } = played(clash, matchOf([first], [second]), play(0, first));
  return played(clash, state, play(1, second)).made.at(-1);
}

describe("the start of a clash", () => {
  const decks = [smallDeck(1), [...smallDeck(2), "wolf-common-1", "lion-rare-1"]] as const;

  test("both players have five cards in hand, and the match as many rounds as the shorter deck has cards", () => {
    const state = clash.start(decks, seedOf(1), startMs);
    expect(state.rounds).toBe(5);
    expect(clash.view(state, 1)).toMatchObject({
      round: 1,
      turn: [0, 1],
      deadlineMs,
      sides: [
        { handSize: 5, deckSize: 0, score: 0 },
        { handSize: 5, deckSize: 2, score: 0 },
      ],
    });
  });

  test("equal seeds deal equally, and different seeds differently", () => {
    const [one, same, another] = [1, 1, 2].map((seed) => clash.start(decks, seedOf(seed), startMs));
    expect(same).toEqual(one);
    expect(another).not.toEqual(one);
  });

  test("a deck with an unknown card is an error", () => {
    const wrong = [smallDeck(1), ["unicorn-rare-1"]] as const;
    expect(() => clash.start(wrong, seedOf(1), startMs)).toThrow('no card "unicorn-rare-1"');
  });
});

describe("a round of a clash", () => {
  test("the round is decided once both players have played, in either order", () => {
    const first = played(clash, matchOf([dragon], [warrior]), play(1, warrior));
    expect(first.made).toEqual([{ type: "CARD_PLAYED", seat: 1, card: warrior }]);
    expect(played(clash, first.state, play(0, dragon)).made).toEqual([
      { type: "CARD_PLAYED", seat: 0, card: dragon },
      {
        ...{ type: "ROUND_END", round: 1, cards: [dragon, warrior] },
        ...{ strengths: [21, 22], winner: 1, scores: [0, 1] },
      },
    ]);
  });

  test("a card gains 20 if its attribute beats the other card's", () => {
    expect(roundEnd(knight, warrior)).toMatchObject({ strengths: [33, 22], winner: 0 });
    expect(roundEnd(paladin, mage)).toMatchObject({ strengths: [29, 64], winner: 1 });
    expect(roundEnd(mage, mermaid)).toMatchObject({ strengths: [44, 24], winner: 0 });
    expect(roundEnd(dragon, paladin)).toMatchObject({ strengths: [1, 29], winner: 1 });
  });

  test("nobody wins a round of equal strengths", () => {
    const end = roundEnd(dragon, "dragon-common-2");
    expect(end).toMatchObject({ strengths: [1, 1], scores: [0, 0] });
    expect(end).not.toHaveProperty("winner");
  });

  test("after the round each player draws a card, and a new round of 30 s begins", () => {
    const state = clash.start(
      [
        [...smallDeck(1), "wolf-common-1"],
        [...smallDeck(2), "wolf-common-2"],
      ],
      seedOf(1),
      startMs,
    );
    const after = played(clash, state, { move: { type: "timeOut" }, timeMs: deadlineMs + 7 });
    expect(clash.view(after.state, undefined)).toMatchObject({
      round: 2,
      turn: [0, 1],
      deadlineMs: deadlineMs + 7 + 30_000,
      sides: [
        { handSize: 5, deckSize: 0 },
        { handSize: 5, deckSize: 0 },
      ],
    });
  });
});

describe("a card that lies face-down", () => {
  const { state, made } = played(
    clash,
    matchOf([dragon, knight], [warrior, mage]),
    play(0, dragon),
  );

  test("only its player sees it", () => {
    expect(clash.view(state, 0).sides[0].table).toBe(dragon);
    expect(clash.view(state, 1).sides[0].table).toBe("hidden");
    expect(clash.view(state, undefined).sides[0].table).toBe("hidden");
    for (const happening of made) {
      expect(clash.shown(state, happening, 0)).toEqual(happening);
      expect(clash.shown(state, happening, 1)).toEqual({ ...happening, card: "hidden" });
      expect(clash.shown(state, happening, undefined)).toEqual({ ...happening, card: "hidden" });
    }
  });

  test("everybody sees it after the round", () => {
    const after = played(clash, state, play(1, mage));
    for (const happening of [...made, ...after.made]) {
      expect(clash.shown(after.state, happening, undefined)).toEqual(happening);
    }
  });

  test("it is hidden also by a state in which it is still in hand", () => {
    const [happening] = made;
    if (happening === undefined) throw new Error("The move has made nothing.");
    const earlier = matchOf([dragon, knight], [warrior, mage]);
    expect(clash.shown(earlier, happening, 1)).toMatchObject({ card: "hidden" });
  });

  test("the view tells whose card is missing", () => {
    expect(clash.view(state, undefined).turn).toEqual([1]);
  });
});

describe("the time of a round", () => {
  const timeOut: Move = { type: "timeOut" };

  test("before the deadline, nobody can end the round", () => {
    expect(clash.judge(matchOf([dragon], [mage]), timeOut, deadlineMs - 1)).toBe("too_early");
  });

  test("at the deadline, each player that has not played plays their weakest card", () => {
    const state = matchOf([paladin, dragon, knight], [warrior, mermaid, mage]);
    expect(played(clash, state, { move: timeOut, timeMs: deadlineMs }).made).toMatchObject([
      { type: "CARD_PLAYED", seat: 0, card: dragon },
      { type: "CARD_PLAYED", seat: 1, card: mermaid },
      { type: "ROUND_END", strengths: [21, 4] },
    ]);
  });

  test("at the deadline, a card that was played counts", () => {
    const { state } = played(
      clash,
      matchOf([paladin, dragon], [warrior, mermaid]),
      play(0, paladin),
    );
    expect(played(clash, state, { move: timeOut, timeMs: deadlineMs }).made).toMatchObject([
      { type: "CARD_PLAYED", seat: 1, card: mermaid },
      { type: "ROUND_END", cards: [paladin, mermaid] },
    ]);
  });

  test("a round that lost only its end gets it at the deadline", () => {
    let state = matchOf([dragon], [mage]);
    state = clash.fold(state, { type: "CARD_PLAYED", seat: 0, card: dragon }, startMs);
    state = clash.fold(state, { type: "CARD_PLAYED", seat: 1, card: mage }, startMs);
    const { made } = played(clash, state, { move: timeOut, timeMs: deadlineMs });
    expect(made).toMatchObject([{ type: "ROUND_END", round: 1, winner: 1 }]);
  });
});

describe("a move that a clash refuses", () => {
  const begun = played(clash, matchOf([dragon, knight], [mage, mermaid]), play(0, dragon)).state;

  test.each<[string, Move]>([
    ["already_played", { type: "play", seat: 0, card: knight }],
    ["card_not_in_hand", { type: "play", seat: 1, card: warrior }],
    ["card_not_in_hand", { type: "play", seat: 1, card: dragon }],
    ["move_unknown", { type: "counter", seat: 1, card: mage }],
    ["move_unknown", { type: "pass", seat: 1 }],
    ["too_early", { type: "timeOut" }],
  ])("the refusal is %s for %j", (refusal, move) => {
    expect(clash.judge(begun, move, startMs)).toBe(refusal);
  });

  test("after the end, nobody can play, and no time runs out", () => {
    const over = playedByTime(clash, matchOf([dragon], [mage]));
    expect(clash.judge(over, { type: "play", seat: 0, card: dragon }, startMs)).toBe(
      "not_your_turn",
    );
    expect(clash.judge(over, { type: "timeOut" }, Infinity)).toBe("too_early");
    expect(clash.view(over, undefined)).toMatchObject({ round: 1, turn: [] });
  });
});

describe("the end of a clash", () => {
  test("the player that has won more rounds wins", () => {
    expect(clash.result(matchOf([dragon], [mage]))).toBeUndefined();
    const over = playedByTime(clash, matchOf([dragon], [mage]));
    expect(clash.result(over)).toEqual({ winner: 1 });
  });

  test("equally many rounds are a draw", () => {
    // Dragon (1 + 20) beats mermaid (4), and mage (44 + 20) beats paladin (29).
    const over = playedByTime(clash, matchOf([dragon, paladin], [mermaid, mage]));
    expect(over.sides.map(({ won }) => won)).toEqual([1, 1]);
    expect(clash.result(over)).toEqual({ winner: undefined });
  });
});

test("a clash that was saved as JSON in its middle goes on equally", () => {
  const decks = [smallDeck(1), smallDeck(2)] as const;
  const middle = played(clash, clash.start(decks, seedOf(5), startMs), {
    ...{ move: { type: "timeOut" }, timeMs: deadlineMs },
  }).state;
  const saved = JSON.parse(JSON.stringify(middle)) as ClashState;
  expect(saved).toStrictEqual(middle);
  expect(playedByTime(clash, saved)).toStrictEqual(playedByTime(clash, middle));
});

test("a clash of random moves ends, keeps all cards, hides what is hidden, and is equal on two servers", () => {
  const winners = new Set<Seat | undefined>();
  for (let seed = 0; seed < 60; seed += 1) {
    const over = playRandomMatch(clash, promised, seed);
    winners.add(clash.result(over)?.winner);
  }
  expect(winners).toEqual(new Set([0, 1, undefined]));
});

const promised = {
  isFaceDown: ({ sides }: ClashState, seat: Seat) => sides[seat === 0 ? 1 : 0].table.length === 0,
  mostMoves: ([first, second]: readonly [readonly CardId[], readonly CardId[]]) =>
    2 * Math.min(first.length, second.length),
};
