import { encode as encodeByLibrary } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MsgpackEncoder } from "../../src/protocol/msgpack-encoder.ts";
import { bytes } from "../support/message-pack.ts";

const encoder = new MsgpackEncoder();
const encodeHere = (value: unknown) => Buffer.from(encoder.encode(value));
const expected = (value: unknown) => Buffer.from(encodeByLibrary(value, { ignoreUndefined: true }));

describe("the encoder", () => {
  test("[W10] any value of a message is encoded to the same bytes as by the library", () => {
    const value = fc.anything({
      maxDepth: 5,
      withNullPrototype: true,
      values: [
        fc.boolean(),
        fc.constant(null),
        fc.constant(undefined),
        fc.integer(),
        fc.maxSafeInteger(),
        fc.double(),
        fc.string({ unit: "binary", maxLength: 400 }),
        fc.string({ unit: "binary-ascii", maxLength: 40 }),
        fc.uint8Array({ maxLength: 400 }),
      ],
    });
    fc.assert(
      fc.property(value, (any) => {
        expect(encodeHere(any)).toEqual(expected(any));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([31, 32, 255, 256, 65_535, 65_536, 200_000])(
    "[W10] texts and binary values of %d bytes are encoded to the same bytes as by the library",
    (length) => {
      const values = ["x".repeat(length), "é".repeat(length), new Uint8Array(length)];
      for (const value of values) expect(encodeHere(value)).toEqual(expected(value));
    },
  );

  test.each([15, 16, 65_535, 65_536])(
    "[W10] arrays and maps of %d values are encoded to the same bytes as by the library",
    (length) => {
      const list = Array.from({ length }, (_, index) => index);
      const map = Object.fromEntries(list.map((index) => [`key ${index}`, index]));
      for (const value of [list, map]) expect(encodeHere(value)).toEqual(expected(value));
    },
  );

  test("[W10] integers at the limits of each size are encoded to the same bytes as by the library", () => {
    for (let exponent = 0; exponent < 53; exponent += 1) {
      for (const near of [-1, 0, 1]) {
        for (const value of [2 ** exponent + near, -(2 ** exponent) + near, -0]) {
          expect(encodeHere(value)).toEqual(expected(value));
        }
      }
    }
  });

  test("[W14] a lone surrogate becomes U+FFFD in a text of any length", () => {
    const replaced = Buffer.from("a\ufffdb");
    expect(encodeHere("a\ud800b")).toEqual(bytes(0xa5, replaced));
    const long = "x".repeat(100);
    expect(encodeHere(`${long}\ud800`)).toEqual(bytes(0xd9, 103, Buffer.from(`${long}\ufffd`)));
  });

  test("a payload does not change when the next one is encoded", () => {
    const first = encoder.encode(["first"]);
    encoder.encode(["other"]);
    expect(first).toEqual(new MsgpackEncoder().encode(["first"]));
  });

  test("after a value that can't be encoded, the next value is encoded", () => {
    for (const wrong of [1n, () => {}, Symbol()]) {
      expect(() => encoder.encode(["before", wrong])).toThrow(/can't be encoded/);
    }
    expect(encodeHere(["after"])).toEqual(expected(["after"]));
  });
});
