import { encode } from "../protocol/codec.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { parsePayload } from "../protocol/parse-message.ts";
import { isoTime } from "../protocol/time.ts";

const description = "No server has answered; whether one has done it is not known: ask again.";

/** Returns the error reply to a request that no server will answer (B4, W8). */
export function unavailable(
  payload: Buffer,
  { name, clock, wallMs }: { name: string; clock: LamportClock; wallMs: number },
): Uint8Array {
  // Without parsers, only the service and the `id` of each request are read.
  const { format, batch, requests } = parsePayload(payload, {});
  const common = { server: name, clock: clock.tick(), timestamp: isoTime(wallMs) };
  const error = { status: "erro", code: "unavailable", description, retry: true };
  const replies = requests.map(({ service, id }) => {
    const message = service === "publish" || service === "message" ? { message: description } : {};
    const data = { ...error, ...message, ...(id === undefined ? {} : { id }), ...common };
    return { service, data };
  });
  return encode(batch ? replies : replies[0], format);
}
