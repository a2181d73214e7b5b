import { expect, test } from "vitest";
import { duelView } from "../../../../src/client/core/duel/duel-view.ts";
import { lineCells } from "../../../../src/client/core/spans.ts";
import type { PlayerRecord } from "../../../../src/protocol/matches.ts";
import { DuelScene, match, PlayedMatch } from "./duel-scene.ts";

const record = (rating: number): PlayerRecord => ({ rating, won: 2, lost: 1, drawn: 0 });

function rated(scene: DuelScene): DuelScene {
  const one = { type: "record", after: undefined } as const;
  return scene
    .on({ ...one, user: "ana" as never, record: record(1_000) })
    .on({ ...one, user: "bia" as never, record: record(1_016) });
}

test("while the player waits, the screen counts the seconds", () => {
  const scene = new DuelScene({ rows: 6 });
  expect(scene.screen).toContain("Connecting to the game servers …");
  scene.looks({ phase: "waiting", rules: "duel", waitedMs: 12_000 });
  expect(scene.screen).toContain("Looking for somebody to play with … 12 s");
  scene.on({ type: "tick", nowMs: scene.model.nowMs + 3_000 });
  expect(scene.screen).toContain("… 15 s");
});

test("before a match the screen shows the ways to choose cards, with prices, stock and coins", () => {
  const scene = rated(new DuelScene({ rows: 20 }).sees(new PlayedMatch("duel")).withShop(500));
  expect(scene.screen).toMatchInlineSnapshot(`
    "
    Duel                                                                       120 s
    ana (rating 1000) against bia (rating 1016)
    ana is choosing …
    bia is choosing …

    Choose your cards
    You have 500 coins.
     Enter your deck or, without one, your 30 strongest cards
     1     buy the pack basic for 100 coins, and play with it: 4 × common, 1 ×
           uncommon
     2     buy the pack premium for 500 coins, and play with it: 2 × common, 3 ×
           rare
     3     buy the pack legendary for 1000 coins, and play with it: 2 × common, 2 ×
           rare, 1 × legendary (sold out)





    Enter, 1–3: choose · g: give up
    "
  `);
});

test("a table of duel shows life, points, the hand with costs, and what has happened", () => {
  const played = new PlayedMatch("duel").start();
  const warrior = "warrior-common-2";
  played.act({ type: "play", seat: 1, card: warrior });
  const scene = rated(new DuelScene().sees(played));
  expect(scene.screen).toMatchInlineSnapshot(`
    "
    Duel · turn 1                                              counter or pass · 5 s
    bia · life 100 · points 2 · hand 4 · deck 0 · rating 1016
      on the table: Warrior (common, plant, 22)
    │
    │
    │
    │
    │
    │
    │ ana plays against bia.
    │ ana plays with 5 cards.
    │ bia plays with 5 cards.
    │ The cards are dealt.
    │ bia plays Warrior (common, plant, 22).
    ana · life 100 · points 3 · deck 0 · rating 1000
      on the table: nothing
    Your hand                     power  cost
    ›1 Phoenix   rare      water     92     3
     2 Warrior   common    plant     22     1
     3 Dragon    common    fire       1     1
     4 Angel     common    fire      16     1
     5 Tiger     uncommon  water     51     2

    c: counter · p: pass · g: give up
    "
  `);
});

test("a table of clash shows the rounds won, and how the last round ended", () => {
  const played = new PlayedMatch("clash").start();
  played.act({ type: "play", seat: 0, card: "phoenix-rare-1" });
  played.act({ type: "play", seat: 1, card: "mage-rare-2" });
  expect(new DuelScene({ rows: 20 }).sees(played).screen).toMatchInlineSnapshot(`
    "
    Clash · round 2                                                 your move · 30 s
    bia · rounds won 0 · hand 4 · deck 0
      on the table: nothing
    │
    │ ana plays against bia.
    │ ana plays with 5 cards.
    │ bia plays with 5 cards.
    │ The cards are dealt.
    │ ana plays Phoenix (rare, water, 92).
    │ bia plays Mage (rare, water, 86).
    │ ana wins round 1: Phoenix (92) against Mage (86).
    ana · rounds won 1 · deck 0
      on the table: nothing
    Your hand                     power
    ›1 Warrior   common    plant     22
     2 Dragon    common    fire       1
     3 Angel     common    fire      16
     4 Tiger     uncommon  water     51

    1–9 or ↑↓ Enter: play · g: give up
    "
  `);
});

test("a table fits a terminal of 40 columns, in Portuguese too", () => {
  const played = new PlayedMatch("duel").start();
  const scene = rated(new DuelScene({ columns: 40, rows: 20, language: "pt-br" }).sees(played));
  expect(scene.screen).toMatchInlineSnapshot(`
    "
    Duelo · turno 1        vez de bia · 20 s
    bia · vida 100 · pontos 3 · mão 5
      na mesa: nada
    │
    │
    │
    │ ana joga contra bia.
    │ ana joga com 5 cartas.
    │ bia joga com 5 cartas.
    │ As cartas foram distribuídas.
    ana · vida 100 · pontos 3 · baralho 0
      na mesa: nada
    Sua mão                 poder, custo
    ›1 Fênix     rara      água    92  3
     2 Guerreiro comum     planta  22  1
     3 Dragão    comum     fogo     1  1
     4 Anjo      comum     fogo    16  1
     5 Tigre     incomum   água    51  2

    g: desistir
    "
  `);
});

test.each(["clash", "duel"] as const)(
  "no line is wider than the terminal, and no row is missing, at any size and stage of %s",
  (rules) => {
    const played = new PlayedMatch(rules);
    const stages = [played.look(0)];
    stages.push(played.start().look(0), played.look(undefined));
    stages.push(played.act({ type: "giveUp", seat: 1 }).look(0));
    for (const look of stages) {
      for (const columns of [3, 19, 20, 33, 40, 44, 80, 200]) {
        for (const rows of [1, 2, 5, 6, 7, 9, 12, 24, 60]) {
          const { model } = new DuelScene({ columns, rows }).looks(look).withShop(900);
          const { lines, cursor } = duelView(model);
          if (rows >= 6 && columns >= 20) expect(lines).toHaveLength(rows);
          expect(lines.length).toBeLessThanOrEqual(rows);
          expect(cursor.row).toBeLessThan(rows);
          for (const line of lines) expect(lineCells(line)).toBeLessThanOrEqual(columns);
        }
      }
    }
  },
);

test("the other player's hand, and a card that lies face down, are not shown", () => {
  const played = new PlayedMatch("clash").start();
  played.act({ type: "play", seat: 1, card: "phoenix-legendary-2" });
  for (const as of ["ana", "spectator"] as const) {
    const watched = as === "ana" ? undefined : "ana";
    const { screen } = new DuelScene({ watched }).sees(played, as);
    expect(screen).toContain("on the table: a card, face down");
    expect(screen).toContain("bia has put down a card.");
    expect(screen).not.toMatch(/legendary|Demon|Mage/);
    expect(screen.includes("Your hand")).toBe(as === "ana");
  }
});

test("a spectator sees both sides, and who moves", () => {
  const played = new PlayedMatch("duel").start();
  const { screen } = new DuelScene({ watched: "bia", rows: 16 }).sees(played, "spectator");
  expect(screen).toMatchInlineSnapshot(`
    "
    Duel · turn 1                                                   bia moves · 20 s
    ana · life 100 · points 3 · hand 5 · deck 0
      on the table: nothing
    │
    │
    │
    │
    │
    │ ana plays against bia.
    │ ana plays with 5 cards.
    │ bia plays with 5 cards.
    │ The cards are dealt.
    bia · life 100 · points 3 · hand 5 · deck 0
      on the table: nothing

    q: leave
    "
  `);
});

test("after the match the screen shows the result, and the change of the rating once it is known", () => {
  const played = new PlayedMatch("clash").start();
  const scene = rated(new DuelScene({ rows: 16 }).sees(played));
  scene.sees(played.act({ type: "giveUp", seat: 1 }));
  expect(scene.screen).toContain("Your new rating is being fetched …");
  scene.on({ type: "record", user: "ana" as never, record: record(1_016), after: match });
  expect(scene.screen).toMatchInlineSnapshot(`
    "
    Clash · round 1
    bia · rounds won 0 · hand 5 · deck 0 · rating 1016
      on the table: nothing
    │ ana plays with 5 cards.
    │ bia plays with 5 cards.
    │ The cards are dealt.
    │ bia gives up.
    │ ana has won the match.
    ana · rounds won 0 · deck 0 · rating 1000
      on the table: nothing

    You have won!
    Your rating: 1016 (+16)
    2 won, 1 lost, 0 drawn

    Enter: next match · q: leave
    "
  `);
  scene.looks({ phase: "idle" });
  expect(scene.screen).toContain("You have won!");
});

test("a failover, a player that is gone and a match that does not count are told in sentences", () => {
  const played = new PlayedMatch("duel").start();
  const term = { term: 1, host: "game_0a1b2c3d", shadow: "game_4e5f6a7b" } as never;
  const other = { term: 2, host: "game_4e5f6a7b" } as never;
  played.add({ type: "FAILOVER", data: { old: term, new: other } });
  played.act({ type: "giveUp", seat: 1, isGone: true });
  const { screen } = new DuelScene().looks({ phase: "idle" }).sees(played);
  expect(screen).toContain("A game server has failed: the match goes on at another server.");
  expect(screen).toContain("bia was away for too long.");
  const early = new PlayedMatch("duel").act({ type: "giveUp", seat: 1 });
  expect(new DuelScene().sees(new PlayedMatch("duel")).sees(early).screen).toContain(
    "The match does not count.",
  );
});

test("an event of a type that this program does not know is left out", () => {
  const look = new PlayedMatch("duel").start().look(0);
  if (look.phase !== "match") throw new Error("there is no match");
  const unknown = { eventSeq: 99, timestamp: 0, type: "SOMETHING_NEW", data: {} };
  const scene = new DuelScene().looks({ ...look, events: [...look.events, unknown] });
  expect(scene.screen).not.toContain("SOMETHING_NEW");
  expect(scene.screen).toContain("The cards are dealt.");
});

test("a name, a card and a pack with control characters can't change the terminal", () => {
  const look = new PlayedMatch("duel").look(0);
  if (look.phase !== "match") throw new Error("there is no match");
  const evil = "\x1b[2J";
  const data = { seat: 1, card: evil, pack: evil };
  const types = ["CARD_PLAYED", "PURCHASE_PACK", "CARD_COUNTERED"];
  const events = types.map((type, at) => ({ eventSeq: at, timestamp: 0, type, data }));
  const { screen } = new DuelScene().looks({ ...look, events });
  expect(screen).not.toContain("\x1b");
});
