import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeKeys, type Key } from "../../../src/client/core/keys.ts";

test("a bracketed paste is one key that keeps its line breaks, none of which counts as Enter", () => {
  const { keys } = decodeKeys("\x1b[200~um\r\ndois\x1b[201~\r");
  expect(keys).toEqual([{ name: "paste", text: "um\ndois" }, { name: "enter" }]);
  // Line breaks of a paste that arrives in two pieces do not count as Enter.
  const half = decodeKeys("\x1b[200~um\rdo");
  expect(half.keys).toEqual([]);
  expect(decodeKeys(`${half.rest}is\x1b[201~`).keys).toEqual([{ name: "paste", text: "um\ndois" }]);
});

test("the beginning of an escape sequence waits for its rest, and a lone escape character at the input's end is Esc", () => {
  expect(decodeKeys("\x1b[5")).toEqual({ keys: [], rest: "\x1b[5" });
  expect(decodeKeys("\x1b[5~").keys).toEqual([{ name: "pageUp" }]);
  expect(decodeKeys("\x1b", true).keys).toEqual([{ name: "escape" }]);
  expect(decodeKeys("\x1b1").keys).toEqual([{ name: "text", text: "1", alt: true }]);
  expect(decodeKeys("\x1b[1;3A").keys).toEqual([{ name: "up", alt: true }]);
  expect(decodeKeys("\x1b[99;1q").keys).toEqual([{ name: "unknown" }]);
});

test.each([
  ["a mouse click in xterm's first format", "\x1b[M !!"],
  ["a mouse click beyond column 95", "\x1b[M \u00e0\r"],
  ["a mouse click in the SGR format", "\x1b[<0;35;12M"],
  ["the release of a mouse button", "\x1b[<0;35;12m"],
  ["a mouse click in urxvt's format", "\x1b[32;35;12M"],
  ["a change of focus", "\x1b[I"],
  ["a report of the terminal's type", "\x1b[?62;22c"],
  ["a report of a mode", "\x1b[?1;2$y"],
  ["a function key of the console", "\x1b[[A"],
  ["a function key", "\x1bOP"],
  ["a report of a colour, ended by BEL", "\x1b]11;rgb:0000/0000/0000\x07"],
  ["a report of a colour, ended by ST", "\x1b]11;rgb:0000/0000/0000\x1b\\"],
  ["a report of the terminal's name and version", "\x1bP>|xterm(390)\x1b\\"],
])(
  "%s counts as an unknown key and types no text, whether it arrives whole or in pieces",
  (_what, sequence) => {
    expect(decodeKeys(`${sequence}x`).keys).toEqual([
      { name: "unknown" },
      { name: "text", text: "x" },
    ]);
    for (let at = 1; at < sequence.length; at += 1) {
      expect(decodeKeys(sequence.slice(0, at))).toEqual({ keys: [], rest: sequence.slice(0, at) });
    }
  },
);

test("an unfinished escape sequence is decoded as a key with Alt or as an unknown key", () => {
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
])("the input %j is decoded as one key", (input, key) => {
  expect(decodeKeys(input)).toEqual({ keys: [key], rest: "" });
});

test("input in two pieces decodes to the same keys as the whole input, except that a text may become two texts", () => {
  const piece = fc.oneof(
    fc.constantFrom("\x1b[A", "\x1b[1;5D", "\x1bOM", "\r", "\x03", "\x1b1", "\x1b[<0;3;1M"),
    fc.string({ unit: "grapheme-ascii", maxLength: 3 }),
    fc.constant("\x1b[200~one\rtwo\x1b[201~"),
  );
  /** Returns the keys with each text split into one key per character. */
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
      // A cut between CR and LF would make two line ends of one, so such cuts are left out.
      fc.pre(!(input[at - 1] === "\r" && input[at] === "\n"));
      expect(apart([...before.keys, ...after.keys])).toEqual(apart(whole.keys));
      expect(after.rest).toBe(whole.rest);
    }),
  );
});
