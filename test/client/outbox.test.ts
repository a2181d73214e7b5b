import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseTarget, type Target } from "../../src/client/core/target.ts";
import { Outbox } from "../../src/client/outbox.ts";
import { Problem } from "../../src/platform/problem.ts";
import type { RequestId, UserName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { type Language, textsIn } from "../../src/texts/texts.ts";
import { memoryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";

/** The error codes with which calls to the disk fail, and the names of all calls so far. */
const disk = vi.hoisted(() => ({
  fails: {} as Partial<Record<"write" | "sync" | "truncate", string>>,
  calls: [] as string[],
}));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const fail = (call: keyof typeof disk.fails) => {
    disk.calls.push(call);
    const code = disk.fails[call];
    if (code !== undefined) throw Object.assign(new Error(code), { code });
  };
  const writeSync = (fd: number, bytes: Buffer, ...place: number[]) => {
    const [from = 0, length = 0, position = 0] = place;
    // Half of the line is written before the failure, as on a real disk.
    if (disk.fails.write !== undefined) fs.writeSync(fd, bytes, from, length >> 1, position);
    fail("write");
    return fs.writeSync(fd, bytes, from, length, position);
  };
  const fdatasyncSync = (fd: number) => {
    fail("sync");
    fs.fdatasyncSync(fd);
  };
  const fsyncSync = (fd: number) => {
    disk.calls.push("folder");
    fs.fsyncSync(fd);
  };
  const ftruncateSync = (fd: number, bytes?: number) => {
    fail("truncate");
    fs.ftruncateSync(fd, bytes);
  };
  const changed = { writeSync, fdatasyncSync, fsyncSync, ftruncateSync };
  return { ...fs, default: { ...fs, ...changed }, ...changed };
});

const ana = "ana" as UserName;
const geral = parseTarget("#geral") as Target;
const bia = parseTarget("@bia") as Target;

let folder: TemporaryFolder;
let language: Language;
const opened: Outbox[] = [];

beforeEach(async () => {
  disk.fails = {};
  disk.calls = [];
  language = "en";
  folder = await memoryFolder();
});

afterEach(async () => {
  for (const outbox of opened.splice(0)) outbox.close();
  await folder[Symbol.asyncDispose]();
});

const boxes = () => join(folder.path, "outbox");
const fileOf = (slot: number) => join(boxes(), String(slot), "outbox.jsonl");

function open(): Outbox {
  const outbox = Outbox.open(boxes(), () => textsIn(language));
  opened.push(outbox);
  return outbox;
}

/**
 * Puts `content` into the file of a new outbox, as a kill might leave it, and opens this outbox.
 */
function found(content: Buffer | string): Outbox {
  rmSync(boxes(), { recursive: true, force: true });
  mkdirSync(join(boxes(), "1"), { recursive: true });
  writeFileSync(fileOf(1), content);
  return Outbox.open(boxes(), () => textsIn(language));
}

const textsOf = (outbox: Outbox) => outbox.waiting.map(({ text }) => text);

describe("[C5] an outbox", () => {
  test("the next process that opens an outbox finds the messages that were added and not removed", () => {
    const first = open();
    const one = first.add(geral, ana, "one\n“dois” 🌻 \u0007");
    const two = first.add(bia, ana, "two");
    const three = first.add(geral, ana, "three");
    expect(new Set([one.id, two.id, three.id]).size).toBe(3);
    expect(first.waiting).toEqual([one, two, three]);
    first.settle(two.id);
    first.settle("nobody's" as RequestId);
    expect(first.waiting).toEqual([one, three]);
    first.close();
    expect(open().waiting).toEqual([one, three]);
  });

  test("`add` of an outbox returns after the message is synced, and the first `add` also syncs the file's folder", () => {
    const outbox = open();
    disk.calls = [];
    outbox.add(geral, ana, "one");
    expect(disk.calls).toEqual(["write", "sync", "folder"]);
    disk.calls = [];
    outbox.add(geral, ana, "two");
    expect(disk.calls).toEqual(["write", "sync"]);
  });

  test("only the owner of an outbox can read the outbox, and no text stays on disk after all messages are removed", () => {
    const outbox = open();
    const { id } = outbox.add(geral, ana, "one");
    expect(statSync(fileOf(1)).mode & 0o777).toBe(0o600);
    expect(statSync(boxes()).mode & 0o777).toBe(0o700);
    // A kill during a rewrite leaves a temporary file.
    writeFileSync(`${fileOf(1)}.tmp`, readFileSync(fileOf(1)));
    outbox.settle(id);
    outbox.close();
    expect(readdirSync(join(boxes(), "1"))).toEqual(["lock"]);
  });

  test("after a kill at any byte, an outbox has every waiting message whose line is complete, and copies the file if a message is incomplete", () => {
    const outbox = open();
    const added = ["one", "dóis 🌻", "three\n"].map((text) => outbox.add(geral, ana, text));
    outbox.settle(added[1]?.id as RequestId);
    const content = readFileSync(fileOf(1));
    outbox.close();
    const ends = [...content.entries()].filter(([, byte]) => byte === 0x0a).map(([at]) => at);
    expect(ends).toHaveLength(4);
    for (let bytes = 0; bytes <= content.length; bytes += 1) {
      // A complete line counts even if its newline is missing.
      const lines = ends.filter((end) => end <= bytes).length;
      const waiting = added.slice(0, lines).filter((_, place) => lines < 4 || place !== 1);
      const left = found(content.subarray(0, bytes));
      expect(left.waiting, `${bytes} bytes`).toEqual(waiting);
      const beginning = content.toString("latin1", ends[lines - 1] ?? -1, bytes).trim();
      const isSettling = lines === 3 || '{"settled"'.startsWith(beginning);
      expect(left.troubles, `${bytes} bytes`).toHaveLength(isSettling || lines === 4 ? 0 : 1);
      // A message that is added now gets a line of its own.
      const next = left.add(bia, ana, "next");
      const file = readFileSync(fileOf(1));
      left.close();
      const after = found(file);
      expect(after.waiting, `after ${bytes} bytes`).toEqual([...waiting, next]);
      after.close();
    }
  });

  test("an outbox ignores lines that are not valid entries, and keeps the valid entries", () => {
    const whole = open();
    const one = whole.add(geral, ana, "one");
    const line = readFileSync(fileOf(1), "utf8");
    whole.close();
    const odd = [
      "",
      "\0\0\0",
      "null",
      '"text"',
      '{"add":null}',
      '{"add":{"id":"a"}}',
      '{"settled":7}',
      line.trim().replace("#", "").replace('"channel":"geral"', '"channel":"../x"'),
      line.trim().replace(/"atMs":\d+/, '"atMs":"now"'),
    ];
    const outbox = found(`${odd.join("\n")}\n${line}{"settled":"x"}\n`);
    expect(outbox.waiting).toEqual([one]);
    outbox.close();
  });
});

describe("[C5] the outbox of one person with two running processes", () => {
  test("two processes of one person write to separate outbox files, and a later process finds all messages in order", () => {
    const [first, second] = [open(), open()];
    const clock = vi.spyOn(Date, "now");
    clock.mockReturnValue(1_000);
    first.add(geral, ana, "one");
    clock.mockReturnValue(2_000);
    const two = second.add(geral, ana, "two");
    clock.mockReturnValue(3_000);
    const three = first.add(geral, ana, "three");
    clock.mockReturnValue(2_500);
    first.add(geral, ana, "four, with a clock that was put back");
    clock.mockRestore();
    expect(textsOf(second)).toEqual(["two"]);
    first.close();
    expect(textsOf(second)).toEqual(["two"]);
    second.close();
    const third = open();
    expect(textsOf(third).map((text) => text.slice(0, 5))).toEqual([
      "one",
      "two",
      "three",
      "four,",
    ]);
    // Another process may open a file when all its messages are settled.
    third.settle(two.id);
    const fourth = open();
    expect(fourth.waiting).toEqual([]);
    const five = fourth.add(geral, ana, "five");
    expect(readFileSync(fileOf(2), "utf8")).toBe(`${JSON.stringify({ add: five, format: 1 })}\n`);
    third.settle(three.id);
    third.close();
    fourth.close();
    expect(textsOf(open())).toHaveLength(3);
  });
});

describe("[C5] an outbox on a failing disk", () => {
  const cases = [
    { call: "write", code: "ENOSPC", said: "no space left" },
    { call: "sync", code: "EIO", said: "can't be written to (EIO)" },
  ] as const;

  test.each(cases)(
    "an outbox refuses a message if the disk's $call fails",
    ({ call, code, said }) => {
      const outbox = open();
      const one = outbox.add(geral, ana, "one");
      const before = readFileSync(fileOf(1), "utf8");
      disk.fails = { [call]: code };
      const adding = () => outbox.add(geral, ana, "two");
      expect(adding).toThrow(Problem);
      expect(adding).toThrow(said);
      expect(outbox.waiting).toEqual([one]);
      expect(readFileSync(fileOf(1), "utf8")).toBe(before);
      // If the half-written line can't be cut off, it is ignored, and the next line is read.
      disk.fails = { write: "ENOSPC", truncate: "EIO" };
      expect(adding).toThrow("no space left");
      disk.fails = {};
      const three = outbox.add(geral, ana, "3");
      outbox.close();
      expect(open().waiting).toEqual([one, three]);
    },
  );

  test("a message can be removed from an outbox while the disk is full", () => {
    const outbox = open();
    const one = outbox.add(geral, ana, "one");
    const two = outbox.add(geral, ana, "two");
    disk.fails = { write: "ENOSPC" };
    outbox.settle(one.id);
    expect(outbox.waiting).toEqual([two]);
    disk.fails = {};
    outbox.settle(two.id);
    outbox.close();
    expect(open().waiting).toEqual([]);
  });

  test("an outbox on a full disk can be opened, has its waiting messages, and leaves no temporary file", () => {
    const outbox = open();
    const [one, two] = ["one", "two"].map((text) => outbox.add(geral, ana, text));
    outbox.settle(one?.id as RequestId);
    outbox.close();
    disk.fails = { write: "ENOSPC" };
    const next = open();
    expect(next.waiting).toEqual([two]);
    expect(readdirSync(join(boxes(), "1")).sort()).toEqual(["lock", "outbox.jsonl"]);
  });

  test("opening an outbox fails with the path and the error code if its folder or file can't be used", () => {
    writeFileSync(boxes(), "");
    expect(open).toThrow(Problem);
    expect(open).toThrow(/kept in .*outbox, where .*outbox can't be used \((EEXIST|ENOTDIR)\)/);
    rmSync(boxes());
    mkdirSync(join(boxes(), "1"), { recursive: true });
    // A symbolic link to itself can't be read, not even by root.
    symlinkSync("outbox.jsonl", fileOf(1));
    expect(open).toThrow(`where ${fileOf(1)} can't be used (ELOOP)`);
    rmSync(fileOf(1));
    expect(open().waiting).toEqual([]);
  });
});

describe("[C5] bounds of an outbox", () => {
  test("an outbox rewrites its file without the removed messages when a process opens the outbox, and when the file has grown too large", () => {
    const outbox = open();
    const text = "x".repeat(limits.messageCharacters);
    const kept = outbox.add(geral, ana, "kept");
    let largest = 0;
    for (let round = 0; round < 200; round += 1) {
      outbox.settle(outbox.add(geral, ana, text).id);
      largest = Math.max(largest, statSync(fileOf(1)).size);
    }
    expect(largest).toBeLessThan(2 * limits.outboxBytes);
    expect(largest).toBeGreaterThan(limits.outboxBytes);
    outbox.close();
    const next = open();
    expect(next.waiting).toEqual([kept]);
    expect(statSync(fileOf(1)).size).toBeLessThan(200);
    disk.calls = [];
    next.add(geral, ana, "after it was written again");
    expect(disk.calls).toEqual(["write", "sync", "folder"]);
  });

  test("an outbox refuses messages above its limit of waiting messages, and texts that a server would refuse as too long", () => {
    const outbox = open();
    expect(() => outbox.add(geral, ana, "🌻".repeat(limits.messageCharacters + 1))).toThrow(
      `may have at most ${limits.messageCharacters} characters; nothing was sent`,
    );
    for (let n = 0; n < limits.outboxMessages; n += 1) outbox.add(geral, ana, `${n}`);
    expect(() => outbox.add(geral, ana, "one more")).toThrow("1000 others wait");
    language = "pt-br";
    expect(() => outbox.add(geral, ana, "one more")).toThrow("outras 1000 esperam");
    outbox.settle(outbox.waiting[0]?.id as RequestId);
    outbox.add(geral, ana, "one more");
    expect(outbox.waiting).toHaveLength(limits.outboxMessages);
  });
});
