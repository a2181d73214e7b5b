import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode } from "../../src/protocol/codec.ts";
import { assertShape } from "../../src/protocol/msgpack-shape.ts";
import { bytes } from "../support/message-pack.ts";

const size = 64 * 1024;

/** Array headers one in the other, each of which promises all the bytes that are left. */
function arrayBomb(): Uint8Array {
  const bomb = Buffer.alloc(size);
  for (let at = 0; at + 3 <= size; at += 3) {
    bomb[at] = 0xdc;
    bomb.writeUInt16BE(Math.min(0xffff, size - at - 3), at + 1);
  }
  return bomb;
}

describe("payloads that promise more than they hold", () => {
  const filled = (first: number[], fill: number) =>
    bytes(Buffer.from(first), Buffer.alloc(size, fill));
  const bombs: [string, Uint8Array][] = [
    ["nested arrays of all that is left", arrayBomb()],
    ["nested arrays of 65,535", Buffer.alloc(size, Buffer.of(0xdc, 0xff, 0xff))],
    ["nested arrays of 4 billion", Buffer.alloc(size, 0xdd)],
    ["nested maps of 4 billion", Buffer.alloc(size, 0xdf)],
    ["nested arrays of one", Buffer.alloc(size, 0x91)],
    ["nested maps of one", Buffer.alloc(size, 0x81)],
    ["one array of 4 billion", filled([0xdd, 0xff, 0xff, 0xff, 0xff], 0xc0)],
    ["one map of as many entries as bytes", filled([0xdf, 0, 1, 0, 0], 0xc0)],
    ["a string of 4 billion", filled([0xdb, 0xff, 0xff, 0xff, 0xff], 0x61)],
    ["binary of 4 billion", filled([0xc6, 0xff, 0xff, 0xff, 0xff], 0x61)],
  ];

  test.each(bombs)("[W7] %s is refused without taking memory for it", (_, bomb) => {
    const before = process.memoryUsage();
    for (let round = 0; round < 50; round += 1) expect(() => decode(bomb)).toThrow(/payload/);
    const after = process.memoryUsage();
    // Decoding one of them took gigabytes.
    expect(after.rss - before.rss).toBeLessThan(100 * 1024 * 1024);
  });

  test("[W7] an empty payload and the byte that is never used are refused", () => {
    expect(() => assertShape(new Uint8Array(0))).toThrow(/too early/);
    expect(() => assertShape(bytes(0xc1))).toThrow(/not MessagePack/);
    expect(() => assertShape(bytes(0x92, 0x01, 0xc1))).toThrow(/not MessagePack/);
  });
});

describe("payloads that are whole", () => {
  const levels = (count: number) => {
    let value: unknown = 1;
    for (let level = 0; level < count; level += 1) value = [value];
    return encode(value);
  };

  test("[W10] 16 levels are enough for every message, 17 are too deep", () => {
    expect(() => assertShape(levels(16))).not.toThrow();
    expect(() => assertShape(levels(17))).toThrow(/too deeply/);
  });

  test("[W10] whatever the library encodes passes", () => {
    const value = fc.anything({
      maxDepth: 5,
      withDate: true,
      withTypedArray: true,
      withNullPrototype: true,
      values: [
        fc.boolean(),
        fc.constant(null),
        fc.integer(),
        fc.maxSafeInteger(),
        fc.double(),
        fc.string({ unit: "binary", maxLength: 400 }),
        fc.uint8Array({ maxLength: 400 }),
      ],
    });
    fc.assert(
      fc.property(value, (any) => {
        const payload = encode(any, { ignoreUndefined: true });
        expect(() => assertShape(payload)).not.toThrow();
      }),
      { numRuns: 1_000 },
    );
  });

  test("[W10] each prefix of it is refused", () => {
    const payload = encode({
      list: [1, -1, 300, 70_000, 2 ** 40, 1.5, null, true, "x".repeat(300), "short"],
      data: new Uint8Array(300),
      map: { time: new Date(0), deep: { deeper: [[], {}] } },
    });
    assertShape(payload);
    for (let length = 0; length < payload.length; length += 1) {
      expect(() => assertShape(payload.slice(0, length))).toThrow(/too early/);
    }
  });

  const extension = (header: number[], length: number) => bytes(...header, Buffer.alloc(length));
  test.each([
    ["float32", extension([0xca], 4)],
    ["uint64", extension([0xcf], 8)],
    ["int16", extension([0xd1], 2)],
    ["fixext 1", extension([0xd4, 5], 1)],
    ["fixext 2", extension([0xd5, 5], 2)],
    ["fixext 4", extension([0xd6, 5], 4)],
    ["fixext 8", extension([0xd7, 5], 8)],
    ["fixext 16", extension([0xd8, 5], 16)],
    ["ext 8", extension([0xc7, 3, 5], 3)],
    ["ext 16", extension([0xc8, 0, 3, 5], 3)],
    ["ext 32", extension([0xc9, 0, 0, 0, 3, 5], 3)],
    ["str 16", extension([0xda, 0, 3], 3)],
    ["str 32", extension([0xdb, 0, 0, 0, 3], 3)],
    ["bin 16", extension([0xc5, 0, 3], 3)],
    ["array 32", extension([0xdd, 0, 0, 0, 3], 3)],
    ["map 16", extension([0xde, 0, 2], 4)],
  ])("[W10] %s is measured right: all of it, and not a byte less", (_, payload) => {
    expect(() => assertShape(payload)).not.toThrow();
    expect(() => assertShape(payload.slice(0, -1))).toThrow(/too early/);
    // Two in an array end where the second ends.
    expect(() => assertShape(bytes(0x92, payload, payload))).not.toThrow();
    expect(() => assertShape(bytes(0x92, payload, payload.slice(0, -1)))).toThrow(/too early/);
  });

  test("[W7] on any bytes it either passes or throws an error that says why", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (payload) => {
        try {
          assertShape(payload);
        } catch (error) {
          expect((error as Error).message).toMatch(/^the payload /);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
