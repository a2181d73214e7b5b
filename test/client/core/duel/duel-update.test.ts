import { expect, test } from "vitest";
import { cardCosts } from "../../../../src/client/core/duel/duel-cards.ts";
import { duel } from "../../../../src/game/core/rules/duel.ts";
import { type CardId, rarities } from "../../../../src/protocol/cards.ts";
import type { Look } from "../../../../src/protocol/game-requests.ts";
import { DuelScene, firstMs, match, PlayedMatch } from "./duel-scene.ts";

const idle: Look = { phase: "idle" };
const waiting: Look = { phase: "waiting", rules: "duel", waitedMs: 0 };
const enter = (rules: "clash" | "duel") => ({ type: "enter", rules });
const act = (action: object) => ({ type: "act", match, action });
const control = (letter: string) => String.fromCharCode(letter.charCodeAt(0) - 0x60);

/** Ana's move in duel, with the hand phoenix, warrior, dragon, angel, tiger. */
function anasTurn(): DuelScene {
  const played = new PlayedMatch("duel").start().act({ type: "pass", seat: 1 });
  return new DuelScene().sees(played);
}

/** Bia attacks with a card, and ana may counter it. */
function attackedBy(card: CardId): DuelScene {
  const played = new PlayedMatch("duel").start().act({ type: "play", seat: 1, card });
  return new DuelScene().sees(played);
}

test("a player that sits in no match enters the queue, and enters it again at another server", () => {
  const scene = new DuelScene().looks(idle);
  expect(scene.done).toEqual([enter("duel")]);
  expect(scene.looks(waiting).done).toEqual([]);
  expect(scene.looks(idle).done).toEqual([enter("duel")]);
});

test("a player that sits in a match already comes back to it", () => {
  const scene = new DuelScene().sees(new PlayedMatch("clash").start());
  expect(scene.done).toEqual([]);
  expect(scene.screen).toContain("your move");
});

test("a match that was over before the person wanted one is not shown", () => {
  const over = new PlayedMatch("clash").start().act({ type: "giveUp", seat: 1 });
  const scene = new DuelScene().sees(over);
  expect(scene.done).toEqual([enter("duel")]);
  expect(scene.screen).not.toContain("You have won!");
});

test("a match that begins and ends between two looks is shown", () => {
  const over = new PlayedMatch("clash").start().act({ type: "giveUp", seat: 1 });
  expect(new DuelScene().looks(idle).looks(waiting).sees(over).screen).toContain("You have won!");
});

test("while the player waits, r changes the game, and Esc leaves the queue and then the screen", () => {
  const scene = new DuelScene().looks(waiting).types("r");
  expect(scene.done).toEqual([enter("clash")]);
  expect(scene.screen).toContain("Clash");
  expect(scene.types("\x1b").done).toEqual([{ type: "leave" }]);
  expect(scene.looks(idle).done).toEqual([]);
  expect(scene.types("\x1b").done).toEqual([{ type: "quit" }]);
  expect(scene.on({ type: "left" }).done).toEqual([{ type: "quit" }]);
});

test("a match that is found while the player leaves is shown, with a sentence about that", () => {
  const scene = new DuelScene().looks(waiting).types("q").sees(new PlayedMatch("duel"));
  expect(scene.screen).toContain("A match has just been found.");
});

test.each([
  ["\r", { type: "ready" }],
  ["1", { type: "ready", pack: "basic" }],
  ["2", { type: "ready", pack: "premium" }],
])("before the match, the key %j chooses cards by this action: %j", (key, action) => {
  const scene = new DuelScene().sees(new PlayedMatch("duel")).withShop(500);
  expect(scene.types(key).done).toEqual([act(action)]);
  // A second press, before the answer, does nothing.
  expect(scene.types(key).done).toEqual([]);
});

test.each([
  ["3", 5_000, "This pack is sold out"],
  ["2", 499, "You have too few coins"],
])("the key %s buys no pack with %i coins: %s", (key, coins, why) => {
  const scene = new DuelScene().sees(new PlayedMatch("duel")).withShop(coins);
  expect(scene.types(key).done).toEqual([]);
  expect(scene.screen).toContain(why);
});

test.each([
  ["2", "warrior-common-1"],
  ["\r", "phoenix-rare-1"],
  ["\x1b[B\x1b[B\r", "dragon-common-1"],
  ["\x1b[B\x1b[A\r", "phoenix-rare-1"],
  ["\x1b[A\x1b[F\r", "tiger-uncommon-1"],
])("in the player's turn, the keys %j play the card %s", (keys, card) => {
  expect(anasTurn().types(keys).done).toEqual([act({ type: "play", card })]);
});

test("p passes, and a digit without a card does nothing", () => {
  expect(anasTurn().types("9").done).toEqual([]);
  expect(anasTurn().types("p").done).toEqual([act({ type: "pass" })]);
});

test("a card that beats the attack counters it: by c, by its number, or by Enter", () => {
  // Dragon is fire, and water beats fire: tiger can be paid, and phoenix too.
  for (const [keys, card] of [
    ["c", "phoenix-rare-1"],
    ["5", "tiger-uncommon-1"],
    ["\r", "phoenix-rare-1"],
  ] as const) {
    const scene = attackedBy("dragon-common-2").types(keys);
    expect(scene.done, keys).toEqual([act({ type: "counter", card })]);
  }
});

test("c takes the first card that can counter if the chosen one can't", () => {
  const scene = attackedBy("dragon-common-2").types("\x1b[B").types("c");
  expect(scene.done).toEqual([act({ type: "counter", card: "phoenix-rare-1" })]);
});

test("a card that does not beat the attack counters nothing, and the screen says why", () => {
  const scene = attackedBy("dragon-common-2").types("2");
  expect(scene.done).toEqual([]);
  expect(scene.screen).toContain("Only a card whose attribute beats the played one counters it.");
  expect(attackedBy("dragon-common-2").types("p").done).toEqual([act({ type: "pass" })]);
});

test("while it is the other player's turn, no key plays a card", () => {
  const scene = new DuelScene().sees(new PlayedMatch("duel").start());
  expect(scene.types("1").done).toEqual([]);
  expect(scene.screen).toContain("It is not your turn.");
});

test("in clash a card is played once a round, and c and p do nothing", () => {
  const played = new PlayedMatch("clash").start();
  const scene = new DuelScene().sees(played);
  expect(scene.types("cp").done).toEqual([]);
  expect(scene.types("1").done).toEqual([act({ type: "play", card: "phoenix-rare-1" })]);
  scene.on({ type: "acted" }).sees(played.act({ type: "play", seat: 0, card: "phoenix-rare-1" }));
  expect(scene.types("1").done).toEqual([]);
  expect(scene.screen).toContain("You have already played in this round.");
});

test("g gives up only if it is pressed twice", () => {
  const scene = anasTurn().types("g");
  expect(scene.screen).toContain("Press g again to give up");
  expect(scene.types("1").done).toEqual([]);
  expect(scene.screen).not.toContain("Press g again");
  expect(scene.types("gg").done).toEqual([act({ type: "giveUp" })]);
});

test("during a match q leaves nothing, and Ctrl-C leaves the screen only if it is pressed twice", () => {
  const scene = anasTurn();
  expect(scene.types("q").done).toEqual([]);
  expect(scene.screen).toContain("A match is under way");
  expect(scene.types(control("c")).done).toEqual([]);
  expect(scene.types(control("c")).done).toEqual([{ type: "quit" }]);
  const slow = anasTurn().types(control("c"));
  slow.on({ type: "tick", nowMs: slow.model.nowMs + 4_000 });
  expect(slow.types(control("c")).done).toEqual([]);
});

test("after the match Enter looks for the next one, and q leaves", () => {
  const played = new PlayedMatch("duel").start();
  const scene = new DuelScene().sees(played).types("q");
  scene.sees(played.act({ type: "giveUp", seat: 1 }));
  expect(scene.screen).not.toContain("A match is under way");
  expect(scene.effects).toContainEqual({ type: "record", user: "ana", after: match });
  scene.effects.length = 0;
  expect(scene.types("\r").done).toEqual([enter("duel")]);
  expect(scene.on({ type: "entered", look: waiting, nowMs: firstMs }).screen).toContain("Looking");
  const left = new DuelScene().sees(new PlayedMatch("duel"));
  left.sees(new PlayedMatch("duel").act({ type: "giveUp", seat: 0 }));
  expect(left.types("q").done).toEqual([{ type: "quit" }]);
});

test("a late answer to `enter` does not hide a match that has begun", () => {
  const scene = anasTurn().on({ type: "entered", look: waiting, nowMs: firstMs });
  expect(scene.screen).toContain("your move");
});

test("a match that no game server knows any more does not count", () => {
  const scene = anasTurn().looks(idle);
  expect(scene.done).toEqual([]);
  expect(scene.screen).toContain("The match does not count.");
});

test("a refused action is told, and another one can be sent", () => {
  const scene = anasTurn().types("1");
  expect(scene.screen).toContain("sending …");
  scene.done.length = 0;
  scene.on({ type: "refused", why: "This card is not in your hand." });
  expect(scene.screen).toContain("This card is not in your hand.");
  expect(scene.types("2").done).toEqual([act({ type: "play", card: "warrior-common-1" })]);
});

test("a lost connection is told until it is back", () => {
  const scene = anasTurn().on({ type: "connection", isLost: true });
  expect(scene.screen).toContain("The connection was lost; trying again …");
  scene.on({ type: "connection", isLost: false });
  expect(scene.screen).toContain("Connected again.");
  const never = new DuelScene().on({ type: "connection", isLost: true });
  expect(never.screen).toContain("No game server answers at tcp://127.0.0.1:5561");
});

test("the countdown follows the game server's clock, even if this machine's clock is wrong", () => {
  const played = new PlayedMatch("duel").start();
  const aheadMs = 60_000;
  const scene = new DuelScene().looks(played.look(0), played.timeMs + aheadMs);
  played.act({ type: "pass", seat: 1 });
  scene.looks(played.look(0), played.timeMs + aheadMs + 100, true);
  scene.on({ type: "tick", nowMs: played.timeMs + aheadMs + 5_100 });
  expect(scene.screen).toContain("your move · 15 s");
});

test("the events of several looks are joined without a gap or a repetition", () => {
  const played = new PlayedMatch("duel").start();
  const scene = new DuelScene().sees(played);
  const look = played.act({ type: "pass", seat: 1 }).look(0);
  if (look.phase !== "match") throw new Error("there is no match");
  scene.looks({ ...look, events: look.events.slice(3) });
  const numbers = scene.model.seen?.events.map(({ eventSeq }) => eventSeq);
  expect(numbers).toEqual(look.events.map(({ eventSeq }) => eventSeq));
});

test("a spectator plays no card, and leaves by q", () => {
  const played = new PlayedMatch("clash").start();
  const scene = new DuelScene({ watched: "bia" }).looks(idle);
  expect(scene.done).toEqual([]);
  expect(scene.screen).toContain("bia sits in no match.");
  scene.sees(played, "spectator");
  expect(scene.types("1g\r").done).toEqual([]);
  expect(scene.types("q").done).toEqual([{ type: "quit" }]);
});

test("the costs that the screen shows are those of the rules", () => {
  for (const rarity of rarities) {
    const cost = cardCosts[rarity];
    const card = `dragon-${rarity}-1`;
    const side = { hand: [card], deck: [], table: [], discard: [], life: 100 };
    const playWith = (points: number) => {
      const sides = [
        { ...side, points },
        { ...side, points },
      ] as const;
      const state = { turn: 1, seat: 0, deadlineMs: 9, isOver: false, sides } as const;
      return duel.judge(state, { type: "play", seat: 0, card }, 1);
    };
    expect(playWith(cost - 1)).toBe("too_few_points");
    expect(playWith(cost)).not.toBe("too_few_points");
  }
});
