import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PromptInput } from "../../src/client/terminal/prompt-input.ts";

class FakeTerminal extends EventEmitter {
  isRaw = false;
  isPaused = true;
  setRawMode(isRaw: boolean): void {
    this.isRaw = isRaw;
  }
  resume(): void {
    this.isPaused = false;
  }
  pause(): void {
    this.isPaused = true;
  }
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const question = (terminal: FakeTerminal) => new PromptInput(terminal as never);
const readBy = (input: PromptInput) => {
  vi.advanceTimersByTime(1_000);
  return String(input.read() ?? "");
};

test.each([
  ["a word and Enter", ["ana\r"], "ana\r"],
  ["a word key by key", [..."ana\r"], "ana\r"],
  ["a key that moves", ["\x1b[D"], "\x1b[D"],
  ["a password that was pasted twice", ["secret\rsecret\r"], "secret secret"],
  ["the same in several reads", ["secret\r", "secret", "\r"], "secret secret"],
  ["a paste with brackets", ["\x1b[200~one\rtwo\r\x1b[201~"], "one two"],
])("a question gets one line from %s", (_what, pieces, line) => {
  const terminal = new FakeTerminal();
  using input = question(terminal);
  for (const piece of pieces) terminal.emit("data", Buffer.from(piece));
  expect(readBy(input)).toBe(line);
});

test("the terminal is left as it was, for the next question", () => {
  const terminal = new FakeTerminal();
  {
    using input = question(terminal);
    input.setRawMode(true);
    expect(terminal).toMatchObject({ isRaw: true, isPaused: false });
    input.setRawMode(false);
  }
  expect(terminal).toMatchObject({ isRaw: false, isPaused: true });
  expect(terminal.listenerCount("data") + terminal.listenerCount("end")).toBe(0);
});
