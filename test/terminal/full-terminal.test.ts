import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
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

let input: FakeInput;
let output: EventEmitter & { columns?: number; rows?: number };
let keys: Key[];
let terminal: FullTerminal;

beforeEach(() => {
  vi.useFakeTimers();
  input = new FakeInput();
  output = Object.assign(new EventEmitter(), { write: () => true });
  keys = [];
  const host = { input, output, onEnd: () => ({ [Symbol.dispose]: () => {} }) };
  const onKey = (key: Key) => keys.push(key);
  terminal = new FullTerminal(host as unknown as Host, { onKey, onResize: () => {} }, false);
  terminal.open();
});

afterEach(() => {
  terminal[Symbol.dispose]();
  vi.useRealTimers();
});

const pasted = () => keys.flatMap(({ name, text }) => (name === "paste" ? text : [])).join("");

test("a paste that stands still for a while is one, and nothing of it is a key", () => {
  for (const piece of ["\x1b[200~one\r", "\ntwo\r", "three\x1b[2", "01~"]) {
    input.types(piece);
    vi.advanceTimersByTime(9_000);
  }
  input.types("\r");
  expect(pasted()).toBe("one\ntwo\nthree");
  expect(keys.filter(({ name }) => name !== "paste")).toEqual([{ name: "enter" }]);
});

test("of a paste that stands still what is there is shown", () => {
  input.types("\x1b[200~one");
  expect(keys).toEqual([]);
  vi.advanceTimersByTime(3_000);
  expect(pasted()).toBe("one");
  input.types("two");
  vi.advanceTimersByTime(100);
  expect(pasted()).toBe("onetwo");
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

test("a terminal that does not know its size has that of a common one", () => {
  expect(terminal.size).toEqual({ columns: 80, rows: 24 });
  Object.assign(output, { columns: 0, rows: 0 });
  expect(terminal.size).toEqual({ columns: 80, rows: 24 });
  Object.assign(output, { columns: 30, rows: 10 });
  expect(terminal.size).toEqual({ columns: 30, rows: 10 });
});
