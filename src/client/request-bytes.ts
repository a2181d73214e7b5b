import { now } from "../platform/clock.ts";
import type { Service } from "../protocol/client-messages.ts";
import { encode } from "../protocol/codec.ts";
import type { RequestId } from "../protocol/ids.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import type { RequestData } from "../protocol/request-data.ts";
import { isoTime } from "../protocol/time.ts";
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

interface Sent {
  readonly id: RequestId;
  readonly service: Service;
  readonly data: RequestData[Service];
}

interface Sender {
  readonly clock: LamportClock;
  readonly seen: Vector;
  readonly token: () => string | undefined;
}

/** One payload: a request alone, or an array of several. */
export function encodeRequests(requests: readonly Sent[], sender: Sender): Uint8Array {
  const clock = sender.clock.tick();
  const timestamp = isoTime(now().wallMs);
  // A client that has seen nothing yet is served as one that does not say: another command of the
  // same person may have written a moment ago, by a server other than the one that answers (R9).
  const after = servers(sender.seen).length === 0 ? undefined : sender.seen;
  const token = sender.token();
  const maps = requests.map(({ service, id, data }) => {
    return { service, data: { ...data, id, clock, timestamp, after, token } };
  });
  return encode(maps.length === 1 ? maps[0] : maps);
}
