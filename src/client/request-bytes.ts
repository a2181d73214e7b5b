import { servers, type Vector } from "../protocol/vector.ts";

/** Bytes around a request's own text, generously: names, id, clock; and each server in `after`. */
const envelopeBytes = 768;
const vectorEntryBytes = 32;

/** What a request takes of an array's room, at most. */
export function requestBytes(data: Readonly<Record<string, unknown>>, after: Vector): number {
  const textBytes = typeof data.message === "string" ? 4 * data.message.length : 0;
  return textBytes + envelopeBytes + vectorEntryBytes * servers(after).length;
}
