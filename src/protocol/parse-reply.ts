import { type Present, presenceStates, type Receipt, type Service } from "./client-messages.ts";
import { type ErrorCode, isErrorCode, isRefusalReason, ProtocolError } from "./errors.ts";
import { type Fields, isMap } from "./fields.ts";
import { isServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { parseStatus } from "./parse-status.ts";
import type { Entry, Publication } from "./publications.ts";
import type { ClaimPlace, DayKey, HistoryPage, Replies, Reply } from "./replies.ts";
import { parseVector, type Vector } from "./vector.ts";

/** Characters of a server's description that are shown to a person. */
const mostDescription = 500;

/** A reply whose status is OK lacks what its service answers with. */
export class IncompleteReply extends ProtocolError {
  readonly field: string;

  constructor(field: string) {
    super("unsupported", `The reply has no valid \`${field}\`.`);
    this.field = field;
  }
}

type Parsers = { readonly [S in Service]: (data: Fields) => Replies[S] };

/** What becomes of each service's OK answer; fields that no parser names are ignored. */
const parsers: Parsers = {
  login: (data) => ({ ...written(data), account: claimOf(data.account) }),
  register: ({ account }) => ({ account: claimOf(account) }),
  password: written,
  account: written,
  registration: written,
  removal: written,
  keys: ({ keys, publisher }) => ({ keys: keysOf(keys), publisher: textOf(publisher) }),
  presence: ({ present }) => ({ present: presentOf(present) }),
  users: ({ users, next }) => ({ users: namesOf(users, "users"), next: textOf(next) }),
  channels: ({ channels, next }) => {
    return { channels: namesOf(channels, "channels"), next: textOf(next) };
  },
  time: ({ time }) => {
    if (typeof time !== "string") throw new IncompleteReply("time");
    return { time };
  },
  status: parseStatus,
  channel: written,
  publish: written,
  message: written,
  history: pageOf,
};

export function isService(name: unknown): name is Service {
  return typeof name === "string" && Object.hasOwn(parsers, name);
}

/**
 * The gate of a client: reads the answer of a service that said OK.
 * @throws IncompleteReply
 */
export function parseReply<S extends Service>(service: S, data: Fields): Reply<S> {
  const { server } = data;
  return { ...parsers[service](data), server: isServerName(server) ? server : undefined };
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

function written({ entry }: Fields): { readonly entry: Receipt } {
  if (!isReceipt(entry)) throw new IncompleteReply("entry");
  return { entry };
}

function isReceipt(value: unknown): value is Receipt {
  return (
    isMap(value) &&
    isServerName(value.server) &&
    parseClock(value.seq) !== undefined &&
    parseClock(value.clock) !== undefined &&
    typeof value.id === "string" &&
    typeof value.timestamp === "string" &&
    areStrings(value.durable)
  );
}

function claimOf(value: unknown): ClaimPlace | undefined {
  if (!isMap(value) || !isServerName(value.server)) return undefined;
  const seq = parseClock(value.seq);
  return seq === undefined ? undefined : { server: value.server, seq };
}

/** Names are taken as a server gives them: one of the original protocol takes any text for one. */
export function areStrings<Text extends string = string>(list: unknown): list is Text[] {
  return Array.isArray(list) && list.every((item) => typeof item === "string");
}

function namesOf<Name extends string>(list: unknown, field: string): readonly Name[] {
  if (!areStrings<Name>(list)) throw new IncompleteReply(field);
  return list;
}

function keysOf(value: unknown): Record<string, DayKey[]> {
  const topics = isMap(value) ? Object.entries(value) : [];
  return Object.fromEntries(
    topics.map(([topic, days]) => [topic, Array.isArray(days) ? days.filter(isDayKey) : []]),
  );
}

function isDayKey(value: unknown): value is DayKey {
  return isMap(value) && typeof value.day === "number" && typeof value.key === "string";
}

function pageOf({ entries, next, seen }: Fields): HistoryPage {
  if (!Array.isArray(entries) || !entries.every(isEntry)) throw new IncompleteReply("entries");
  return { entries, next: textOf(next), seen: seenOf(seen) };
}

function seenOf(seen: unknown): Vector {
  try {
    return parseVector(seen, "seen");
  } catch {
    throw new IncompleteReply("seen");
  }
}

/** Who is there; what is none is left out. */
function presentOf(value: unknown): Present[] {
  return Array.isArray(value) ? value.filter(isPresent) : [];
}

function isPresent(item: unknown): item is Present {
  if (!isMap(item) || typeof item.user !== "string") return false;
  return item.state !== "gone" && presenceStates.some((state) => state === item.state);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Publications of the second form (P2, P3); what is none is left out. */
export function parsePublications(value: unknown): Publication[] {
  return Array.isArray(value) ? value.filter(isPublication) : [];
}

function isPublication(item: unknown): item is Publication {
  return isEntry(item) && "prev" in item && parseClock(item.prev) !== undefined;
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
