import type { Envelope, Incoming, Refused } from "./client-messages.ts";
import { countElements, decode, type Format, formatOf, isArray, whyUndecodable } from "./codec.ts";
import { ProtocolError } from "./errors.ts";
import { type Fields, fieldsOf, isMap, object, optional } from "./fields.ts";
import { assertReadable, parseRequestId, type RequestId } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { limits } from "./limits.ts";
import { oneOf, ownTime, slot, token, via } from "./request-fields.ts";
import { parseSeen } from "./vector.ts";

export interface Payload {
  readonly format: Format;
  /** Whether the reply is an array (W2). */
  readonly batch: boolean;
  readonly requests: readonly Incoming[];
}

/**
 * Bounds for reading only the service and `id` of a too large request; longer texts are skipped.
 */
const glance = { values: 4_096, bytes: 4 * limits.idCharacters } as const;

/** For each service, the parser of the fields that only its requests have. */
export type RequestParsers = {
  readonly [service: string]: {
    /** @throws ProtocolError if a field is wrong */
    parse(data: Fields): object;
  };
};

/**
 * The gate of a server. For any bytes, it returns requests or refusals that the server can answer
 * (W7).
 */
export function parsePayload(bytes: Uint8Array, parsers: RequestParsers): Payload {
  const format = formatOf(bytes);
  const large = refuseLarge(bytes, format);
  if (large !== undefined) return single(format, large);
  let value: unknown;
  try {
    value = decode(bytes, format, { values: limits.payloadValues });
  } catch (error) {
    return single(format, refuse("bad_request", whyUndecodable(error, format)));
  }
  if (!Array.isArray(value)) return single(format, parseRequest(value, parsers));
  if (value.length === 0) return single(format, refuse("bad_request", wrongLength(0)));
  return { format, batch: true, requests: value.map((one) => parseRequest(one, parsers)) };
}

function single(format: Format, request: Incoming): Payload {
  return { format, batch: false, requests: [request] };
}

function refuse(code: Refused["refused"]["code"], description: string, service = "error"): Refused {
  return { service, refused: { code, description }, clock: undefined, id: undefined };
}

/** Refuses a too large payload by its size alone, before decoding (W11). */
function refuseLarge(bytes: Uint8Array, format: Format): Refused | undefined {
  if (!isArray(bytes)) {
    if (bytes.byteLength <= limits.requestBytes) return undefined;
    const [what, most] =
      bytes.byteLength > limits.batchBytes
        ? ["payload", limits.batchBytes]
        : ["request", limits.requestBytes];
    return refuseLargeRequest(bytes, format, `A ${what} may have ${most} bytes.`);
  }
  if (bytes.byteLength > limits.batchBytes) {
    const text = `An array of requests may have ${limits.batchBytes} bytes.`;
    return refuse("too_large", text);
  }
  const length = countElements(bytes, format);
  return length > limits.batchRequests ? refuse("too_large", wrongLength(length)) : undefined;
}

function wrongLength(length: number): string {
  return `An array must hold 1 to ${limits.batchRequests} requests; it has ${length}.`;
}

/**
 * Refuses a too large request. The error has the request's service and `id`, if these are readable,
 * so that the client knows which request the error is for.
 */
function refuseLargeRequest(bytes: Uint8Array, format: Format, description: string): Refused {
  let value: unknown;
  try {
    value = format === "json" ? undefined : decode(bytes, format, glance);
  } catch {
    // The request has too many values or is malformed, so the error has neither service nor `id`.
  }
  const fields = fieldsOf(value);
  const refused = refuse("too_large", description, serviceOf(fields));
  const data = fieldsOf(fields.data);
  const isId = typeof data.id === "string" && data.id.length <= limits.idCharacters;
  return {
    ...refused,
    clock: parseClock(data.clock),
    id: isId ? (data.id as RequestId) : undefined,
  };
}

function serviceOf(value: Fields): string {
  const { service } = value;
  return typeof service === "string" && service.length >= 1 && service.length <= 64
    ? service
    : "error";
}

function parseRequest(value: unknown, parsers: RequestParsers): Incoming {
  if (!isMap(value))
    return refuse("bad_request", "A request must be a map of `service` and `data`.");
  const service = serviceOf(value);
  if (service === "error") {
    return refuse("bad_request", "`service` must be a string of 1 to 64 characters.");
  }
  const data = value.data;
  if (!isMap(data)) return refuse("bad_request", "`data` must be a map.", service);
  // Some plain clients put the clock beside `data` (W4).
  const clock = parseClock(data.clock ?? value.clock);
  let id: RequestId | undefined;
  try {
    id = parseRequestId(data.id);
    if (id !== undefined) assertReadable(id, "id");
    const envelope = { clock, id, ...parseRest(data) };
    const parser = Object.hasOwn(parsers, service) ? parsers[service] : undefined;
    if (parser === undefined) {
      throw new ProtocolError("unknown_service", `There is no service "${service}".`);
    }
    return { ...envelope, service, ...parser.parse(data) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { service, refused: { code: error.code, description: error.message }, clock, id };
  }
}

const parseRest = object<Omit<Envelope, "clock" | "id" | "session">>({
  after: optional(parseSeen),
  sinceSlot: optional(slot),
  consistency: optional(oneOf(["now"] as const, "now")),
  via: optional(via),
  token: optional(token),
  timestamp: ownTime,
});
