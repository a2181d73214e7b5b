import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeKeys, type Key } from "../../../src/client/core/keys.ts";

test("a paste keeps its lines, and sends nothing", () => {
  const { keys } = decodeKeys("\x1b[200~um\r\ndois\x1b[201~\r");
  expect(keys).toEqual([{ name: "paste", text: "um\ndois" }, { name: "enter" }]);
  // A paste that comes in pieces sends nothing either.
  const half = decodeKeys("\x1b[200~um\rdo");
  expect(half.keys).toEqual([]);
  expect(decodeKeys(`${half.rest}is\x1b[201~`).keys).toEqual([{ name: "paste", text: "um\ndois" }]);
});

test("a sequence that comes in pieces is one key; a lone escape is Esc", () => {
  expect(decodeKeys("\x1b[5")).toEqual({ keys: [], rest: "\x1b[5" });
  expect(decodeKeys("\x1b[5~").keys).toEqual([{ name: "pageUp" }]);
  expect(decodeKeys("\x1b", true).keys).toEqual([{ name: "escape" }]);
  expect(decodeKeys("\x1b1").keys).toEqual([{ name: "text", text: "1", alt: true }]);
  expect(decodeKeys("\x1b[1;3A").keys).toEqual([{ name: "up", alt: true }]);
  expect(decodeKeys("\x1b[99;1q").keys).toEqual([{ name: "unknown" }]);
});

test.each([
  ["a mouse's click in xterm's first format", "\x1b[M !!"],
  ["the same beyond column 95", "\x1b[M \u00e0\r"],
  ["a mouse's click in today's format", "\x1b[<0;35;12M"],
  ["the end of a click", "\x1b[<0;35;12m"],
  ["a mouse's click in urxvt's format", "\x1b[32;35;12M"],
  ["a change of focus", "\x1b[I"],
  ["the type of the terminal", "\x1b[?62;22c"],
  ["a report of a mode", "\x1b[?1;2$y"],
  ["a function key of the console", "\x1b[[A"],
  ["a function key", "\x1bOP"],
  ["a colour, up to BEL", "\x1b]11;rgb:0000/0000/0000\x07"],
  ["a colour, up to ST", "\x1b]11;rgb:0000/0000/0000\x1b\\"],
  ["a name and version", "\x1bP>|xterm(390)\x1b\\"],
])("%s types nothing, in however many pieces it comes", (_what, sequence) => {
  expect(decodeKeys(`${sequence}x`).keys).toEqual([
    { name: "unknown" },
    { name: "text", text: "x" },
  ]);
  for (let at = 1; at < sequence.length; at += 1) {
    expect(decodeKeys(sequence.slice(0, at))).toEqual({ keys: [], rest: sequence.slice(0, at) });
  }
});

test("an unfinished sequence is a key with Alt, or nothing", () => {
  expect(decodeKeys("\x1bP", true).keys).toEqual([{ name: "text", text: "P", alt: true }]);
  expect(decodeKeys("\x1bO\r").keys).toEqual([
    { name: "text", text: "O", alt: true },
    { name: "enter" },
  ]);
  expect(decodeKeys("\x1b[<0;35", true)).toEqual({ keys: [{ name: "unknown" }], rest: "" });
  expect(decodeKeys("\x1bOM").keys).toEqual([{ name: "enter" }]);
});

test.each<[string, Key]>([
  ["\x01", { name: "text", text: "a", ctrl: true }],
  ["\b", { name: "backspace" }],
  ["\x7f", { name: "backspace" }],
  ["\x1b\x7f", { name: "backspace", alt: true }],
  ["\x1b\r", { name: "enter", alt: true }],
  ["\r\n", { name: "enter" }],
  ["\t", { name: "tab" }],
  ["\x1b[Z", { name: "backtab" }],
  ["\x1bOH", { name: "home" }],
  ["\x1b[4~", { name: "end" }],
  ["\x1b[1;5D", { name: "left", ctrl: true }],
  ["\x1b[3;7~", { name: "delete", alt: true, ctrl: true }],
  ["\x1b\u65e5", { name: "text", text: "\u65e5", alt: true }],
])("%j is one key", (input, key) => {
  expect(decodeKeys(input)).toEqual({ keys: [key], rest: "" });
});

test("keys are the same in however many pieces they come, but for bursts of text", () => {
  const piece = fc.oneof(
    fc.constantFrom("\x1b[A", "\x1b[1;5D", "\x1bOM", "\r", "\x03", "\x1b1", "\x1b[<0;3;1M"),
    fc.string({ unit: "grapheme-ascii", maxLength: 3 }),
    fc.constant("\x1b[200~one\rtwo\x1b[201~"),
  );
  /** Each character of a text as a key of its own. */
  const apart = (keys: readonly Key[]) =>
    keys.flatMap((key) =>
      key.name === "text" ? Array.from(key.text ?? "", (text) => ({ ...key, text })) : key,
    );
  fc.assert(
    fc.property(fc.array(piece), fc.nat(), (pieces, seed) => {
      const input = pieces.join("");
      const at = input === "" ? 0 : seed % input.length;
      const before = decodeKeys(input.slice(0, at));
      const after = decodeKeys(before.rest + input.slice(at));
      const whole = decodeKeys(input);
      // A line's end that is cut between its two halves is two of them.
      fc.pre(!(input[at - 1] === "\r" && input[at] === "\n"));
      expect(apart([...before.keys, ...after.keys])).toEqual(apart(whole.keys));
      expect(after.rest).toBe(whole.rest);
    }),
  );
});
