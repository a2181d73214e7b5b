import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nothingSaved, type SavedChat } from "../../src/client/core/chat-model.ts";
import { PersonFiles } from "../../src/client/person-files.ts";
import { Problem } from "../../src/platform/problem.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import type { Vector } from "../../src/protocol/vector.ts";
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
    };
    // Twice: what was taken over is not taken for a change of its own.
    for (let time = 0; time < 2; time += 1) other.save(after);
    expect(files().read()).toEqual({
      joined: ["geral", "new", "other"],
      muted: ["#new"],
      closed: [],
      read: { "#geral": vector(9, 7), "#other": {} },
      heard: vector(3, 9),
      current: "#other",
    });
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

  test("that can't be saved leaves nothing behind", () => {
    const one = files();
    one.save(begun);
    const chats = join(one.outboxFolder, "..");
    rmSync(join(chats, "chat.json"));
    // Nothing can take its place.
    mkdirSync(join(chats, "chat.json"));
    expect(() => one.save(begun)).toThrow();
    expect(readdirSync(chats)).toEqual(["chat.json"]);
  });

  test("is all there is, where the file is damaged", () => {
    const one = files();
    one.save(begun);
    const path = join(one.outboxFolder, "..", "chat.json");
    mkdirSync(one.outboxFolder, { recursive: true });
    for (const damage of ["", "{", "[]", '{"read": {"#geral": 1}}']) {
      writeFileSync(path, damage);
      one.save({ ...begun, current: "#geral" });
      expect(files().read()).toEqual({ ...begun, current: "#geral" });
    }
  });
});

test("a folder that can't be used is a problem told in the person's language", () => {
  writeFileSync(join(folder.path, "chats"), "no folder");
  const text = textsIn("pt-br");
  expect(() => files().openLogFile(text)).toThrow(Problem);
  expect(() => files().openLogFile(text)).toThrow(/^O que o chat guarda fica em .* \(ENOTDIR\): /);
});
