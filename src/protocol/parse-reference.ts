import { decode, formatOf, whyUndecodable } from "./codec.ts";
import { isErrorCode, ProtocolError } from "./errors.ts";
import type { Fields } from "./fields.ts";
import { isMap } from "./fields.ts";
import { isServerName, parseRequestId, parseUserName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { limits } from "./limits.ts";
import {
  type HeartbeatReply,
  type Listed,
  type ReferenceRequest,
  type RefusedMessages,
  type Role,
  roles,
} from "./reference-messages.ts";
import { parseVector } from "./vector.ts";
import type { View } from "./view.ts";
import { parseView } from "./view.ts";

const addressPattern = /^(tcp|ipc):\/\/[\x21-\x7e]{1,250}$/;

function isRole(value: unknown): value is Role {
  return roles.includes(value as Role);
}

function bad(description: string): ProtocolError {
  return new ProtocolError("bad_request", description);
}

function serverOf(value: unknown): ServerName {
  if (isServerName(value)) return value;
  throw new ProtocolError("name_invalid", "`user` must be a server's name.");
}

function addressOf(value: unknown): string | undefined {
  if (value == null) return undefined;
  if (typeof value === "string" && addressPattern.test(value)) return value;
  throw bad("`address` must be an endpoint.");
}

/**
 * Bounds a payload before it is decoded: a guest's is short, a member's vector may fill a frame.
 * @throws ProtocolError
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
 * The gate of the reference.
 * @throws ProtocolError with the service's name as its `cause`, if there was one.
 */
export function parseReferenceRequest(value: unknown): ReferenceRequest {
  if (!isMap(value) || typeof value.service !== "string" || !isMap(value.data)) {
    throw bad("A request must be a map of `service` and `data`.");
  }
  const data = value.data;
  const clock = parseClock(data.clock ?? value.clock) ?? 0;
  const id = parseRequestId(data.id);
  const service = value.service;
  switch (service) {
    case "rank":
      return {
        service,
        clock,
        id,
        user: parseUserName(data.user),
        address: addressOf(data.address),
      };
    case "list":
    case "health":
      return { service, clock, id };
    case "heartbeat":
      return { service, clock, id, ...parseReport(data) };
    case "leave":
      return { service, clock, id, user: serverOf(data.user) };
    case "remove":
      return { service, clock, id, user: serverOf(data.user), force: data.force === true };
    default:
      throw new ProtocolError("unknown_service", `There is no service "${service.slice(0, 64)}".`);
  }
}

function parseReport(data: Fields) {
  const { user, address, role, pid, guestServers, view, durable, ready } = data;
  const report = {
    user: parseUserName(user),
    address: addressOf(address),
    role: isRole(role) ? role : undefined,
    pid: parseClock(pid),
    guestServers: guestServers === true,
    ready: ready === true,
    ...parseCounts(data),
  };
  if (view == null) return report;
  try {
    const most = limits.memberVectorServers;
    return {
      ...report,
      view: parseView(view),
      durable: durable == null ? undefined : parseVector(durable, "durable", most),
    };
  } catch (error) {
    throw error instanceof ProtocolError ? error : bad((error as Error).message);
  }
}

/** The numbers of what a process has refused; undefined where they are missing or no numbers. */
export function parseCounts({ refused, disbelievedClocks }: Fields) {
  const { forged, stale } = isMap(refused) ? refused : {};
  const counts = { forged: parseClock(forged), stale: parseClock(stale) };
  const isTold = counts.forged !== undefined && counts.stale !== undefined;
  return {
    refused: isTold ? (counts as RefusedMessages) : undefined,
    disbelievedClocks: parseClock(disbelievedClocks),
  };
}

/** A reply of the reference that says yes, or the error that it told. */
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

/** @throws PeerMessageError if the view is none. */
export function parseHeartbeatReply(data: Fields): HeartbeatReply {
  return {
    view: parseView(data.view) as View,
    list: parseList(data.list),
    waiting: data.waiting === true,
  };
}

export function parseList(value: unknown): Listed[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => {
    if (!isMap(item) || typeof item.name !== "string" || !isRole(item.role)) return [];
    const { name, role, rank, address, clock, pid, isKnown } = item;
    return {
      name,
      role,
      rank: parseClock(rank) ?? 0,
      address: typeof address === "string" ? address : "",
      clock: parseClock(clock) ?? 0,
      pid: parseClock(pid),
      isKnown: isKnown === true,
      guestServers: item.guestServers === true,
      ...parseCounts(item),
    };
  });
}

/** Whether a reply to `list` is from a reference of ours: the original protocol has no view. */
export function isOurList({ view }: Fields): boolean {
  return isMap(view);
}
