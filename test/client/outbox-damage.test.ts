import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseTarget, type Target } from "../../src/client/core/target.ts";
import { Outbox } from "../../src/client/outbox.ts";
import type { UserName } from "../../src/protocol/ids.ts";
import { textsIn } from "../../src/texts/texts.ts";
import { memoryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";

/** The error codes with which copies and writes fail; an empty text means success. */
const disk = vi.hoisted(() => ({ copy: "", write: "" }));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const fail = (code: string) => {
    if (code !== "") throw Object.assign(new Error(code), { code });
  };
  const copyFileSync = (...args: Parameters<typeof fs.copyFileSync>) => {
    fail(disk.copy);
    fs.copyFileSync(...args);
  };
  const writeSync = (fd: number, bytes: Buffer, ...rest: number[]) => {
    fail(disk.write);
    return fs.writeSync(fd, bytes, ...rest);
  };
  const changed = { copyFileSync, writeSync };
  return { ...fs, default: { ...fs, ...changed }, ...changed };
});

const ana = "ana" as UserName;
const geral = parseTarget("#geral") as Target;

let folder: TemporaryFolder;
/** The lines of an outbox with three messages: "one", "two", "three". */
let lines: string[];
const opened: Outbox[] = [];

const boxes = () => join(folder.path, "outbox");
const path = () => join(boxes(), "1", "outbox.jsonl");
const copyPath = () => `${path()}.damaged-1`;
const textsOf = (outbox: Outbox) => outbox.waiting.map(({ text }) => text);

function open(): Outbox {
  const outbox = Outbox.open(boxes(), () => textsIn("en"));
  opened.push(outbox);
  return outbox;
}

/** Opens an outbox whose file has `content`. */
function found(content: Buffer | string): Outbox {
  mkdirSync(dirname(path()), { recursive: true });
  writeFileSync(path(), content);
  return open();
}

beforeEach(async () => {
  Object.assign(disk, { copy: "", write: "" });
  folder = await memoryFolder();
  const outbox = open();
  for (const text of ["one", "two", "three"]) outbox.add(geral, ana, text);
  lines = readFileSync(path(), "utf8").trimEnd().split("\n");
  outbox.close();
});

afterEach(async () => {
  for (const outbox of opened.splice(0)) outbox.close();
  await folder[Symbol.asyncDispose]();
});

describe("[C5] a damaged line of an outbox", () => {
  const within = (from: string, to: string) => (line: string) =>
    Buffer.from(line.replace(from, to));
  const odd: readonly (readonly [name: string, damaged: (line: string) => Buffer])[] = [
    ["is cut in the middle", (line) => Buffer.from(line.slice(0, line.length / 2))],
    ["is not in UTF-8", (line) => Buffer.from(line.replace("two", "a\u00e7a\u00ed"), "latin1")],
    ["has half a surrogate pair", within('"two"', '"\\ud83c"')],
    ["has an operation of a newer version", () => Buffer.from('{"edit":{"id":"x"}}')],
    ["has a target of a newer version", within('"channel":"geral"', '"group":"x"')],
    [
      "has a time beyond any clock's range",
      (line) => Buffer.from(line.replace(/"atMs":\d+/, '"atMs":1e300')),
    ],
    ["consists of zero bytes", () => Buffer.alloc(40)],
    ["has the id of another message", () => Buffer.from((lines[0] ?? "").replace('"one"', '"1"'))],
    ["has an object instead of a text", within('"two"', '{"x":1}')],
  ];

  test.each(odd)(
    "if a line of an outbox %s, the file is copied, and the other messages stay in the outbox",
    (_name, damaged) => {
      const [one = "", two = "", three = ""] = lines;
      const newline = Buffer.from("\n");
      const parts = [Buffer.from(one), newline, damaged(two), newline, Buffer.from(three), newline];
      const content = Buffer.concat(parts);
      const first = found(content);
      expect(textsOf(first)).toEqual(["one", "three"]);
      expect(first.troubles).toEqual([{ path: path(), copy: copyPath() }]);
      expect(readFileSync(copyPath())).toEqual(content);
      first.close();
      // Opening the outbox a second time makes no second copy.
      const second = open();
      expect(textsOf(second)).toEqual(["one", "three"]);
      expect(second.troubles).toEqual([]);
    },
  );

  test("an outbox copies and reports a line that a kill left incomplete, and does not join the next message to this line", () => {
    const [one = "", two = ""] = lines;
    const content = `${one}\n${two.slice(0, two.indexOf("two") + 2)}`;
    // The copy is made even if the file can't be rewritten.
    disk.write = "ENOSPC";
    const first = found(content);
    expect(textsOf(first)).toEqual(["one"]);
    expect(first.troubles).toEqual([{ path: path(), copy: copyPath() }]);
    disk.write = "";
    first.add(geral, ana, "next");
    first.close();
    expect(readFileSync(copyPath(), "utf8")).toBe(content);
    expect(textsOf(open())).toEqual(["one", "next"]);
  });

  test("if the file of a damaged outbox can't be copied, opening the outbox fails and leaves the file unchanged", () => {
    disk.copy = "ENOSPC";
    expect(() => found("?\n")).toThrow("where no space is left (ENOSPC)");
    expect(readFileSync(path(), "utf8")).toBe("?\n");
  });
});

describe("[C5] an outbox that was changed from outside", () => {
  const ways: readonly (readonly [name: string, written: () => string])[] = [
    ["with a byte order mark at the start", () => `\ufeff${lines.join("\n")}\n`],
    ["with a byte order mark before each line", () => `\ufeff${lines.join("\n\ufeff")}\n`],
    ["with lines that end in CR LF", () => `${lines.join("\r\n")}\r\n`],
    ["with lines that end in CR", () => `${lines.join("\r")}\r`],
    ["with blank lines", () => `\n\r\n${lines.join("\n \t\n\n")}\n\n`],
    ["without its last line end", () => lines.join("\n")],
    ["with white space around the lines", () => ` ${lines.join("\t\n  ")} \n`],
    ["with a line twice", () => `${lines.join("\n")}\n${lines[2]}\n`],
    ["with a cut last line that settles a message", () => `${lines.join("\n")}\n{"settled":"1f`],
  ];

  test.each(ways)(
    "an outbox reads all messages from a changed file (%s), and reports no damage",
    (_name, written) => {
      const first = found(written());
      expect(textsOf(first)).toEqual(["one", "two", "three"]);
      expect(first.troubles).toEqual([]);
      first.add(geral, ana, "next");
      first.close();
      const second = open();
      expect(textsOf(second)).toEqual(["one", "two", "three", "next"]);
      expect(second.troubles).toEqual([]);
      expect(readdirSync(dirname(path())).sort()).toEqual(["lock", "outbox.jsonl"]);
    },
  );

  test("rewriting an outbox's file keeps the fields that a newer version added to a message", () => {
    const [one = "", two = "", three = ""] = lines;
    const newer = two.replace('"text"', '"reply":"x","text"');
    const { id } = JSON.parse(one).add;
    const first = found(`${one}\n${newer}\n${three}\n{"settled":"${id}"}\n`);
    expect(textsOf(first)).toEqual(["two", "three"]);
    expect(first.troubles).toEqual([]);
    first.close();
    expect(readFileSync(path(), "utf8")).toBe(`${newer}\n${three}\n`);
  });

  test.each([
    ["a folder", () => mkdirSync(join(path(), "with", "more"), { recursive: true })],
    ["a pipe", () => void execFileSync("mkfifo", [path()])],
  ])("%s in place of the outbox file is renamed and reported", (_name, make) => {
    execFileSync("rm", [path()]);
    make();
    const first = open();
    expect(first.waiting).toEqual([]);
    expect(first.troubles).toEqual([{ path: path(), aside: copyPath() }]);
    first.add(geral, ana, "next");
    first.close();
    expect(textsOf(open())).toEqual(["next"]);
  });
});
