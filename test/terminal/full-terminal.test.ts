import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Key } from "../../src/client/core/keys.ts";
import { FullTerminal } from "../../src/client/terminal/full-terminal.ts";
import type { Host } from "../../src/platform/host.ts";

class FakeInput extends EventEmitter {
  setRawMode(): void {}
  resume(): void {}
  pause(): void {}
  types(text: string): void {
    this.emit("data", Buffer.from(text));
  }
}

const look = { hasColours: false, hasLinks: false };
let input: FakeInput;
let output: EventEmitter & { columns?: number; rows?: number };
let keys: Key[];
let terminal: FullTerminal;

beforeEach(() => {
  vi.useFakeTimers();
  input = new FakeInput();
  output = Object.assign(new EventEmitter(), { write: () => true });
  keys = [];
  const nothing = () => ({ [Symbol.dispose]: () => {} });
  const host = { input, output, onEnd: nothing, onSuspend: nothing };
  const onKey = (key: Key) => keys.push(key);
  terminal = new FullTerminal(host as unknown as Host, { onKey, onResize: () => {} }, look);
  terminal.open();
});

afterEach(() => {
  terminal[Symbol.dispose]();
  vi.useRealTimers();
});

const pasted = () => keys.flatMap(({ name, text }) => (name === "paste" ? text : [])).join("");

test("a bracketed paste in pieces with pauses is one paste, and no part of it counts as a key", () => {
  for (const piece of ["\x1b[200~one\r", "\ntwo\r", "three\x1b[2", "01~"]) {
    input.types(piece);
    vi.advanceTimersByTime(9_000);
  }
  input.types("\r");
  expect(pasted()).toBe("one\ntwo\nthree");
  expect(keys.filter(({ name }) => name !== "paste")).toEqual([{ name: "enter" }]);
});

test("the chat shows the first part of an unfinished bracketed paste after a pause of 3 s", () => {
  input.types("\x1b[200~one");
  expect(keys).toEqual([]);
  vi.advanceTimersByTime(3_000);
  expect(pasted()).toBe("one");
  input.types("two");
  vi.advanceTimersByTime(100);
  expect(pasted()).toBe("onetwo");
});

describe("a paste without brackets", () => {
  const gaps = [0, 15];

  test.each(gaps)(
    "a paste without brackets that arrives in several reads, %i ms apart, sends no line",
    (gapMs) => {
      for (const piece of ["one\r", "/part\r", "\nthree", " and more\r", "four\r"]) {
        input.types(piece);
        vi.advanceTimersByTime(gapMs);
      }
      vi.advanceTimersByTime(1_000);
      expect(pasted()).toBe("\n/part\nthree and more\nfour\n");
      expect(keys[0]).toEqual({ name: "text", text: "one" });
      expect(keys.some(({ name }) => name === "enter")).toBe(false);
    },
  );

  test("a paste without brackets sends no line if its first read is long and ends at a line end", () => {
    input.types(`${"x".repeat(4_094)}\r`);
    vi.advanceTimersByTime(60);
    input.types("/part\r");
    vi.advanceTimersByTime(1_000);
    expect(pasted()).toBe("\n/part\n");
    expect(keys.some(({ name }) => name === "enter")).toBe(false);
  });

  test("a paste without brackets ends at a pause in the input, and the next Enter sends the text", () => {
    input.types("one\rtwo\r");
    vi.advanceTimersByTime(1_000);
    input.types("\r");
    expect(keys).toEqual([
      { name: "paste", text: "one\ntwo" },
      { name: "paste", text: "\n" },
      { name: "enter" },
    ]);
  });

  test("Enter held down after a paste without brackets does not count as part of the paste", () => {
    input.types("one\rtwo");
    for (let at = 0; at < 5; at += 1) {
      vi.advanceTimersByTime(33);
      input.types("\r");
    }
    expect(keys.at(-1)).toEqual({ name: "enter" });
  });

  test("closing the terminal drops the unread rest of a paste without brackets", () => {
    input.types("one\rtwo\r");
    anotherTurn();
    vi.advanceTimersByTime(1_000);
    expect(pasted()).toBe("one\ntwo");
  });
});

test.each([
  ["key by key", [..."hi\ryou\r"], 3],
  ["by words", ["hi\r", "you\r"], 30],
])("text that is typed fast, %s, is sent at each Enter", (_how, pieces, gapMs) => {
  for (const piece of pieces) {
    input.types(piece);
    vi.advanceTimersByTime(gapMs);
  }
  const typed = keys.map(({ name, text }) => text ?? name).join(" ");
  expect(typed.replaceAll("h i", "hi").replaceAll("y o u", "you")).toBe("hi enter you enter");
});

test("Enter directly after a bracketed paste is not part of the paste", () => {
  input.types("\x1b[200~one\rtwo\x1b[201~\r");
  vi.advanceTimersByTime(30);
  expect(keys).toEqual([{ name: "paste", text: "one\ntwo" }, { name: "enter" }]);
});

function anotherTurn(): void {
  terminal.close();
  terminal.open();
}

test.each([
  ["Ctrl-C", () => input.types("\x03"), [{ name: "text", text: "c", ctrl: true }]],
  ["a long silence", () => vi.advanceTimersByTime(60_000), []],
  ["closing and reopening the terminal", anotherTurn, []],
])("%s ends a bracketed paste whose closing bracket never arrives", (_how, end, pressed) => {
  input.types("\x1b[200~one");
  vi.advanceTimersByTime(3_000);
  end();
  input.types("\r");
  expect(keys).toEqual([{ name: "paste", text: "one" }, ...pressed, { name: "enter" }]);
});

test("Ctrl-C that arrives without a pause within a bracketed paste is part of the paste", () => {
  for (const piece of ["\x1b[200~one", "\x03", "two\x1b[201~"]) input.types(piece);
  expect(keys).toEqual([{ name: "paste", text: "one\x03two" }]);
});

test("a terminal that reports no size counts as 80 columns and 24 rows", () => {
  expect(terminal.size).toEqual({ columns: 80, rows: 24 });
  Object.assign(output, { columns: 0, rows: 0 });
  expect(terminal.size).toEqual({ columns: 80, rows: 24 });
  Object.assign(output, { columns: 30, rows: 10 });
  expect(terminal.size).toEqual({ columns: 30, rows: 10 });
});

test("the chat sets the terminal's mode before its first write, so the system stops a background chat before it writes", () => {
  terminal.close();
  const order: string[] = [];
  input.setRawMode = () => order.push("mode");
  Object.assign(output, { write: () => order.push("written") });
  terminal.open();
  expect(order).toEqual(["mode", "written"]);
});
