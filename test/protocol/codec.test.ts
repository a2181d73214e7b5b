import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, encode, formatOf } from "../../src/protocol/codec.ts";
import { jsonShape } from "../../src/protocol/json-shape.ts";

/** JSON values as in messages: no negative zero, and no key with a special meaning in objects. */
const anyMessage = fc
  .jsonValue({ maxDepth: 5, stringUnit: "binary" })
  .filter((value) => !JSON.stringify(value).includes("__proto__"))
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown);

describe("encode and decode", () => {
  test("[W10] a value that is encoded and decoded equals the original", () => {
    fc.assert(
      fc.property(anyMessage, (value) => {
        expect(decode(encode(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test("[W9] a value that is encoded in JSON and decoded equals the original", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.array(anyMessage), fc.dictionary(fc.string(), anyMessage)),
        (value) => {
          const clean = JSON.parse(JSON.stringify(value));
          const payload = encode(clean, "json");
          expect(formatOf(payload)).toBe("json");
          expect(decode(payload, "json")).toEqual(clean);
        },
      ),
    );
  });

  test("[W9] no request in MessagePack begins with the first byte of a request in JSON", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.array(anyMessage), fc.dictionary(fc.string(), anyMessage)),
        (value) => {
          expect(formatOf(encode(value))).toBe("msgpack");
        },
      ),
    );
    expect(formatOf(new Uint8Array(0))).toBe("msgpack");
  });

  test.each(["msgpack", "json"] as const)(
    "fields that are undefined are left out of %s",
    (format) => {
      expect(decode(encode({ a: 1, b: undefined }, format), format)).toEqual({ a: 1 });
    },
  );

  test("[W10] a payload with bytes after its value is refused", () => {
    expect(() => decode(Buffer.concat([encode({ a: 1 }), Buffer.of(0)]))).toThrow();
    expect(() => decode(Buffer.from('{"a":1}x'), "json")).toThrow();
  });

  test("[W10] a numeric key of a MessagePack map is decoded as the text of its digits", () => {
    expect(decode(Buffer.of(0x81, 0x07, 0x01))).toEqual({ 7: 1 });
  });
});

describe("the shape of JSON", () => {
  const countValues = (value: unknown): number => {
    if (typeof value !== "object" || value === null) return 1;
    const keys = Array.isArray(value) ? 0 : Object.keys(value).length;
    return Object.values(value).reduce((sum: number, one) => sum + countValues(one), 1 + keys);
  };

  test("[W11] the gate counts the values and elements of a JSON text before it parses the text", () => {
    fc.assert(
      fc.property(fc.array(anyMessage), fc.constantFrom(0, 2), (value, indent) => {
        const shape = jsonShape(Buffer.from(JSON.stringify(value, null, indent)));
        expect(shape.elements).toBe(Math.max(1, value.length));
        // An empty container counts as if it held one value.
        expect(shape.values).toBeGreaterThanOrEqual(countValues(value));
        expect(shape.values).toBeLessThanOrEqual(2 * countValues(value));
      }),
      { numRuns: 500 },
    );
  });

  test("[W11] the gate finishes its count of values even for bytes that are not JSON", () => {
    for (const text of ['["\\', '"', "]]]]", '{"a', "[,,,]"]) {
      expect(jsonShape(Buffer.from(text)).values).toBeGreaterThan(0);
    }
  });

  test("[W11] JSON of 16 levels is accepted and JSON of 17 levels is refused, where brackets inside texts do not count as levels", () => {
    const nested = (levels: number) => Buffer.from("[".repeat(levels) + "]".repeat(levels));
    expect(() => decode(nested(16), "json")).not.toThrow();
    expect(() => decode(nested(17), "json")).toThrow(/too deeply/);
    const text = '"[[[[{{{{\\"[[[['.repeat(9);
    expect(decode(encode([text], "json"), "json")).toEqual([text]);
  });

  test("[W11] JSON with too many values is refused", () => {
    const payload = encode({ list: [1, 2, 3], more: "x" }, "json");
    expect(() => decode(payload, "json", { values: 100 })).not.toThrow();
    expect(() => decode(payload, "json", { values: 5 })).toThrow(/too many values/);
  });
});
