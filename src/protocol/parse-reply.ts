import { type Present, presenceStates, type Receipt } from "./client-messages.ts";
import { type ErrorCode, isErrorCode, isRefusalReason, ProtocolError } from "./errors.ts";
import type { Fields } from "./fields.ts";
import { isMap } from "./fields.ts";
import { isServerName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import type { Entry, Publication } from "./publications.ts";
import { parseVector, type Vector } from "./vector.ts";

export interface HistoryPage {
  /** Oldest to newest. */
  readonly entries: readonly Entry[];
  readonly next: string | undefined;
  readonly seen: Vector;
}

/** Characters of a server's description that are shown to a person. */
const mostDescription = 500;

function lacks(field: string): ProtocolError {
  return new ProtocolError("unsupported", `The reply has no valid \`${field}\`.`);
}

function areStrings(list: unknown): list is string[] {
  return Array.isArray(list) && list.every((item) => typeof item === "string");
}

/** A server's own description of what happened, under either of the two names for it; or empty. */
export function parseDescription({ description, message }: Fields): string {
  const said = [description, message].find((words) => typeof words === "string" && words !== "");
  return typeof said === "string" ? said.slice(0, mostDescription) : "";
}

/** The error in a reply. A newer server may use codes that are unknown here. */
export function parseError(data: Fields): ProtocolError {
  const { code, wait, reason, retry } = data;
  const other: ErrorCode = retry === true ? "unavailable" : "unsupported";
  return new ProtocolError(isErrorCode(code) ? code : other, parseDescription(data), {
    wait: typeof wait === "number" && wait >= 0 ? wait : undefined,
    reason: isRefusalReason(reason) ? reason : undefined,
  });
}

/** @returns undefined if it is not a list of names */
export function parseNames(value: unknown): string[] | undefined {
  return areStrings(value) ? value : undefined;
}

/** A page of `users` or `channels`. @throws ProtocolError `unsupported` */
export function parseNamesPage(service: "users" | "channels", reply: Fields) {
  const names = parseNames(reply[service]);
  if (names === undefined) throw lacks(service);
  return { names, next: typeof reply.next === "string" ? reply.next : undefined };
}

/** @returns undefined if a reply to a write has no receipt */
export function parseReceipt(value: unknown): Receipt | undefined {
  const isReceipt =
    isMap(value) &&
    isServerName(value.server) &&
    parseClock(value.seq) !== undefined &&
    parseClock(value.clock) !== undefined &&
    typeof value.id === "string" &&
    typeof value.timestamp === "string" &&
    areStrings(value.durable);
  return isReceipt ? (value as unknown as Receipt) : undefined;
}

/** The place of the claim that holds an account's name; undefined if the reply has none. */
export function parseAccount(
  value: unknown,
): { readonly server: ServerName; readonly seq: number } | undefined {
  if (!isMap(value) || !isServerName(value.server)) return undefined;
  const seq = parseClock(value.seq);
  return seq === undefined ? undefined : { server: value.server, seq };
}

/** A page of `history`. @throws ProtocolError `unsupported` */
export function parseHistoryPage({ entries, next, seen }: Fields): HistoryPage {
  if (!Array.isArray(entries) || !entries.every(isEntry)) throw lacks("entries");
  return {
    entries,
    next: typeof next === "string" ? next : undefined,
    seen: vectorOf(seen),
  };
}

function vectorOf(seen: unknown): Vector {
  try {
    return parseVector(seen, "seen");
  } catch {
    throw lacks("seen");
  }
}

/** @throws ProtocolError `unsupported` */
export function parseTime(time: unknown): string {
  if (typeof time !== "string") throw lacks("time");
  return time;
}

/** Who is there; what is none is left out. */
export function parsePresent(value: unknown): Present[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item: unknown): item is Present => {
    const isState = (state: unknown) => state !== "gone" && presenceStates.some((s) => s === state);
    return isMap(item) && typeof item.user === "string" && isState(item.state);
  });
}

/** Publications of the second form (P2, P3); what is none is left out. */
export function parsePublications(value: unknown): Publication[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item: unknown): item is Publication => {
    return isEntry(item) && isMap(item) && parseClock(item.prev) !== undefined;
  });
}

function isEntry(item: unknown): item is Entry {
  if (!isMap(item)) return false;
  const { channel, user, src, dst, message, timestamp, id } = item;
  const whose = channel === undefined ? [src, dst] : [channel, user];
  return (
    areStrings([...whose, message, timestamp, id]) &&
    isServerName(item.server) &&
    parseClock(item.seq) !== undefined &&
    parseClock(item.clock) !== undefined
  );
}
