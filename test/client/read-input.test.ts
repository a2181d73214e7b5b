import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { linesOf, readAll } from "../../src/client/commands/read-input.ts";

/** A stream of `bytes` in pieces of the given sizes; the last piece has the rest. */
function inPieces(bytes: Buffer, sizes: readonly number[]): Readable {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    if (at < bytes.length) pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  if (at < bytes.length) pieces.push(bytes.subarray(at));
  return Readable.from(pieces);
}

async function allOf(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

const line = fc.stringMatching(/^[ -~é日]{1,12}$/);
const lines = fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n", "\r")), { minLength: 1 });
const sizes = fc.array(fc.integer({ min: 1, max: 9 }));

test("a command splits its input into lines at LF, CR LF or CR, even if the bytes arrive in arbitrary pieces", async () => {
  await fc.assert(
    fc.asyncProperty(lines, sizes, async (given, cuts) => {
      const bytes = Buffer.from(`\ufeff${given.flat().join("")}last`);
      const found = await allOf(linesOf(inPieces(bytes, cuts)));
      expect(found).toEqual([...given.map(([text]) => text), "last"]);
    }),
  );
});

test("an input line is returned when its CR arrives, without waiting for an LF", async () => {
  const input = new Readable({ read: () => {} });
  const found = linesOf(input);
  input.push("one\r");
  expect(await found.next()).toMatchObject({ value: "one" });
  input.push("\ntwo\n");
  expect(await found.next()).toMatchObject({ value: "two" });
  input.push(null);
  expect(await found.next()).toMatchObject({ done: true });
});

test("the Unicode line separator U+2028 does not end an input line, so a text can't hide a command", async () => {
  const input = Readable.from([Buffer.from("one\u2028/quit\u0085/part\n")]);
  expect(await allOf(linesOf(input))).toEqual(["one\u2028/quit\u0085/part"]);
});

test("a text from the input is accepted up to the greatest allowed length, and a longer text is refused", async () => {
  const input = (text: string) => inPieces(Buffer.from(text), [5, 1, 1, 1]);
  expect(await readAll(input("\ufeff日日日\r\n日日\r\n"), 6)).toBe("日日日\n日日");
  expect(await readAll(input("\r\n".repeat(10)), 9)).toBe("\n".repeat(9));
  expect(await readAll(input("日日日日日日日"), 6)).toBeUndefined();
  expect(await readAll(input("x".repeat(1_000)), 6)).toBeUndefined();
});
