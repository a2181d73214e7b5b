import { expect, test } from "vitest";
import { duel } from "../../../src/game/core/rules/duel.ts";
import {
  actionWith,
  afterOf,
  canPass,
  cardOfKey,
  type DuelModel,
  laidBy,
  looked,
  mustEnter,
  nearSeat,
  nothingPlayed,
  outcomeOf,
  secondsLeft,
  secondsWaited,
  viewOf,
} from "../../../src/gateway/web/core/duel-model.ts";
import type { MatchView, Seat, TableView } from "../../../src/protocol/game-view.ts";
import type { MatchId } from "../../../src/protocol/matches.ts";
import { anasLook, anasView, shownEvent } from "../../support/shown-match.ts";

const preferences = { language: "en", theme: "system", notifies: false } as const;
const nothing = nothingPlayed({ preferences, of: undefined, nowMs: 0 });
const table = anasView.table as TableView;
const [near, far] = table.sides;

const after = (model: DuelModel, ...looks: Parameters<typeof anasLook>[]) =>
  looks.reduce(
    (now, [eventSeq, changed]) =>
      looked(now, { look: anasLook(eventSeq, changed), timeMs: 5_000 }, 1_000),
    model,
  );

/** Ana's view in which bia's card lies on the table. */
const attacked: MatchView = {
  ...anasView,
  table: { ...table, turn: [0], sides: [near, { ...far, table: "warrior-common-1" }] },
};

test("[G58] events of one match are joined without a double, and those of the next match begin anew", () => {
  const model = after(nothing, [4], [5], [5], [6]);
  expect(model.events.map(({ eventSeq }) => eventSeq)).toEqual([4, 5, 6]);
  expect(afterOf(model)).toEqual({ match: anasView.match, eventSeq: 6 });
  const next = after(model, [1, { match: "f".repeat(16) as MatchId }]);
  expect(next.events.map(({ eventSeq }) => eventSeq)).toEqual([1]);
});

test("[G58] the countdown is that of the servers' clocks, whatever this device's clock says", () => {
  // The gateway said 5 s when this device's clock said 1 s, and the deadline is at 20 s.
  const model = after(nothing, [4]);
  expect(secondsLeft(model)).toBe(15);
  expect(secondsLeft({ ...model, nowMs: 15_500 })).toBe(1);
  expect(secondsLeft({ ...model, nowMs: 99_000 })).toBe(0);
  const isChoosing = after(nothing, [1, { table: undefined, prepareUntilMs: 65_000 }]);
  expect(secondsLeft(isChoosing)).toBe(60);
  expect(secondsLeft(after(nothing, [9, { over: { winner: 0 } }]))).toBeUndefined();
});

test("[G58] the result stays on the page when the match is gone, until the person wants the next one", () => {
  const over = after(nothing, [9, { over: { winner: 0 } }]);
  const idle = { look: { phase: "idle" }, timeMs: 0 } as const;
  expect(outcomeOf(viewOf(looked(over, idle, 0)) as MatchView)).toBe("won");
  const next = looked({ ...over, wants: "duel" }, idle, 0);
  expect(viewOf(next)).toBeUndefined();
  expect(mustEnter(next)).toBe(true);
  expect(mustEnter(after(next, [0, { match: "f".repeat(16) as MatchId }]))).toBe(false);
});

test("[G58] a match ends for each viewer in their own way", () => {
  const over = (changed: Partial<MatchView>) => outcomeOf({ ...anasView, ...changed });
  expect(over({})).toBeUndefined();
  expect(over({ over: { winner: 1 } })).toBe("beaten");
  expect(over({ over: {} })).toBe("draw");
  expect(over({ over: { isVoid: true } })).toBe("void");
  expect(over({ over: { winner: 1 }, seat: undefined })).toBe("hasWon");
});

test("[G58] a card is played in the own turn if it can be paid, and counters only what it beats", () => {
  const card = (at: number) => near.hand?.[at] as string;
  expect(actionWith(anasView, card(0))).toEqual({ type: "play", card: card(0) });
  expect(actionWith(anasView, card(1))).toEqual({ type: "play", card: card(1) });
  // A legendary card costs 5 points, and ana has 3.
  expect(actionWith(anasView, card(2))).toBeUndefined();
  // Fire beats the plant of the warrior; the titan is of fire too, but costs too much.
  const acts = near.hand?.map((one) => actionWith(attacked, one)?.type);
  expect(acts).toEqual(["counter", undefined, undefined]);
  expect(canPass(attacked)).toBe(true);
  const spectator = { ...anasView, seat: undefined };
  expect([actionWith(spectator, card(0)), canPass(spectator)]).toEqual([undefined, false]);
  expect(canPass({ ...anasView, rules: "clash" })).toBe(false);
});

test("[G58] what the page lets a player do, the rules of duel allow", () => {
  const deck = ["dragon", "wolf", "titan", "eagle", "mermaid"];
  const decks = [
    deck.map((name) => `${name}-rare-1`),
    deck.map((name) => `${name}-common-1`),
  ] as const;
  let state = duel.start(decks, "0".repeat(32), 0);
  for (let turn = 0; turn < 8 && duel.result(state) === undefined; turn += 1) {
    const [seat] = duel.view(state, undefined).turn as [Seat];
    const view: MatchView = { ...anasView, seat, table: duel.view(state, seat) };
    for (const card of view.table?.sides[seat].hand ?? []) {
      const type = view.table?.sides.some((side) => side.table) ? "counter" : "play";
      const isTaken = Array.isArray(duel.judge(state, { type, seat, card }, 0));
      expect(actionWith(view, card)).toEqual(isTaken ? { type, card } : undefined);
    }
    const [card] = view.table?.sides[seat].hand?.filter((one) => actionWith(view, one)) ?? [];
    const move = card === undefined ? { type: "pass" as const, seat } : undefined;
    const act = move ?? {
      ...(actionWith(view, card ?? "") as { type: "play"; card: string }),
      seat,
    };
    const made = duel.judge(state, act, 0);
    expect(Array.isArray(made)).toBe(true);
    if (typeof made !== "string") state = made.reduce((now, one) => duel.fold(now, one, 0), state);
  }
});

test("[G58] the keys 1 to 9 stand for the cards of the hand, and for nothing else", () => {
  expect(cardOfKey(anasView, "2")).toBe(near.hand?.[1]);
  for (const key of ["0", "4", "12", "a", "Enter"])
    expect(cardOfKey(anasView, key)).toBeUndefined();
  expect(cardOfKey({ ...anasView, seat: undefined }, "1")).toBeUndefined();
});

test("[G58] the cards of a round stay in sight until the next card is played", () => {
  const round = [
    shownEvent(5, "CARD_PLAYED", { seat: 0, card: "wolf-rare-1" }),
    shownEvent(6, "CARD_COUNTERED", { seat: 1, card: "lion-rare-1" }),
    shownEvent(7, "ROUND_END", { seat: 0, isCountered: true }),
  ];
  expect(laidBy(anasView, round, 0)).toEqual({ card: "wolf-rare-1", isPast: true });
  expect(laidBy(anasView, round, 1)).toEqual({ card: "lion-rare-1", isPast: true });
  expect(laidBy(attacked, round, 1)).toEqual({ card: "warrior-common-1", isPast: false });
  expect(laidBy(attacked, round, 0)).toEqual({ card: undefined, isPast: false });
  // In clash, the end of the round tells the card that was hidden before.
  const clash = [
    shownEvent(5, "CARD_PLAYED", { seat: 1, card: "hidden" }),
    shownEvent(6, "ROUND_END", { cards: ["wolf-rare-1", "lion-rare-1"] }),
  ];
  expect(laidBy(anasView, clash, 1)).toEqual({ card: "lion-rare-1", isPast: true });
  expect(laidBy(anasView, [], 1)).toEqual({ card: undefined, isPast: true });
});

test("[G58] a player sees their own side below, and a spectator the side of the watched user", () => {
  expect(nearSeat({ ...anasView, seat: 1 }, undefined)).toBe(1);
  const spectator = { ...anasView, seat: undefined };
  expect([nearSeat(spectator, "bia"), nearSeat(spectator, "ana")]).toEqual([1, 0]);
});

test("[G58] the time of waiting goes on between two looks", () => {
  const look = { phase: "waiting", rules: "clash", waitedMs: 2_500 } as const;
  const model = looked(nothing, { look, timeMs: 0 }, 1_000);
  expect(secondsWaited({ ...model, nowMs: 3_000 })).toBe(4);
});
