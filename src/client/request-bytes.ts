import { now } from "../platform/clock.ts";
import type { Service } from "../protocol/client-messages.ts";
import { encode } from "../protocol/codec.ts";
import type { RequestId } from "../protocol/ids.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { limits } from "../protocol/limits.ts";
import type { RequestData } from "../protocol/request-data.ts";
import { isoTime } from "../protocol/time.ts";
import { servers, type Vector } from "../protocol/vector.ts";

/** Upper bound in bytes for the id, the clock, and the names of fields. */
const envelopeBytes = 768;
/** Upper bound in bytes for each server in a vector. */
const vectorEntryBytes = 32;
/** The most UTF-8 bytes for each UTF-16 unit of a text. */
const unitBytes = 3;

/** The fields of a session that each of its requests carries (W6). */
export interface Asker {
  /** The vector of what the session has seen (R9). */
  readonly seen: Vector;
  readonly token: string | undefined;
  /** The address of the session's person, if a gateway asks for this person (X9). */
  readonly via?: string | undefined;
}

interface Asked {
  readonly data: RequestData[Service];
  readonly asker: Asker;
}

/** @returns an upper bound for the bytes of a request in an array of requests */
function requestBytes({ data, asker: { seen, token = "" } }: Asked): number {
  let units = token.length;
  for (const field of Object.values(data)) if (typeof field === "string") units += field.length;
  const since = ("since" in data && data.since) || {};
  const places = servers(seen).length + servers(since).length;
  return envelopeBytes + unitBytes * units + vectorEntryBytes * places;
}

interface Sent extends Asked {
  readonly operation?: { readonly sinceSlot?: number | undefined } | undefined;
  readonly consistency?: "now" | undefined;
  readonly tries?: number;
  readonly id: RequestId;
  readonly service: Service;
}

/**
 * @returns the first requests that fit into one payload, at most `most`; of requests with the same
 * id only the first
 */
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

/** Encodes a payload: one request, or an array of requests, which may be of different sessions. */
export function encodeRequests(requests: readonly Sent[], ownClock: LamportClock): Uint8Array {
  const clock = ownClock.tick();
  const timestamp = isoTime(now().wallMs);
  const maps = requests.map(({ service, id, data, operation, consistency, tries = 0, asker }) => {
    const { seen, token, via } = asker;
    // A session that has seen nothing sends no `after`. Servers then delay the receipt of a write
    // until the live members have the write, so that the person's next command can read the write
    // at any server (R9).
    const after = servers(seen).length === 0 ? undefined : seen;
    // An operation that was sent before may have been done already. A server that is behind must not
    // refuse it (D9).
    const isAgain = operation !== undefined && tries > 1;
    const decided = {
      sinceSlot: operation?.sinceSlot,
      consistency: isAgain ? "now" : consistency,
    };
    return { service, data: { ...data, id, clock, timestamp, after, token, via, ...decided } };
  });
  return encode(maps.length === 1 ? maps[0] : maps);
}
