import { type Present, presenceStates, type Receipt, type Service } from "./client-messages.ts";
import { ProtocolError } from "./errors.ts";
import { type Fields, fieldsOf, isMap, object, textIfAny } from "./fields.ts";
import { type ChannelName, isServerName, type ServerName, type UserName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { parseStatus } from "./parse-status.ts";
import type { Entry } from "./publications.ts";
import { parseVector } from "./vector.ts";

/** A reply whose status is OK lacks a field of its service. */
export class IncompleteReply extends ProtocolError {
  readonly field: string;

  constructor(field: string) {
    super("unsupported", `The reply has no valid \`${field}\`.`);
    this.field = field;
  }
}

/** What a write answers with: its event's place. */
const written = object({ entry });

/** The parsers of each service's OK answer; fields that no parser names are ignored. */
export const replies = {
  /** In an open cluster: `account` is the confirmed claim that the name belongs to (A11). */
  login: object({ entry, account: claimPlace }),
  /** The claim is missing if an earlier copy of the request decided it. */
  register: object({ account: claimPlace }),
  password: written,
  account: written,
  registration: written,
  removal: written,
  keys: object({
    /** By topic. */
    keys: keysByTopic,
    /** The public key of the signer of publications, in base64url. */
    publisher: textIfAny,
  }),
  /** Sorted by name. */
  presence: object({ present }),
  users: object({
    /** Sorted. */
    users: names<UserName>,
    /** `from` of the next page; missing on the last one (Q13). */
    next: textIfAny,
  }),
  channels: object({
    /** Sorted. */
    channels: names<ChannelName>,
    /** Servers send the list here too, for clients of the original protocol; ours ignore it. */
    users: (): readonly ChannelName[] | undefined => undefined,
    next: textIfAny,
  }),
  /** The cluster's corrected time, ISO 8601. */
  time: object({ time: (value, name) => textIfAny(value) ?? missing(name) }),
  status: parseStatus,
  channel: written,
  publish: written,
  message: written,
  history: object({
    /** Oldest to newest in the total order. */
    entries,
    /** With `before` or without a place: the page before this one. With `since`: the page after. */
    next: textIfAny,
    /** What the reader has now seen of this conversation. */
    seen: (value) => {
      try {
        return parseVector(value, "seen");
      } catch {
        return missing("seen");
      }
    },
  }),
} satisfies Record<Service, (data: Fields) => object>;

/** The fields of an OK answer, by service, beside those of every reply (W6, W8). */
export type Replies = { readonly [S in Service]: ReturnType<(typeof replies)[S]> };

/** A reply that a client has parsed. */
export type Reply<S extends Service> = Replies[S] & {
  /** The server that answered; undefined for one of the original protocol (C8). */
  readonly server: ServerName | undefined;
};

export type Written = ReturnType<typeof written>;

/** The place of the claim that holds an account's name. */
export type ClaimPlace = NonNullable<Replies["login"]["account"]>;

export type HistoryPage = Replies["history"];

/** The cluster as one server sees it, drawn by `tertulia status`. */
export type StatusReply = Replies["status"];

/** A server as the answering server knows it (Q10); null for unknown values. */
export type MemberStatus = StatusReply["members"][number];

function missing(field: string): never {
  throw new IncompleteReply(field);
}

function entry(value: unknown, name: string): Receipt {
  return isReceipt(value) ? value : missing(name);
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

function claimPlace(value: unknown) {
  const { server, seq } = fieldsOf(value);
  const number = parseClock(seq);
  return isServerName(server) && number !== undefined ? { server, seq: number } : undefined;
}

/** Takes names as a server gives them: one of the original protocol has any text as a name. */
export function areStrings<Text extends string = string>(list: unknown): list is Text[] {
  return Array.isArray(list) && list.every((item) => typeof item === "string");
}

function names<Name extends string>(list: unknown, field: string): readonly Name[] {
  return areStrings<Name>(list) ? list : missing(field);
}

/** A topic's key of one day (X5). */
export interface DayKey {
  /** Days since 1970 in UTC. */
  readonly day: number;
  /** base64url. */
  readonly key: string;
}

function keysByTopic(value: unknown): Readonly<Record<string, readonly DayKey[]>> {
  const topics = Object.entries(fieldsOf(value));
  return Object.fromEntries(
    topics.map(([topic, days]) => [topic, Array.isArray(days) ? days.filter(isDayKey) : []]),
  );
}

function isDayKey(value: unknown): value is DayKey {
  return isMap(value) && typeof value.day === "number" && typeof value.key === "string";
}

function entries(value: unknown, name: string): readonly Entry[] {
  return Array.isArray(value) && value.every(isEntry) ? value : missing(name);
}

/** The users who are online; invalid items are left out. */
function present(value: unknown): readonly Present[] {
  return Array.isArray(value) ? value.filter(isPresent) : [];
}

function isPresent(item: unknown): item is Present {
  if (!isMap(item) || typeof item.user !== "string") return false;
  return item.state !== "gone" && presenceStates.some((state) => state === item.state);
}

export function isEntry(item: unknown): item is Entry {
  if (!isMap(item)) return false;
  const { channel, user, src, dst, message, timestamp, id } = item;
  const place = channel === undefined ? [src, dst] : [channel, user];
  return (
    areStrings([...place, message, timestamp, id]) &&
    isServerName(item.server) &&
    parseClock(item.seq) !== undefined &&
    parseClock(item.clock) !== undefined
  );
}
