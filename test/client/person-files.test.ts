import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nothingSaved, type SavedChat } from "../../src/client/core/chat-model.ts";
import { PersonFiles } from "../../src/client/person-files.ts";
import { Problem } from "../../src/platform/problem.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import type { FileTrouble } from "../../src/storage/kept-file.ts";
import { textsIn } from "../../src/texts/texts.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(() => folder[Symbol.asyncDispose]());

const files = () => new PersonFiles(folder.path, ["tcp://127.0.0.1:7001"], "ana");
const vector = (first: number, second: number): Vector => ({
  ["server_00000001" as ServerName]: first,
  ["server_00000002" as ServerName]: second,
});
const chat = (given: Partial<SavedChat>): SavedChat => ({ ...nothingSaved, ...given });

describe("what a chat saves", () => {
  const begun = chat({
    joined: ["geral", "old"],
    muted: ["#old"],
    closed: ["@caio"],
    read: { "#geral": vector(5, 1) },
    heard: vector(2, 2),
  });

  test("is there for the next", () => {
    expect(files().read()).toBe(nothingSaved);
    files().save(begun);
    expect(files().read()).toEqual(begun);
  });

  test("leaves what another chat of the same person saved meanwhile", () => {
    files().save(begun);
    const [one, other] = [files(), files()];
    for (const chat of [one, other]) chat.read();
    one.save({
      ...begun,
      joined: ["geral", "new"],
      muted: ["#new"],
      read: { "#geral": vector(9, 1) },
      heard: vector(3, 2),
    });
    const after = {
      ...begun,
      joined: ["geral", "old", "other"],
      closed: [],
      read: { "#geral": vector(5, 7), "#other": {} },
      heard: vector(2, 9),
      current: "#other",
      drafts: { "#geral": "begun here" },
    };
    // Twice: what was taken over is not taken for a change of its own.
    for (let time = 0; time < 2; time += 1) other.save(after);
    expect(files().read()).toEqual({
      drafts: { "#geral": "begun here" },
      joined: ["geral", "new", "other"],
      muted: ["#new"],
      closed: [],
      read: { "#geral": vector(9, 7), "#other": {} },
      heard: vector(3, 9),
      current: "#other",
    });
  });

  test("keeps drafts of another chat, except of conversations where this chat has changed its own", () => {
    files().save({ ...begun, drafts: { "#geral": "old", "@bia": "hi" } });
    const [one, other] = [files(), files()];
    for (const chat of [one, other]) chat.read();
    one.save({ ...begun, drafts: { "#geral": "new", "@bia": "hi" } });
    other.save({ ...begun, drafts: { "#geral": "old", "#old": "more" } });
    expect(files().read().drafts).toEqual({ "#geral": "new", "#old": "more" });
  });

  test("is read too if an earlier version wrote it, without drafts", () => {
    const one = files();
    const { drafts: _, ...older } = begun;
    one.save(begun);
    writeFileSync(join(one.outboxFolder, "..", "chat.json"), JSON.stringify(older));
    expect(files().read()).toEqual(begun);
  });

  test("keeps open what another chat has closed, and this one has not: there may be news", () => {
    const open = { ...begun, closed: [], read: { ...begun.read, "@bia": {} } };
    files().save(open);
    const [one, other] = [files(), files()];
    for (const chat of [one, other]) chat.read();
    one.save({ ...open, closed: ["@bia"] });
    expect(files().read().closed).toEqual(["@bia"]);
    other.save({ ...open, heard: vector(9, 9) });
    expect(files().read().closed).toEqual([]);
  });

  const pathOf = (one: PersonFiles) => join(one.outboxFolder, "..", "chat.json");

  test.each([
    "",
    "{",
    "[]",
    "7",
    '{"read": {"#geral": 1}}',
    '{"joined":["geral"],}',
    '{"joined":5}',
    Buffer.from([0x7b, 0xff, 0x7d]),
  ])(
    "is put aside where it can't be understood (%s), told once, and never written over",
    (damage) => {
      const one = files();
      const told: FileTrouble[] = [];
      one.onTrouble = (trouble) => told.push(trouble);
      one.save(begun);
      const path = pathOf(one);
      for (const number of [1, 2]) {
        writeFileSync(path, damage);
        // Twice: by a chat that begins, and by one that found a good file when it began.
        if (number === 1) expect(one.read()).toBe(nothingSaved);
        one.save(begun);
        const aside = `${path}.damaged-${number}`;
        expect(readFileSync(aside)).toEqual(Buffer.from(damage));
        expect(told).toHaveLength(number);
        expect(told.at(-1)).toEqual({ path, aside });
        expect(files().read()).toEqual(begun);
      }
    },
  );

  test("is put aside if it is a folder, not a file", () => {
    const one = files();
    one.save(begun);
    const path = pathOf(one);
    rmSync(path);
    mkdirSync(path);
    one.save(begun);
    expect(readdirSync(join(path, "..")).sort()).toEqual(["chat.json", "chat.json.damaged-1"]);
    expect(files().read()).toEqual(begun);
  });

  test("is read where an editor put a byte order mark in front", () => {
    const one = files();
    one.save(begun);
    writeFileSync(pathOf(one), `\ufeff${readFileSync(pathOf(one), "utf8")}`);
    expect(files().read()).toEqual(begun);
  });

  test("stays as it is if it can't be read: that is told once, and nothing is written over it", () => {
    const one = files();
    one.save(begun);
    const path = pathOf(one);
    rmSync(path);
    // A link to itself: nobody can read it, not even root.
    symlinkSync(path, path);
    const told: FileTrouble[] = [];
    one.onTrouble = (trouble) => told.push(trouble);
    expect(one.read()).toBe(nothingSaved);
    expect(() => one.save(begun)).toThrow("ELOOP");
    expect(told).toEqual([{ path, code: "ELOOP" }]);
    expect(readdirSync(join(path, ".."))).toEqual(["chat.json"]);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });
});

test("a folder that can't be used is a problem told in the person's language", () => {
  writeFileSync(join(folder.path, "chats"), "no folder");
  const text = textsIn("pt-br");
  expect(() => files().openLogFile(text)).toThrow(Problem);
  expect(() => files().openLogFile(text)).toThrow(/^O que o chat guarda fica em .* \(ENOTDIR\): /);
});
