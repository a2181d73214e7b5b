import { Decoder, Encoder } from "@msgpack/msgpack";
import { assertShape } from "./msgpack-shape.ts";

/** MessagePack, or JSON for those who begin a payload with `{` or `[` (W9). */
export type Format = "msgpack" | "json";

const utf8 = new TextDecoder();
const utf8Encoder = new TextEncoder();

/** Keys may be strings or binary (W10); a number is told by its digits. */
function keyToText(key: unknown): string {
  if (typeof key === "string") return key;
  if (key instanceof Uint8Array) return utf8.decode(key);
  if (typeof key === "number") return String(key);
  throw new Error("a key of a map must be a string");
}

const encoder = new Encoder({ ignoreUndefined: true });
const decoder = new Decoder({ mapKeyConverter: keyToText });

/** The format in which a payload is written, by its first byte. */
export function formatOf(payload: Uint8Array): Format {
  return payload[0] === 0x7b || payload[0] === 0x5b ? "json" : "msgpack";
}

/** Fields that are undefined are left out. */
export function encode(value: unknown, format: Format = "msgpack"): Uint8Array {
  return format === "json" ? utf8Encoder.encode(JSON.stringify(value)) : encoder.encode(value);
}

/** @throws Error if the payload is not exactly one value. */
export function decode(payload: Uint8Array, format: Format = "msgpack"): unknown {
  if (format === "json") return JSON.parse(utf8.decode(payload));
  assertShape(payload);
  return decoder.decode(payload);
}
