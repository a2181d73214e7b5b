import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PromptInput } from "../../src/client/terminal/prompt-input.ts";
import type { LentTerminal } from "../../src/platform/job-control.ts";

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

/** The input's handlers for Ctrl-Z and `fg` of a shell. */
let job: LentTerminal;

function question(terminal: FakeTerminal, drawn = { giveBack: vi.fn(), takeAgain: vi.fn() }) {
  const suspend = vi.fn(() => job.giveBack());
  const onSuspend = (lent: LentTerminal) => {
    job = lent;
    return { suspend, [Symbol.dispose]: () => {} };
  };
  return new PromptInput({ input: terminal, onSuspend } as never, drawn);
}
const readBy = (input: PromptInput) => {
  vi.advanceTimersByTime(1_000);
  return String(input.read() ?? "");
};

test.each([
  ["a word and Enter", ["ana\r"], "ana\r"],
  ["a word key by key", [..."ana\r"], "ana\r"],
  ["a cursor key", ["\x1b[D"], "\x1b[D"],
  ["a password that was pasted twice", ["secret\rsecret\r"], "secret secret"],
  [
    "a password that was pasted twice, in several reads",
    ["secret\r", "secret", "\r"],
    "secret secret",
  ],
  ["a paste with brackets", ["\x1b[200~one\rtwo\r\x1b[201~"], "one two"],
])("a prompt reads one line from %s", (_what, pieces, line) => {
  const terminal = new FakeTerminal();
  using input = question(terminal);
  for (const piece of pieces) terminal.emit("data", Buffer.from(piece));
  expect(readBy(input)).toBe(line);
});

test("closing a prompt restores the terminal's mode and removes the prompt's listeners", () => {
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

test("Ctrl-Z gives the terminal to the shell, and the prompt keeps its begun answer when the job resumes", () => {
  const terminal = new FakeTerminal();
  const drawn = { giveBack: vi.fn(), takeAgain: vi.fn() };
  using input = question(terminal, drawn);
  input.setRawMode(true);
  const paused = vi.fn();
  input.on("pause", paused);
  terminal.emit("data", Buffer.from("an\x1a"));
  expect(terminal).toMatchObject({ isRaw: false, isPaused: true });
  expect(drawn.giveBack).toHaveBeenCalledOnce();
  // The job is stopped again before it has taken the terminal back.
  job.giveBack();
  drawn.takeAgain.mockImplementation(() => expect(terminal.isRaw).toBe(true));
  job.takeAgain();
  job.takeAgain();
  expect(drawn.giveBack).toHaveBeenCalledOnce();
  expect(drawn.takeAgain).toHaveBeenCalledOnce();
  terminal.emit("data", Buffer.from("a\r"));
  expect(paused).not.toHaveBeenCalled();
  expect(readBy(input)).toBe("ana\r");
});
