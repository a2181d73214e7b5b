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

describe("the saved state of a chat", () => {
  const begun = chat({
    joined: ["geral", "old"],
    muted: ["#old"],
    closed: ["@caio"],
    read: { "#geral": vector(5, 1) },
    heard: vector(2, 2),
  });

  test("a new chat reads the state that the person's previous chat saved", () => {
    const first = files();
    expect(first.read()).toBe(nothingSaved);
    expect(first.isNew).toBe(true);
    first.save(begun);
    expect(first.isNew).toBe(false);
    expect(files().read()).toEqual(begun);
  });

  test("a chat's save keeps the changes that the person's other chat saved since this chat read the file", () => {
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
    // The second save checks that the other chat's changes do not count as changes of this chat.
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

  test("when two chats of a person change drafts of different conversations, saving keeps both chats' changes", () => {
    files().save({ ...begun, drafts: { "#geral": ["old"], "@bia": ["hi"] } });
    const [one, other] = [files(), files()];
    for (const chat of [one, other]) chat.read();
    one.save({ ...begun, drafts: { "#geral": ["new"], "@bia": ["hi"] } });
    other.save({ ...begun, drafts: { "#geral": ["old"], "#old": ["more"] } });
    expect(files().read().drafts).toEqual({ "#geral": ["new"], "#old": ["more"] });
  });

  test("saving keeps two chats' drafts of one conversation until each chat removes its own draft", () => {
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

  test("no save is lost when three processes save one person's state at the same time", async () => {
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

  test("saving a chat's state keeps the fields that a newer version added to the file", () => {
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

  test("a chat reads the state that an earlier version saved without drafts", () => {
    const one = files();
    const { drafts: _, ...older } = begun;
    one.save(begun);
    writeFileSync(join(one.outboxFolder, "..", "chat.json"), JSON.stringify(older));
    expect(files().read()).toEqual(begun);
  });

  test("a chat reads the state that an earlier version saved with one draft for each conversation", () => {
    const one = files();
    one.save(begun);
    writeFileSync(pathOf(one), JSON.stringify({ ...begun, drafts: { "#geral": "begun" } }));
    expect(files().read()).toEqual({ ...begun, drafts: { "#geral": ["begun"] } });
    expect(readdirSync(join(pathOf(one), ".."))).not.toContain("chat.json.damaged-1");
  });

  test("if one chat closes a conversation that another chat has open, the other chat's next save reopens the conversation", () => {
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
  ])(
    "a saved state that can't be parsed (%s) is renamed, reported once, and never overwritten",
    (damage) => {
      const one = files();
      const told: FileTrouble[] = [];
      one.onTrouble = (trouble) => told.push(trouble);
      one.save(begun);
      const path = pathOf(one);
      for (const number of [1, 2]) {
        writeFileSync(path, damage);
        // The chat finds the first damage when it reads, and the second when it saves.
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
    },
  );

  const good = {
    ...begun,
    current: "#geral",
    drafts: { "#geral": ["begun"] },
    read: { "#geral": vector(5, 1), "@bia": vector(1, 1) },
  };

  test.each<[name: string, wrong: object, right: Partial<SavedChat>]>([
    ["a list as read marks", { read: [] }, { read: {} }],
    ["a text as read marks", { read: "x" }, { read: {} }],
    // A conversation with an empty read mark is unread. Without a mark, the chat would not know it.
    [
      "a number as one read mark",
      { read: { ...good.read, "@bia": 1 } },
      { read: { ...good.read, "@bia": {} } },
    ],
    ["a number as the current conversation", { current: 7 }, { current: "" }],
    ["null as the current conversation", { current: null }, { current: "" }],
    ["a name instead of a list", { joined: "geral" }, { joined: [] }],
    ["a number instead of a name", { joined: ["geral", 7] }, { joined: ["geral"] }],
    ["a map instead of a list", { muted: {} }, { muted: [] }],
    ["null instead of a list", { closed: null }, { closed: [] }],
    ["a list instead of a vector", { heard: [] }, { heard: undefined }],
    [
      "a number instead of a draft",
      { drafts: { "#a": 7, "#b": ["b", 7] } },
      { drafts: { "#a": [], "#b": ["b"] } },
    ],
  ])(
    "a saved state with %s loses only the damaged value, and the whole file is saved in a copy",
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
      // The next chat reads the same state, even if this chat ends before it saves.
      expect(files().read()).toEqual(expected);
      expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pinned: ["#geral"] });
    },
  );

  test("if two chats find the same damaged file, only one of them renames and reports it", () => {
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

  test("a folder in place of a chat's saved state is renamed", () => {
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

  test("a chat reads a saved state that begins with a byte order mark", () => {
    const one = files();
    one.save(begun);
    writeFileSync(pathOf(one), `\ufeff${readFileSync(pathOf(one), "utf8")}`);
    expect(files().read()).toEqual(begun);
  });

  test("a saved state that the system can't read stays unchanged and is reported once", () => {
    const one = files();
    one.save(begun);
    const path = pathOf(one);
    rmSync(path);
    // A symbolic link to itself can't be read, not even by root.
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

test("if the folder of a person's files can't be used, the error is reported in the person's language", () => {
  writeFileSync(join(folder.path, "chats"), "no folder");
  const text = textsIn("pt-br");
  expect(() => files().openLogFile(text)).toThrow(Problem);
  expect(() => files().openLogFile(text)).toThrow(/^Os arquivos do chat ficam em .* \(ENOTDIR\): /);
});
