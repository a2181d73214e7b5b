import { Decoder, ExtensionCodec, encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode } from "../../src/protocol/codec.ts";
import { elementsOf, MsgpackDecoder } from "../../src/protocol/msgpack-decoder.ts";
import { bytes } from "../support/message-pack.ts";

const size = 64 * 1024;

/** Nested array headers, each of which promises as many elements as bytes remain. */
function arrayBomb(): Uint8Array {
  const bomb = Buffer.alloc(size);
  for (let at = 0; at + 3 <= size; at += 3) {
    bomb[at] = 0xdc;
    bomb.writeUInt16BE(Math.min(0xffff, size - at - 3), at + 1);
  }
  return bomb;
}

describe("a payload whose headers promise more than the payload holds", () => {
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

  test.each(bombs)("[W7] a payload of %s is refused without taking memory for it", (_, bomb) => {
    const before = process.memoryUsage();
    for (let round = 0; round < 50; round += 1) expect(() => decode(bomb)).toThrow(/payload/);
    const after = process.memoryUsage();
    // A decoder that trusts the headers takes gigabytes for one such payload.
    expect(after.rss - before.rss).toBeLessThan(100 * 1024 * 1024);
  });

  test("[W7] an empty payload and the byte 0xc1 are refused", () => {
    expect(() => decode(new Uint8Array(0))).toThrow(/too early/);
    expect(() => decode(bytes(0xc1))).toThrow(/not MessagePack/);
    expect(() => decode(bytes(0x92, 0x01, 0xc1))).toThrow(/not MessagePack/);
  });
});

describe("a whole payload", () => {
  const levels = (count: number) => {
    let value: unknown = 1;
    for (let level = 0; level < count; level += 1) value = [value];
    return encode(value);
  };

  test("[W10] MessagePack of 16 levels is accepted, and 17 levels are refused", () => {
    expect(() => decode(levels(16))).not.toThrow();
    expect(() => decode(levels(17))).toThrow(/too deeply/);
  });

  test("[W10] any value that the library encodes is decoded as the library decodes it", () => {
    const value = fc.anything({
      maxDepth: 5,
      // The library refuses this key.
      key: fc.string().filter((key) => key !== "__proto__"),
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
    // A value of an extension type reads as binary.
    const extensionCodec = new ExtensionCodec();
    extensionCodec.register({ type: -1, encode: () => null, decode: (data) => data });
    const library = new Decoder({ extensionCodec });
    fc.assert(
      fc.property(value, (any) => {
        const payload = encode(any, { ignoreUndefined: true });
        let expected: unknown;
        try {
          expected = library.decode(payload);
        } catch {
          // The value has a key that is not allowed.
          return expect(() => decode(payload)).toThrow(/not allowed/);
        }
        expect(decode(payload)).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  test("[W10] each proper prefix of a payload is refused", () => {
    const payload = encode({
      list: [1, -1, 300, 70_000, 2 ** 40, 1.5, null, true, "x".repeat(300), "short"],
      data: new Uint8Array(300),
      map: { time: new Date(0), deep: { deeper: [[], {}] } },
    });
    decode(payload);
    for (let length = 0; length < payload.length; length += 1) {
      expect(() => decode(payload.slice(0, length))).toThrow(/too early/);
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
  ])(
    "[W10] the size of %s is measured exactly: the whole value is accepted, one byte less is refused",
    (_, payload) => {
      expect(() => decode(payload)).not.toThrow();
      expect(() => decode(payload.slice(0, -1))).toThrow(/too early/);
      // Of two values in an array, the payload must hold the second one to its end.
      expect(() => decode(bytes(0x92, payload, payload))).not.toThrow();
      expect(() => decode(bytes(0x92, payload, payload.slice(0, -1)))).toThrow(/too early/);
    },
  );

  test("[W7] any bytes are either decoded or refused with an error that says why", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (payload) => {
        try {
          decode(payload);
        } catch (error) {
          expect((error as Error).message).toMatch(/^the payload /);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** A MessagePack string of any length, with the shortest header or a longer one. */
function str(content: Uint8Array, header: 0 | 1 | 2 | 4): Uint8Array {
  const size = Buffer.alloc(5);
  size.writeUInt32BE(content.length, 1);
  const isShort = header === 0 && content.length < 32;
  if (isShort) return bytes(0xa0 + content.length, content);
  const width = content.length > 0xffff ? 4 : content.length > 0xff ? Math.max(2, header) : header;
  const [first, from] = width === 4 ? [0xdb, 1] : width === 2 ? [0xda, 3] : [0xd9, 4];
  return bytes(first, size.subarray(from), content);
}

/** Random bytes, valid texts, and texts with an invalid byte. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 400, size: "max" }),
  fc.string({ unit: "binary", maxLength: 150 }).map((text) => Buffer.from(text)),
  fc.string({ unit: "binary", maxLength: 60 }).map((text) => Buffer.from(text, "latin1")),
  fc
    .tuple(fc.string({ unit: "binary", minLength: 1, maxLength: 150 }), fc.nat(), fc.nat(255))
    .map(([text, at, byte]) => {
      const whole = Buffer.from(text);
      whole[at % whole.length] = byte;
      return whole;
    }),
);
const header = fc.constantFrom(0 as const, 1 as const, 2 as const, 4 as const);
const reference = new TextDecoder("utf-8", { ignoreBOM: true });

describe("decoding of texts", () => {
  test("[W14] a string of any bytes is decoded to the same text as TextDecoder gives", () => {
    fc.assert(
      fc.property(content, header, content, (text, size, behind) => {
        // The bytes behind the text must not become part of it.
        const payload = bytes(0x92, str(text, size), str(behind, 0));
        expect(decode(payload)).toEqual([reference.decode(text), reference.decode(behind)]);
      }),
      { numRuns: 3_000 },
    );
  });

  test("[W14] a map key is decoded to the same text whether it is a string, is binary, or was decoded before", () => {
    const inMap = (text: Uint8Array, size: 0 | 1 | 2 | 4) => bytes(0x81, str(text, size), 0x01);
    const inBinary = (text: Uint8Array) => {
      return bytes(0x81, 0xc5, text.length >> 8, text.length & 0xff, text, 0x01);
    };
    fc.assert(
      fc.property(content, header, (text, size) => {
        const key = reference.decode(text);
        fc.pre(key !== "__proto__");
        for (const payload of [inMap(text, size), inMap(text, size), inBinary(text)]) {
          expect(Object.entries(decode(payload) as object)).toEqual([[key, 1]]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("[W14] a text in Latin-1 gets U+FFFD for its invalid bytes, and no wrong letters", () => {
    expect(decode(str(Buffer.from("José!", "latin1"), 0))).toBe("Jos\ufffd!");
    expect(decode(str(Buffer.from("José", "latin1"), 0))).toBe("Jos\ufffd");
    expect(decode(str(Buffer.from("José".padEnd(300), "latin1"), 0))).toBe("Jos\ufffd".padEnd(300));
  });

  test("a cached key does not change when its buffer is overwritten", () => {
    const payload = Buffer.from(encode({ remembered: 1 }));
    decode(payload);
    payload.fill(0x61);
    expect(decode(encode({ remembered: 2 }))).toEqual({ remembered: 2 });
  });
});

describe("keys with a special meaning in JavaScript objects", () => {
  const proto = Buffer.from("__proto__");
  const inherited = encode({ user: "ana" });
  test.each([
    ["a string", bytes(0x81, 0xa9, proto, inherited)],
    ["a string with a long header", bytes(0x81, 0xd9, 9, proto, inherited)],
    ["binary", bytes(0x81, 0xc4, 9, proto, inherited)],
  ])(
    "[W10] a key __proto__ that is encoded as %s becomes an ordinary key, as with JSON.parse",
    (_, payload) => {
      const map = decode(payload) as Record<string, unknown>;
      expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
      expect(map.user).toBeUndefined();
      expect(Object.entries(map)).toEqual(
        Object.entries(JSON.parse('{"__proto__":{"user":"ana"}}')),
      );
    },
  );

  test.each([
    ["nil", bytes(0xc0)],
    ["a boolean", bytes(0xc3)],
    ["an array", bytes(0x90)],
    ["a map", bytes(0x80)],
    ["an extension", bytes(0xc7, 4, 1, Buffer.from("user"))],
    ["an extension of one size", bytes(0xd6, 1, Buffer.from("user"))],
  ])("[W10] a key that is %s is refused", (_, key) => {
    expect(() => decode(bytes(0x81, key, 1))).toThrow(/key that is no text/);
  });

  test("[W10] a number as a key is read as the text of its digits", () => {
    const notANumber = bytes(0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0);
    expect(decode(bytes(0x83, 7, 1, 0xff, 2, notANumber, 3))).toEqual({ 7: 1, "-1": 2, NaN: 3 });
  });

  test("[W10] if a map has a key twice, the last value counts", () => {
    expect(decode(bytes(0x82, 0xa1, 0x61, 0x01, 0xc4, 1, 0x61, 0x02))).toEqual({ a: 2 });
  });
});

describe("the limits of the decoder", () => {
  const decoder = new MsgpackDecoder();

  test("[W11] a payload with too many values is refused", () => {
    const payload = encode({ list: [1, 2, 3], more: "x" });
    expect(decoder.decode(payload, { values: 8 })).toEqual({ list: [1, 2, 3], more: "x" });
    expect(() => decoder.decode(payload, { values: 7 })).toThrow(/too many values/);
  });

  test("[W11] texts and binary values longer than the limit are decoded as undefined", () => {
    const payload = encode({ id: "12345", message: "123456", data: new Uint8Array(6) });
    const read = decoder.decode(payload, { bytes: 5 });
    expect(read).toEqual({ id: "12345", message: undefined, data: undefined });
  });

  test("[W11] the number of an array's elements is read from its header alone", () => {
    for (const length of [0, 1, 15, 16, 1_001, 70_000]) {
      expect(elementsOf(encode(Array(length).fill(null)).subarray(0, 5))).toBe(length);
    }
    for (const other of [null, 7, "text", {}, { a: 1 }]) {
      expect(elementsOf(encode(other))).toBeUndefined();
    }
    expect(elementsOf(new Uint8Array(0))).toBeUndefined();
  });
});
