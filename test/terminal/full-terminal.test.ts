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

test("a paste with a pause is one paste, and nothing in it counts as a key", () => {
  for (const piece of ["\x1b[200~one\r", "\ntwo\r", "three\x1b[2", "01~"]) {
    input.types(piece);
    vi.advanceTimersByTime(9_000);
  }
  input.types("\r");
  expect(pasted()).toBe("one\ntwo\nthree");
  expect(keys.filter(({ name }) => name !== "paste")).toEqual([{ name: "enter" }]);
});

test("a paste that has paused is shown as far as it has come", () => {
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

  test.each(gaps)("is kept together over several reads, %i ms apart", (gapMs) => {
    for (const piece of ["one\r", "/part\r", "\nthree", " and more\r", "four\r"]) {
      input.types(piece);
      vi.advanceTimersByTime(gapMs);
    }
    vi.advanceTimersByTime(1_000);
    expect(pasted()).toBe("\n/part\nthree and more\nfour\n");
    expect(keys[0]).toEqual({ name: "text", text: "one" });
    expect(keys.some(({ name }) => name === "enter")).toBe(false);
  });

  test("is kept together if a long read ends at the end of its first line", () => {
    input.types(`${"x".repeat(4_094)}\r`);
    vi.advanceTimersByTime(60);
    input.types("/part\r");
    vi.advanceTimersByTime(1_000);
    expect(pasted()).toBe("\n/part\n");
    expect(keys.some(({ name }) => name === "enter")).toBe(false);
  });

  test("ends, and Enter sends again", () => {
    input.types("one\rtwo\r");
    vi.advanceTimersByTime(1_000);
    input.types("\r");
    expect(keys).toEqual([
      { name: "paste", text: "one\ntwo" },
      { name: "paste", text: "\n" },
      { name: "enter" },
    ]);
  });

  test("is not kept going by a key that is held down", () => {
    input.types("one\rtwo");
    for (let at = 0; at < 5; at += 1) {
      vi.advanceTimersByTime(33);
      input.types("\r");
    }
    expect(keys.at(-1)).toEqual({ name: "enter" });
  });

  test("is dropped when the terminal is given back", () => {
    input.types("one\rtwo\r");
    anotherTurn();
    vi.advanceTimersByTime(1_000);
    expect(pasted()).toBe("one\ntwo");
  });
});

test.each([
  ["key by key", [..."hi\ryou\r"], 3],
  ["by words", ["hi\r", "you\r"], 30],
])("what is typed fast, %s, is sent line by line", (_how, pieces, gapMs) => {
  for (const piece of pieces) {
    input.types(piece);
    vi.advanceTimersByTime(gapMs);
  }
  const typed = keys.map(({ name, text }) => text ?? name).join(" ");
  expect(typed.replaceAll("h i", "hi").replaceAll("y o u", "you")).toBe("hi enter you enter");
});

test("Enter directly behind a paste with brackets sends it", () => {
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
  ["another's turn at the terminal", anotherTurn, []],
])("%s ends a paste whose end never comes", (_how, end, pressed) => {
  input.types("\x1b[200~one");
  vi.advanceTimersByTime(3_000);
  end();
  input.types("\r");
  expect(keys).toEqual([{ name: "paste", text: "one" }, ...pressed, { name: "enter" }]);
});

test("Ctrl-C within a paste that goes on is a part of it", () => {
  for (const piece of ["\x1b[200~one", "\x03", "two\x1b[201~"]) input.types(piece);
  expect(keys).toEqual([{ name: "paste", text: "one\x03two" }]);
});

test("a terminal that does not know its size counts as one of 80 columns and 24 rows", () => {
  expect(terminal.size).toEqual({ columns: 80, rows: 24 });
  Object.assign(output, { columns: 0, rows: 0 });
  expect(terminal.size).toEqual({ columns: 80, rows: 24 });
  Object.assign(output, { columns: 30, rows: 10 });
  expect(terminal.size).toEqual({ columns: 30, rows: 10 });
});

test("nothing is written before the terminal has taken its mode, which stops a job in the background", () => {
  terminal.close();
  const order: string[] = [];
  input.setRawMode = () => order.push("mode");
  Object.assign(output, { write: () => order.push("written") });
  terminal.open();
  expect(order).toEqual(["mode", "written"]);
});
