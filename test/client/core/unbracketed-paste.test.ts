import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOf } from "../../../src/client/core/key-bytes.ts";
import { decodeKeys, type Key } from "../../../src/client/core/keys.ts";
import { asPaste, isUnbracketedPaste } from "../../../src/client/core/unbracketed-paste.ts";

const keysOf = (input: string) => decodeKeys(input, true).keys;
const line = fc.stringMatching(/^[ -~\u00e1\u65e5]{1,20}$/);
const lineEnd = fc.constantFrom("\r", "\n", "\r\n");

describe("a piece of input without paste brackets", () => {
  test.each(["hello\r", "hello\r\n", "\r", "a", "\r\r", "one\x1b\rtwo\r", "\r\x1b1", "foo\t"])(
    "input without paste brackets counts as typed if no text follows a line end: %j",
    (input) => expect(isUnbracketedPaste(keysOf(input))).toBe(false),
  );

  test("input without paste brackets is one paste of all its lines if text follows a line end", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(line, lineEnd), { minLength: 2 }), (lines) => {
        const keys = keysOf(lines.flat().join(""));
        expect(isUnbracketedPaste(keys)).toBe(true);
        const text = lines.map(([words]) => `${words}\n`).join("");
        expect(asPaste(keys)).toEqual([{ name: "paste", text }]);
      }),
    );
  });
});

test("a paste without brackets keeps tabs and control characters as text, and drops colour sequences", () => {
  const keys = keysOf("\x1b[31mdef\r\treturn\x03\x04\x1b[0m\r");
  const kept = asPaste(keys).filter(({ name }) => name !== "unknown");
  expect(kept.map(({ text }) => text).join("")).toBe("def\n\treturn\x03\x04\n");
});

test("in a paste without brackets, Backspace erases a letter, because the paste may be keys typed over a slow line", () => {
  expect(asPaste(keysOf("hello\rho\x7f\x7fyou"))).toEqual([
    { name: "paste", text: "hello\nho" },
    { name: "backspace" },
    { name: "backspace" },
    { name: "paste", text: "you" },
  ]);
});

describe("a key that is passed to another program", () => {
  const names = "up down left right home end backtab delete pageUp pageDown".split(" ");
  const moves = fc.record({
    name: fc.constantFrom(...(names as Key["name"][])),
    alt: fc.boolean(),
    ctrl: fc.boolean(),
  });
  const others = fc.constantFrom<Key>(
    { name: "enter" },
    { name: "tab" },
    { name: "backspace" },
    { name: "escape" },
    { name: "text", text: "é" },
    { name: "text", text: "c", ctrl: true },
    { name: "text", text: "b", alt: true },
  );

  test("encoding a key as bytes and decoding these bytes gives the same key", () => {
    fc.assert(
      fc.property(fc.oneof(moves, others), (key) => {
        const { keys } = decodeKeys(bytesOf(key), true);
        const told = Object.entries(key).filter(([, value]) => value !== false);
        expect(keys).toEqual([Object.fromEntries(told)]);
      }),
    );
  });

  test("for a program that reads one line, the chat turns a pasted text into one line without control characters", () => {
    expect(bytesOf({ name: "paste", text: "one\n\n two\x03\tthree\n" })).toBe("one  two three");
  });
});
