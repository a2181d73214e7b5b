import { now } from "../platform/clock.ts";
import type { Service } from "../protocol/client-messages.ts";
import { encode } from "../protocol/codec.ts";
import type { RequestId } from "../protocol/ids.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { limits } from "../protocol/limits.ts";
import type { RequestData } from "../protocol/request-data.ts";
import { isoTime } from "../protocol/time.ts";
import { servers, type Vector } from "../protocol/vector.ts";

/** A generous bound for the id, the clock, and the names of fields. */
const envelopeBytes = 768;
/** A bound for each server in a vector. */
const vectorEntryBytes = 32;
/** A character of text is at most so many bytes for each of its UTF-16 units. */
const unitBytes = 3;

/** Whose request it is: what each request of a session carries (W6). */
export interface Asker {
  /** What the session has seen (R9). */
  readonly seen: Vector;
  readonly token: string | undefined;
}

interface Asked {
  readonly data: RequestData[Service];
  readonly asker: Asker;
}

/** The bytes that a request takes up in an array of requests, at most. */
function requestBytes({ data, asker: { seen, token = "" } }: Asked): number {
  let units = token.length;
  for (const field of Object.values(data)) if (typeof field === "string") units += field.length;
  const since = ("since" in data && data.since) || {};
  const places = servers(seen).length + servers(since).length;
  return envelopeBytes + unitBytes * units + vectorEntryBytes * places;
}

interface Sent extends Asked {
  readonly id: RequestId;
  readonly service: Service;
}

/** The first of these requests, as many as one payload takes; of those with one id the first. */
export function fitting<Request extends Sent>(
  requests: Iterable<Request>,
  most: number,
): readonly Request[] {
  const taken = new Map<RequestId, Request>();
  let room: number = limits.batchBytes;
  for (const request of requests) {
    if (taken.has(request.id)) continue;
    room -= requestBytes(request);
    if (taken.size > 0 && (taken.size === most || room < 0)) break;
    taken.set(request.id, request);
  }
  return [...taken.values()];
}

/** One payload: a request alone, or an array of several, of whatever sessions. */
export function encodeRequests(requests: readonly Sent[], ownClock: LamportClock): Uint8Array {
  const clock = ownClock.tick();
  const timestamp = isoTime(now().wallMs);
  const maps = requests.map(({ service, id, data, asker: { seen, token } }) => {
    // A session that has seen nothing yet is served as one that does not say: another command of the
    // same person may have written a moment ago, by a server other than the one that answers (R9).
    const after = servers(seen).length === 0 ? undefined : seen;
    return { service, data: { ...data, id, clock, timestamp, after, token } };
  });
  return encode(maps.length === 1 ? maps[0] : maps);
}
