import fc from "fast-check";
import { expect, test } from "vitest";
import { decodePlainText, plainText } from "../../src/protocol/plain-text.ts";

const line = fc.stringMatching(/^[ -~é日]{0,12}$/);
const lines = fc.array(line, { minLength: 1, maxLength: 6 });

test("a text has the same lines whatever its line ends, with or without a byte order mark", () => {
  fc.assert(
    fc.property(
      lines,
      fc.constantFrom("\n", "\r\n", "\r"),
      fc.boolean(),
      (given, end, isMarked) => {
        const text = (isMarked ? "\ufeff" : "") + given.map((one) => one + end).join("");
        expect(plainText(text)).toBe(given.join("\n"));
      },
    ),
  );
});

test("a byte order mark at the beginning of any line of a file is removed", () => {
  expect(plainText("\ufeffone\r\n\ufefftwo\ufeff three")).toBe("one\ntwo\ufeff three");
});

test("only the last of several line ends at the end of a text is removed", () => {
  expect(plainText("one\u2028two\u0085\u000b\n\n")).toBe("one\u2028two\u0085\u000b\n");
});

test.each([
  ["UTF-8", Buffer.from("olá\r\nana\r\n")],
  ["UTF-8 with a mark", Buffer.from("\ufeffolá\r\nana\r\n")],
  ["UTF-16, as Windows writes it", Buffer.from("\ufeffolá\r\nana\r\n", "utf16le")],
  ["UTF-16 of the other order", Buffer.from("\ufeffolá\r\nana\r\n", "utf16le").swap16()],
])("a file in %s is read as the same text", (_encoding, bytes) => {
  expect(decodePlainText(bytes)).toBe("olá\nana");
});
