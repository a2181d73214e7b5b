import { decode, formatOf, whyUndecodable } from "./codec.ts";
import { isErrorCode, ProtocolError } from "./errors.ts";
import { type Fields, isMap, isTrue, object, optional } from "./fields.ts";
import { isServerName, parseRequestId, parseUserName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { limits } from "./limits.ts";
import { parseList, roleOf, selfReport } from "./parse-list.ts";
import type { HeartbeatReply, HeartbeatReport, ReferenceRequest } from "./reference-messages.ts";
import { parseVector } from "./vector.ts";
import { parseView } from "./view.ts";

const addressPattern = /^(tcp|ipc):\/\/[\x21-\x7e]{1,250}$/;

function bad(description: string): ProtocolError {
  return new ProtocolError("bad_request", description);
}

function serverOf(value: unknown): ServerName {
  if (isServerName(value)) return value;
  throw new ProtocolError("name_invalid", "`user` must be a server's name.");
}

function endpointOf(value: unknown): string {
  if (typeof value === "string" && addressPattern.test(value)) return value;
  throw bad("`address` must be an endpoint.");
}

/**
 * Decodes a payload after checking its size. A guest's request must be short. A member's request
 * may fill a frame, because the request can contain a long vector.
 * @throws ProtocolError `too_large` or `bad_request`
 */
export function decodeReferenceRequest(payload: Uint8Array, isMember: boolean): unknown {
  const most = isMember ? limits.frameBytes : limits.requestBytes;
  if (payload.byteLength > most) {
    throw new ProtocolError("too_large", `A request may have ${most} bytes.`);
  }
  const format = formatOf(payload);
  try {
    return decode(payload, format);
  } catch (error) {
    throw bad(whyUndecodable(error, format));
  }
}

/**
 * The gate of the reference: checks a decoded request.
 * @throws ProtocolError if the request is invalid
 */
export function parseReferenceRequest(value: unknown): ReferenceRequest {
  if (!isMap(value) || typeof value.service !== "string" || !isMap(value.data)) {
    throw bad("A request must be a map of `service` and `data`.");
  }
  const { service, data } = value;
  const clock = parseClock(data.clock ?? value.clock) ?? 0;
  const id = parseRequestId(data.id);
  if (!isService(service)) {
    throw new ProtocolError("unknown_service", `There is no service "${service.slice(0, 64)}".`);
  }
  return { service, clock, id, ...services[service](data) } as ReferenceRequest;
}

const services: Readonly<Record<ReferenceRequest["service"], (data: Fields) => object>> = {
  rank: object({ user: parseUserName, address: optional(endpointOf) }),
  list: () => ({}),
  health: () => ({}),
  heartbeat: parseReport,
  leave: object({ user: serverOf }),
  remove: object({ user: serverOf, force: isTrue }),
};

function isService(service: string): service is ReferenceRequest["service"] {
  return Object.hasOwn(services, service);
}

const reportFields = object({
  user: parseUserName,
  address: optional(endpointOf),
  role: roleOf,
  pid: parseClock,
  guestServers: isTrue,
  ready: isTrue,
  ...selfReport,
});

const summary = object({
  view: parseView,
  durable: optional((value, name) => parseVector(value, name, limits.memberVectorServers)),
});

function parseReport(data: Fields): HeartbeatReport {
  const report = reportFields(data);
  if (data.view == null) return report;
  try {
    return { ...report, ...summary(data) };
  } catch (error) {
    throw error instanceof ProtocolError ? error : bad((error as Error).message);
  }
}

/**
 * Returns the fields of an OK reply of the reference.
 * @throws ProtocolError with the code and description that the reference sent
 */
export function parseReferenceReply(payload: Uint8Array): Fields {
  const value = decode(payload);
  const data = isMap(value) && isMap(value.data) ? value.data : undefined;
  if (data === undefined) throw bad("The reference's reply is no map.");
  if (data.status === "erro") {
    const code = isErrorCode(data.code) ? data.code : "internal";
    throw new ProtocolError(code, String(data.description));
  }
  return data;
}

/** @throws PeerMessageError if the view is invalid. */
export function parseHeartbeatReply(data: Fields): HeartbeatReply {
  return {
    view: parseView(data.view),
    list: parseList(data.list),
    waiting: data.waiting === true,
  };
}
