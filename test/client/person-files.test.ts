import { execFile } from "node:child_process";
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
import { promisify } from "node:util";
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

const brokers = ["tcp://127.0.0.1:7001"];
const files = () => new PersonFiles(folder.path, brokers, "ana");
const pathOf = (one: PersonFiles) => join(one.outboxFolder, "..", "chat.json");
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

  test("is there for the next chat", () => {
    const first = files();
    expect(first.read()).toBe(nothingSaved);
    expect(first.isNew).toBe(true);
    first.save(begun);
    expect(first.isNew).toBe(false);
    expect(files().read()).toEqual(begun);
  });

  test("leaves what another chat of the same person has saved since", () => {
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
      drafts: { "#geral": ["begun here"] },
    };
    // Twice, since what was taken over must not count as a change of its own.
    for (let time = 0; time < 2; time += 1) other.save(after);
    expect(files().read()).toEqual({
      drafts: { "#geral": ["begun here"] },
      joined: ["geral", "new", "other"],
      muted: ["#new"],
      closed: [],
      read: { "#geral": vector(9, 7), "#other": {} },
      heard: vector(3, 9),
      current: "#other",
    });
  });

  test("keeps drafts of another chat, except of conversations where this chat has changed its own", () => {
    files().save({ ...begun, drafts: { "#geral": ["old"], "@bia": ["hi"] } });
    const [one, other] = [files(), files()];
    for (const chat of [one, other]) chat.read();
    one.save({ ...begun, drafts: { "#geral": ["new"], "@bia": ["hi"] } });
    other.save({ ...begun, drafts: { "#geral": ["old"], "#old": ["more"] } });
    expect(files().read().drafts).toEqual({ "#geral": ["new"], "#old": ["more"] });
  });

  test("keeps the drafts of two chats in one conversation, each until its own chat has finished it", () => {
    const [one, other] = [files(), files()];
    for (const chat of [one, other]) chat.read();
    const draft = (text: string) => ({ ...begun, drafts: { "#geral": [text] } });
    one.save(draft("of o"));
    other.save(draft("of the"));
    one.save(draft("of one"));
    other.save(draft("of the other"));
    expect(files().read().drafts).toEqual({ "#geral": ["of one", "of the other"] });
    other.save(begun);
    expect(files().read().drafts).toEqual({ "#geral": ["of one"] });
    one.save(begun);
    expect(files().read().drafts).toEqual({});
  });

  test("keeps what several processes save at the same moment", async () => {
    const module = new URL("../../dist/client/person-files.js", import.meta.url);
    const times = 100;
    const program = (name: string) => `
      const { PersonFiles } = await import(${JSON.stringify(module)});
      const files = new PersonFiles(${JSON.stringify(folder.path)}, ${JSON.stringify(brokers)}, "ana");
      let chat = files.read();
      for (let time = 0; time < ${times}; time += 1) {
        chat = { ...chat, drafts: { ...chat.drafts, ["#${name}" + time]: ["begun"] } };
        files.save(chat);
      }`;
    const run = promisify(execFile);
    await Promise.all(
      ["a", "b", "c"].map((name) =>
        run(process.execPath, ["--input-type=module", "-e", program(name)]),
      ),
    );
    expect(Object.keys(files().read().drafts)).toHaveLength(3 * times);
  }, 60_000);

  test("keeps what a newer version has put beside it", () => {
    const one = files();
    one.save(begun);
    const newer = { ...JSON.parse(readFileSync(pathOf(one), "utf8")), pinned: ["#geral"] };
    writeFileSync(pathOf(one), JSON.stringify(newer));
    const again = files();
    expect(again.read()).toEqual(begun);
    again.save({ ...begun, current: "#geral" });
    const kept = JSON.parse(readFileSync(pathOf(one), "utf8"));
    expect(kept).toEqual({ ...newer, current: "#geral" });
  });

  test("is read also if an earlier version without drafts wrote it", () => {
    const one = files();
    const { drafts: _, ...older } = begun;
    one.save(begun);
    writeFileSync(join(one.outboxFolder, "..", "chat.json"), JSON.stringify(older));
    expect(files().read()).toEqual(begun);
  });

  test("is read also if an earlier version kept one draft of each conversation", () => {
    const one = files();
    one.save(begun);
    writeFileSync(pathOf(one), JSON.stringify({ ...begun, drafts: { "#geral": "begun" } }));
    expect(files().read()).toEqual({ ...begun, drafts: { "#geral": ["begun"] } });
    expect(readdirSync(join(pathOf(one), ".."))).not.toContain("chat.json.damaged-1");
  });

  test("keeps a conversation open that another chat has closed and this one has not", () => {
    const open = { ...begun, closed: [], read: { ...begun.read, "@bia": {} } };
    files().save(open);
    const [one, other] = [files(), files()];
    for (const chat of [one, other]) chat.read();
    one.save({ ...open, closed: ["@bia"] });
    expect(files().read().closed).toEqual(["@bia"]);
    other.save({ ...open, heard: vector(9, 9) });
    expect(files().read().closed).toEqual([]);
  });

  test.each([
    "",
    "{",
    "[]",
    "7",
    '{"joined":["geral"],}',
    Buffer.from([0x7b, 0xff, 0x7d]),
    Buffer.from('\ufeff{"joined":["geral"]}', "utf16le"),
  ])("is put aside if it can't be understood (%s), told once, and never overwritten", (damage) => {
    const one = files();
    const told: FileTrouble[] = [];
    one.onTrouble = (trouble) => told.push(trouble);
    one.save(begun);
    const path = pathOf(one);
    for (const number of [1, 2]) {
      writeFileSync(path, damage);
      // Both for a chat that begins, and for one that found a good file when it began.
      if (number === 1) expect(one.read()).toEqual({ ...nothingSaved, heard: undefined });
      else one.save(begun);
      expect(one.isNew).toBe(false);
      one.save(begun);
      const aside = `${path}.damaged-${number}`;
      expect(readFileSync(aside)).toEqual(Buffer.from(damage));
      expect(told).toHaveLength(number);
      expect(told.at(-1)).toEqual({ path, aside });
      expect(files().read()).toEqual(begun);
    }
  });

  const good = {
    ...begun,
    current: "#geral",
    drafts: { "#geral": ["begun"] },
    read: { "#geral": vector(5, 1), "@bia": vector(1, 1) },
  };

  test.each<[name: string, wrong: object, right: Partial<SavedChat>]>([
    ["a list for the read marks", { read: [] }, { read: {} }],
    ["a text for the read marks", { read: "x" }, { read: {} }],
    // The conversation counts as unread, not as one that was never seen.
    [
      "one read mark",
      { read: { ...good.read, "@bia": 1 } },
      { read: { ...good.read, "@bia": {} } },
    ],
    ["a number for a conversation", { current: 7 }, { current: "" }],
    ["nothing for a conversation", { current: null }, { current: "" }],
    ["a name for a list", { joined: "geral" }, { joined: [] }],
    ["a number for a name", { joined: ["geral", 7] }, { joined: ["geral"] }],
    ["a map for a list", { muted: {} }, { muted: [] }],
    ["nothing for a list", { closed: null }, { closed: [] }],
    ["a list for a vector", { heard: [] }, { heard: undefined }],
    [
      "a number for a draft",
      { drafts: { "#a": 7, "#b": ["b", 7] } },
      { drafts: { "#a": [], "#b": ["b"] } },
    ],
  ])(
    "loses only what is damaged in it (%s), and a copy has it as it was",
    (_name, wrong, right) => {
      const path = pathOf(files());
      files().save(begun);
      const content = JSON.stringify({ ...good, ...wrong, pinned: ["#geral"] });
      writeFileSync(path, content);
      const one = files();
      const told: FileTrouble[] = [];
      one.onTrouble = (trouble) => told.push(trouble);
      const expected = { ...good, ...right };
      for (let time = 0; time < 2; time += 1) expect(one.read()).toEqual(expected);
      const aside = `${path}.damaged-1`;
      expect(told).toEqual([{ path, aside }]);
      expect(readFileSync(aside, "utf8")).toBe(content);
      // The next chat has it too, even if this one ends before it saves.
      expect(files().read()).toEqual(expected);
      expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pinned: ["#geral"] });
    },
  );

  test("is put aside by only one of two chats that find it damaged", () => {
    const [one, other] = [files(), files()];
    const told: FileTrouble[] = [];
    for (const chat of [one, other]) chat.onTrouble = (trouble) => told.push(trouble);
    one.save(begun);
    writeFileSync(pathOf(one), "{");
    for (const chat of [one, other]) chat.read();
    for (const chat of [one, other]) chat.save(begun);
    expect(told).toHaveLength(1);
    expect(files().read()).toEqual(begun);
  });

  test("is put aside if it is a folder, not a file", () => {
    const one = files();
    one.save(begun);
    const path = pathOf(one);
    rmSync(path);
    mkdirSync(path);
    one.save(begun);
    const there = readdirSync(join(path, "..")).sort();
    expect(there).toEqual(["chat.json", "chat.json.damaged-1", "lock"]);
    expect(files().read()).toEqual(begun);
  });

  test("is read also if an editor put a byte order mark in front", () => {
    const one = files();
    one.save(begun);
    writeFileSync(pathOf(one), `\ufeff${readFileSync(pathOf(one), "utf8")}`);
    expect(files().read()).toEqual(begun);
  });

  test("stays as it is if it can't be read, which is told once", () => {
    const one = files();
    one.save(begun);
    const path = pathOf(one);
    rmSync(path);
    // A link to itself can't be read by anybody, not even by root.
    symlinkSync(path, path);
    const told: FileTrouble[] = [];
    one.onTrouble = (trouble) => told.push(trouble);
    expect(one.read()).toBe(nothingSaved);
    expect(() => one.save(begun)).toThrow("ELOOP");
    expect(told).toEqual([{ path, code: "ELOOP" }]);
    expect(one.isNew).toBe(false);
    expect(readdirSync(join(path, "..")).sort()).toEqual(["chat.json", "lock"]);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });
});

test("a folder that can't be used is told in the person's language", () => {
  writeFileSync(join(folder.path, "chats"), "no folder");
  const text = textsIn("pt-br");
  expect(() => files().openLogFile(text)).toThrow(Problem);
  expect(() => files().openLogFile(text)).toThrow(/^Os arquivos do chat ficam em .* \(ENOTDIR\): /);
});
