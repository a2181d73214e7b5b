import type { Service } from "../protocol/client-messages.ts";
import type { RequestData } from "../protocol/request-data.ts";
import { servers, type Vector } from "../protocol/vector.ts";

/** A generous bound for names, id and clock. */
const envelopeBytes = 768;
/** The same for each server in `after`. */
const vectorEntryBytes = 32;

/** The bytes that a request takes up in an array of requests, at most. */
export function requestBytes(data: RequestData[Service], after: Vector): number {
  const textBytes = "message" in data ? 4 * data.message.length : 0;
  return textBytes + envelopeBytes + vectorEntryBytes * servers(after).length;
}
