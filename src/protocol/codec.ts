import { Encoder } from "@msgpack/msgpack";
import { jsonShape } from "./json-shape.ts";
import {
  type DecodeBounds,
  deepestNesting,
  elementsOf,
  MsgpackDecoder,
} from "./msgpack-decoder.ts";

/** A payload that begins with `{` or `[` is JSON; any other is MessagePack (W9). */
export type Format = "msgpack" | "json";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const utf8Encoder = new TextEncoder();
const encoder = new Encoder({ ignoreUndefined: true });
const decoder = new MsgpackDecoder();

/** In MessagePack `{` and `[` are integers, which no request is. */
export function formatOf(payload: Uint8Array): Format {
  const first = firstOfJson(payload);
  return first === 0x7b || first === 0x5b ? "json" : "msgpack";
}

/** The first byte behind a byte order mark and white space, with which JSON may begin (W9). */
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

/** Whether a payload begins as an array. */
export function isArray(payload: Uint8Array): boolean {
  return firstOfJson(payload) === 0x5b || elementsOf(payload) !== undefined;
}

/** The number of elements that an undecoded array claims to have. */
export function countElements(payload: Uint8Array, format: Format): number {
  return format === "json" ? jsonShape(payload).elements : (elementsOf(payload) ?? 1);
}

/** Fields that are undefined are left out. */
export function encode(value: unknown, format: Format = "msgpack"): Uint8Array {
  return format === "json" ? utf8Encoder.encode(JSON.stringify(value)) : encoder.encode(value);
}

/**
 * Invalid UTF-8 becomes U+FFFD in both formats (W14).
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

/** Why a payload could not be decoded, for its sender. */
export function whyUndecodable(error: unknown, format: Format): string {
  // The messages of JSON.parse quote the payload.
  if (!(error instanceof Error) || error instanceof SyntaxError) {
    return `The payload is not one value in ${format === "json" ? "JSON" : "MessagePack"}.`;
  }
  const told = `${error.message.replace(/^t/, "T")}.`;
  return format === "json" ? told : `${told} It was read as MessagePack: JSON begins with { or [.`;
}
