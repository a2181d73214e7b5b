import { jsonShape } from "./json-shape.ts";
import {
  type DecodeBounds,
  deepestNesting,
  elementsOf,
  MsgpackDecoder,
} from "./msgpack-decoder.ts";
import { MsgpackEncoder } from "./msgpack-encoder.ts";

/** A payload that begins with `{` or `[` is JSON; any other payload is MessagePack (W9). */
export type Format = "msgpack" | "json";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const utf8Encoder = new TextEncoder();
const encoder = new MsgpackEncoder();
const decoder = new MsgpackDecoder();

/**
 * Returns the format by the first byte. In MessagePack, the bytes of `{` and `[` are integers, and
 * no request is an integer.
 */
export function formatOf(payload: Uint8Array): Format {
  const first = firstOfJson(payload);
  return first === 0x7b || first === 0x5b ? "json" : "msgpack";
}

/**
 * Returns the first byte after a byte order mark and white space, which JSON may have in front
 * (W9).
 */
function firstOfJson(payload: Uint8Array): number | undefined {
  let at = hasByteOrderMark(payload) ? 3 : 0;
  while (isSpace(payload[at])) at += 1;
  return payload[at];
}

function hasByteOrderMark(payload: Uint8Array): boolean {
  return payload[0] === 0xef && payload[1] === 0xbb && payload[2] === 0xbf;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Returns whether a payload begins like an array. */
export function isArray(payload: Uint8Array): boolean {
  return firstOfJson(payload) === 0x5b || elementsOf(payload) !== undefined;
}

/**
 * Returns how many elements an array claims to have, without decoding it; 1 for any other value.
 */
export function countElements(payload: Uint8Array, format: Format): number {
  return format === "json" ? jsonShape(payload).elements : (elementsOf(payload) ?? 1);
}

/** Encodes a value; leaves out undefined fields. */
export function encode(value: unknown, format: Format = "msgpack"): Uint8Array {
  return format === "json" ? utf8Encoder.encode(JSON.stringify(value)) : encoder.encode(value);
}

/**
 * Decodes a payload. Invalid UTF-8 becomes U+FFFD in both formats (W14).
 * @throws Error if the payload is not exactly one value, is nested too deeply, or breaks a bound
 */
export function decode(
  payload: Uint8Array,
  format: Format = "msgpack",
  bounds: DecodeBounds = {},
): unknown {
  if (format === "msgpack") return decoder.decode(payload, bounds);
  const { values, depth } = jsonShape(payload);
  if (depth > deepestNesting) throw new Error("the payload is nested too deeply");
  if (values > (bounds.values ?? values)) throw new Error("the payload has too many values");
  return JSON.parse(utf8.decode(hasByteOrderMark(payload) ? payload.subarray(3) : payload));
}

/** Explains to the sender why its payload could not be decoded. */
export function whyUndecodable(error: unknown, format: Format): string {
  // A SyntaxError of JSON.parse quotes the payload, so its message is not sent.
  if (!(error instanceof Error) || error instanceof SyntaxError) {
    return `The payload is not one value in ${format === "json" ? "JSON" : "MessagePack"}.`;
  }
  const told = `${error.message.replace(/^t/, "T")}.`;
  return format === "json" ? told : `${told} It was read as MessagePack: JSON begins with { or [.`;
}
