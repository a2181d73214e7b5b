import { expect, test } from "vitest";
import type { Context } from "../../src/client/commands/context.ts";
import { Output } from "../../src/client/commands/output.ts";
import { DuelLines } from "../../src/client/terminal/duel-lines.ts";
import type { Games } from "../../src/client/terminal/match-feed.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import type { Look, PlayerAction } from "../../src/protocol/game-requests.ts";
import type { MatchId } from "../../src/protocol/matches.ts";
import { textsIn } from "../../src/texts/texts.ts";
import { decks, match, PlayedMatch } from "./core/duel/duel-scene.ts";

const idle: Look = { phase: "idle" };
const oldMatch = "00000000000000aa" as MatchId;

/** The port of line mode: ana's looks, one for each step of a match that the test decides. */
class ScriptedGames implements Games {
  readonly asked: string[] = [];
  readonly ids = new Set<string | undefined>();
  #look: Look;
  #told = 0;
  #version = 1;
  #wake: () => void = () => {};
  /** Errors that the next actions get. */
  readonly errors: ProtocolError[] = [];
  onEnter: () => void = () => {};
  onAct: (action: PlayerAction) => void = () => {};

  constructor(first: Look) {
    this.#look = first;
  }

  shows(look: Look): void {
    this.#look = look;
    this.#version += 1;
    this.#wake();
  }

  async enter(rules: string): Promise<Look> {
    this.asked.push(`enter ${rules}`);
    this.onEnter();
    return this.#look;
  }

  async leave(): Promise<Look> {
    this.asked.push("leave");
    return idle;
  }

  async act(_match: MatchId, action: PlayerAction, id?: string) {
    this.ids.add(id);
    const error = this.errors.shift();
    if (error !== undefined) throw error;
    this.asked.push(JSON.stringify(action));
    this.onAct(action);
    return { eventSeq: 1 };
  }

  async look(): Promise<Look> {
    while (this.#told === this.#version) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#told = this.#version;
    return this.#look;
  }
}

async function* typed(...lines: string[]): AsyncGenerator<string> {
  yield* lines;
}

/** Runs line mode until it ends. @returns what it writes */
async function linesOf(games: Games, lines: string[], watched?: string) {
  const written: string[] = [];
  const stream = { isTTY: false, write: (text: string) => written.push(text) };
  const host = { output: stream, errors: stream } as never;
  const output = new Output(host, { json: true, look: { hasColours: false, hasLinks: false } });
  const context = { output, text: textsIn("en") } as unknown as Context;
  const wishes = { rules: "clash", watched: watched as never } as const;
  const duel = new DuelLines({ context, games, ...wishes }, new AbortController());
  await duel.run(typed(...lines));
  return written.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("line mode enters the queue, acts by the lines, and ends when the match is over", async () => {
  const played = new PlayedMatch("clash");
  const games = new ScriptedGames(idle);
  games.onEnter = () => games.shows(played.look(0));
  games.onAct = (action) => {
    if (action.type === "ready") {
      played.act({ type: "ready", seat: 0, cards: decks[0] });
      played.act({ type: "ready", seat: 1, cards: decks[1] });
    } else played.act({ type: "giveUp", seat: 0 });
    games.shows(played.look(0));
  };
  const written = await linesOf(games, ["ready basic", "dance", "giveUp"]);
  expect(games.asked).toEqual([
    "enter clash",
    '{"type":"ready","pack":"basic"}',
    '{"type":"giveUp"}',
  ]);
  expect(written[0]).toEqual(idle);
  expect(written.at(-1)).toMatchObject({ phase: "match", view: { match, over: { winner: 1 } } });
  expect(written).toContainEqual({ acted: { eventSeq: 1 } });
  const wrong = { refused: { code: "bad_request", message: expect.stringContaining('"dance"') } };
  expect(written).toContainEqual(wrong);
});

test("a refused action is written with its code, and the next line is performed", async () => {
  const played = new PlayedMatch("clash");
  const games = new ScriptedGames(played.look(0));
  games.errors.push(new ProtocolError("deck_wrong", "Five cards at least."));
  games.onAct = () => games.shows(played.act({ type: "giveUp", seat: 0 }).look(0));
  const written = await linesOf(games, ["ready", "giveUp"]);
  const refused = { code: "deck_wrong", description: "Five cards at least." };
  expect(written).toContainEqual({ refused: expect.objectContaining(refused) });
});

test("an action that gets no answer is sent again with the same id", async () => {
  const played = new PlayedMatch("clash");
  const games = new ScriptedGames(played.look(0));
  games.errors.push(new ProtocolError("unavailable", "Nobody answers."));
  games.onAct = () => games.shows(played.act({ type: "giveUp", seat: 0 }).look(0));
  await linesOf(games, ["giveUp"]);
  expect(games.ids.size).toBe(1);
});

test("`leave` leaves the queue, and a match that was over before does not end the lines", async () => {
  const old = new PlayedMatch("clash", oldMatch).act({ type: "giveUp", seat: 0 });
  const games = new ScriptedGames(old.look(0));
  const written = await linesOf(games, ["leave"]);
  expect(games.asked).toContain("leave");
  expect(games.asked.filter((asked) => asked !== "leave")).toEqual(
    written.length === 0 ? [] : ["enter clash"],
  );
});

test("a spectator's lines end with the match, and ask for none", async () => {
  const played = new PlayedMatch("clash").start();
  const games = new ScriptedGames(idle);
  setImmediate(() => games.shows(played.act({ type: "giveUp", seat: 0 }).look(undefined)));
  const written = await linesOf(games, [], "bia");
  expect(games.asked).toEqual([]);
  expect(written).toHaveLength(2);
});
