import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, encode, formatOf } from "../../src/protocol/codec.ts";

/** JSON as messages have it: no negative zero, and no key that objects treat as special. */
const anyMessage = fc
  .jsonValue({ maxDepth: 5, stringUnit: "binary" })
  .filter((value) => !JSON.stringify(value).includes("__proto__"))
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown);

describe("encode and decode", () => {
  test("[W10] what was encoded is decoded to the same", () => {
    fc.assert(
      fc.property(anyMessage, (value) => {
        expect(decode(encode(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test("[W9] also in JSON", () => {
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

  test("[W9] no request in MessagePack begins as JSON does", () => {
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

  test("[W10] bytes after the value are an error", () => {
    expect(() => decode(Buffer.concat([encode({ a: 1 }), Buffer.of(0)]))).toThrow();
    expect(() => decode(Buffer.from('{"a":1}x'), "json")).toThrow();
  });

  test("[W10] a key that is a number is told by its digits", () => {
    expect(decode(Buffer.of(0x81, 0x07, 0x01))).toEqual({ 7: 1 });
  });
});
