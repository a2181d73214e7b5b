import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { MatchEvent } from "../../src/game/core/match-event.ts";
import { MatchStore } from "../../src/game/match-store.ts";
import type { MatchId } from "../../src/protocol/matches.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const match = "0123456789abcdef" as MatchId;
const event = (eventSeq: number) => ({ eventSeq, type: "PASSED" }) as unknown as MatchEvent;

let place: TemporaryFolder;

beforeEach(async () => {
  place = await temporaryFolder();
});

afterEach(() => place[Symbol.asyncDispose]());

const path = () => join(place.path, "matches.jsonl");

async function open(): Promise<{ store: MatchStore; stored: Promise<number> }> {
  let onStored: (upTo: number) => void = () => {};
  const stored = new Promise<number>((resolve) => {
    onStored = resolve;
  });
  const onFailed = (reason: string) => {
    throw new Error(reason);
  };
  const store = await MatchStore.open({ folder: place.path, onStored, onFailed });
  return { store, stored };
}

/** Writes the first two events of a match. */
async function writeTwo(): Promise<void> {
  const { store, stored } = await open();
  store.store(1, { type: "replace", match, events: [event(0)] });
  store.store(2, { type: "append", match, events: [event(1)] });
  expect(await stored).toBe(2);
  await store.close();
}

test("a game server reads back what it has stored, and forgets what it was told to forget", async () => {
  await writeTwo();
  const { store, stored } = await open();
  expect(store.logs.get(match)).toEqual([event(0), event(1)]);
  store.store(1, { type: "forget", match });
  await stored;
  await store.close();
  expect((await open()).store.logs.size).toBe(0);
});

test("a line that a crash has cut is dropped, and what comes after it is written on a line of its own", async () => {
  await writeTwo();
  appendFileSync(path(), '{"type":"append","match":"0123');
  const { store, stored } = await open();
  expect(store.logs.get(match)).toEqual([event(0), event(1)]);
  store.store(1, { type: "append", match, events: [event(2)] });
  await stored;
  await store.close();
  expect((await open()).store.logs.get(match)).toHaveLength(3);
});

test.each(["first", "last"])(
  "a damaged %s line that no crash can have cut is told in one sentence, and nothing is lost",
  async (which) => {
    await writeTwo();
    const lines = readFileSync(path(), "utf8").trimEnd().split("\n");
    appendFileSync(path(), `${JSON.stringify({ type: "append", match, events: [event(2)] })}\n`);
    const whole = readFileSync(path(), "utf8");
    const at = which === "first" ? 0 : whole.trimEnd().lastIndexOf("\n") + 1;
    writeFileSync(path(), `${whole.slice(0, at)}#${whole.slice(at + 1)}`);
    const number = which === "first" ? 1 : lines.length + 1;
    await expect(open()).rejects.toThrow(`${path()} is damaged at line ${number}: move it away.`);
  },
);

test.each([
  ["read", "", "check its owner and mode"],
  ["written", ".tmp", "illegal operation on a directory"],
])(
  "a game server whose file can't be %s ends with a sentence that names it",
  async (what, suffix, why) => {
    mkdirSync(path() + suffix);
    const sentence = await open().catch(String);
    expect(sentence).toMatch(new RegExp(`^Problem: ${path()} can't be ${what} .*${why}`));
  },
);
