import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
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

test("while a long file is replaced, the file has every stored record at every moment", async () => {
  const longBytes = 2_000;
  const records = recordsOfEight(600);
  const wrong: number[] = [];
  /** The inode of the file after each sync; a removed file's inode may come back. */
  const files: number[] = [];
  await new Promise<void>((resolve, reject) => {
    let asked = 0;
    const onStored = (upTo: number) => {
      files.push(statSync(path()).ino);
      const { lengths } = records[upTo - 1] as (typeof records)[0];
      if (!isDeepStrictEqual(lengthsInFile(), lengths)) wrong.push(upTo);
      if (upTo === records.length) resolve(store.close());
      else storeSome();
    };
    const onFailed = (reason: string) => reject(new Error(reason));
    let store: MatchStore;
    const storeSome = () => {
      for (const { record } of records.slice(asked, asked + 3)) store.store(++asked, record);
    };
    MatchStore.open({ folder: place.path, longBytes, onStored, onFailed }).then((opened) => {
      store = opened;
      storeSome();
    }, reject);
  });
  expect(wrong).toEqual([]);
  expect(files.filter((file, at) => file !== files[at - 1]).length).toBeGreaterThan(3);
  const writtenBytes = records.reduce((sum, { record }) => sum + JSON.stringify(record).length, 0);
  expect(statSync(path()).size).toBeLessThan(writtenBytes / 3);
  const read = [...(await open()).store.logs].map(([of, events]) => [of, events.length] as const);
  expect(new Map(read)).toEqual(records.at(-1)?.lengths);
});

/** Returns records of eight matches, which get five events each and are forgotten, and the lengths after each. */
function recordsOfEight(count: number) {
  const lengths = new Map<MatchId, number>();
  return Array.from({ length: count }, (_, at) => {
    const of = `${at % 8}`.padStart(16, "0") as MatchId;
    const length = lengths.get(of) ?? 0;
    const type = length === 0 ? "replace" : "append";
    const record =
      length === 5
        ? ({ type: "forget", match: of } as const)
        : ({ type, match: of, events: [event(length)] } as const);
    if (length === 5) lengths.delete(of);
    else lengths.set(of, length + 1);
    return { record, lengths: new Map(lengths) };
  });
}

/** Returns how many events of each match the file has. */
function lengthsInFile(): Map<string, number> {
  const lengths = new Map<string, number>();
  for (const line of readFileSync(path(), "utf8").trimEnd().split("\n")) {
    const { type, match: of, events } = JSON.parse(line);
    if (type === "forget") lengths.delete(of);
    else lengths.set(of, (type === "replace" ? 0 : (lengths.get(of) ?? 0)) + events.length);
  }
  return lengths;
}

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
