import { decode, formatOf, whyUndecodable } from "./codec.ts";
import { isErrorCode, ProtocolError } from "./errors.ts";
import { type Fields, fieldsOf, isMap, isTrue, object, optional, textIfAny } from "./fields.ts";
import { isServerName, parseRequestId, parseUserName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { limits } from "./limits.ts";
import {
  type DiskSpace,
  type HeartbeatReply,
  type HeartbeatReport,
  type Listed,
  type ReferenceRequest,
  type RefusedMessages,
  type Role,
  roles,
} from "./reference-messages.ts";
import { parseVector } from "./vector.ts";
import { parseView } from "./view.ts";

const addressPattern = /^(tcp|ipc):\/\/[\x21-\x7e]{1,250}$/;

function roleOf(value: unknown): Role | undefined {
  return roles.find((role) => role === value);
}

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

/**
 * Parsers of the fields of `SelfReport`. A missing or invalid value is undefined, because processes
 * of other versions may send less, or something else.
 */
export const selfReport = {
  version: parseVersion,
  secrets: fingerprints,
  refused: refusedMessages,
  disbelievedClocks: parseClock,
  disk: diskSpace,
};

/** A version of Semantic Versioning, with or without a pre-release such as `-rc.1`. */
const versionPattern = /^\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]{1,32})?$/;

function parseVersion(value: unknown): string | undefined {
  return typeof value === "string" && versionPattern.test(value) ? value : undefined;
}

const fingerprintPattern = /^[0-9a-f]{8}$/;

function fingerprints(value: unknown): readonly string[] | undefined {
  const isFingerprint = (one: unknown) => typeof one === "string" && fingerprintPattern.test(one);
  const isList = Array.isArray(value) && value.length > 0;
  return isList && value.every(isFingerprint) ? value : undefined;
}

function diskSpace(value: unknown): DiskSpace | undefined {
  const fields = fieldsOf(value);
  const [freeBytes, totalBytes] = [parseClock(fields.freeBytes), parseClock(fields.totalBytes)];
  if (freeBytes === undefined || totalBytes === undefined) return undefined;
  return { freeBytes, totalBytes };
}

function refusedMessages(value: unknown): RefusedMessages | undefined {
  const fields = fieldsOf(value);
  const [forged, stale] = [parseClock(fields.forged), parseClock(fields.stale)];
  return forged === undefined || stale === undefined ? undefined : { forged, stale };
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

export function parseList(value: unknown): Listed[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => {
    const fields = fieldsOf(item);
    const [name, role] = [textIfAny(fields.name), roleOf(fields.role)];
    if (name === undefined || role === undefined) return [];
    return { name, role, ...listedFields(fields) };
  });
}

const listedFields = object({
  rank: (value) => parseClock(value) ?? 0,
  address: (value) => textIfAny(value) ?? "",
  clock: (value) => parseClock(value) ?? 0,
  pid: parseClock,
  isKnown: isTrue,
  guestServers: isTrue,
  ...selfReport,
});

/**
 * Returns whether a reply to `list` comes from a reference of this project: a reference of the
 * original protocol sends no view.
 */
export function isOurList({ view }: Fields): boolean {
  return isMap(view);
}
