import type { CardId, Pack, Rarity } from "./cards.ts";
import {
  type ListedHook,
  type Present,
  presenceStates,
  type Receipt,
  type Service,
} from "./client-messages.ts";
import { ProtocolError } from "./errors.ts";
import { type Fields, fieldsOf, isMap, object, textIfAny } from "./fields.ts";
import {
  type ChannelName,
  type HookId,
  isServerName,
  type ServerName,
  type UserName,
} from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import {
  isEndedMatch,
  isOpenMatch,
  isRanked,
  isRecord,
  isTerm,
  type Ranked,
} from "./match-replies.ts";
import type { EndedMatch, OpenMatch, PlayerRecord, Term } from "./matches.ts";
import { parseStatus } from "./parse-status.ts";
import { parseTrace } from "./parse-steps.ts";
import type { Entry } from "./publications.ts";
import { parseVector } from "./vector.ts";

/** The error for an OK reply in which a field of its service is missing or invalid. */
export class IncompleteReply extends ProtocolError {
  readonly field: string;

  constructor(field: string) {
    super("unsupported", `The reply has no valid \`${field}\`.`);
    this.field = field;
  }
}

/** The OK reply of an operation that the log has decided has no more than its `slot` (D5). */
const decided = object({});

/** The fields of a write's OK reply: the receipt for the write's event. */
const written = object({ entry });

/** The keys of publications that are derived from one secret. */
const keysOfSecret = {
  /** The keys of each requested topic. */
  keys: keysByTopic,
  /** The public key that verifies signatures of publications, in base64url. */
  publisher: textIfAny,
};
const parseKeysOfSecret = object(keysOfSecret);
export type KeysOfSecret = ReturnType<typeof parseKeysOfSecret>;

/** For each service, the parser of its OK reply; all other fields are ignored. */
export const replies = {
  /** `account` is the id of the operation that made the account of this name, if it has one (A11). */
  login: object({ entry, account: textIfAny }),
  register: decided,
  password: decided,
  account: decided,
  registration: decided,
  shop: object({ coins: count, packs: forSale, stock, trades }),
  /** The ids of the user's cards, sorted, and their deck. */
  cards: object({
    cards: names<CardId>,
    deck: (list): readonly CardId[] | undefined => (areStrings<CardId>(list) ? list : undefined),
  }),
  /** The cards of the pack, and the coins that are left. */
  buy: object({ cards: names<CardId>, coins: count }),
  /** The number by which the other user accepts. */
  offer: object({ trade: count }),
  trade: decided,
  deck: decided,
  supply: decided,
  /** The match as it is in force; its term is above 1 if it has moved meanwhile. */
  matchBegin: openMatch,
  /** The term in force, whoever asked for it. */
  matchTerm: termOf,
  /** How the match ended, whoever ended it. */
  matchEnd: endedMatch,
  matchVoid: endedMatch,
  match: object({
    open: (value): OpenMatch | undefined => (isOpenMatch(value) ? value : undefined),
    record: (value, name): PlayerRecord => (isRecord(value) ? value : missing(name)),
    /** The last matches, the newest first. */
    ended: (list) => some(list, isEndedMatch),
  }),
  matches: object({
    /** Open matches, sorted by id. */
    matches: (list) => some(list, isOpenMatch),
    /** The `from` of the next page; missing on the last page. */
    next: textIfAny,
  }),
  /** The users with the highest ratings, the best first. */
  ranking: object({ players: (list): readonly Ranked[] => some(list, isRanked) }),
  removal: written,
  hook: object({ entry, hook: (value, name) => (textIfAny(value) ?? missing(name)) as HookId }),
  /** The hooks in the order in which they were made. */
  hooks: object({ hooks }),
  unhook: written,
  post: written,
  keys: object({
    ...keysOfSecret,
    /** The keys from the secrets that the server accepts but does not use (O55). */
    also: (value): readonly KeysOfSecret[] => {
      return Array.isArray(value) ? value.map((one) => parseKeysOfSecret(fieldsOf(one))) : [];
    },
  }),
  /** The online users, sorted by name. */
  presence: object({ present }),
  users: object({
    /** The names, sorted. */
    users: names<UserName>,
    /** The `from` of the next page; missing on the last page (Q13). */
    next: textIfAny,
  }),
  channels: object({
    /** The names, sorted. */
    channels: names<ChannelName>,
    /**
     * Always undefined here. Servers also send the channels as `users`, for clients of the original
     * protocol.
     */
    users: (): readonly ChannelName[] | undefined => undefined,
    next: textIfAny,
  }),
  /** The cluster's corrected time in ISO 8601. */
  time: object({ time: (value, name) => textIfAny(value) ?? missing(name) }),
  status: parseStatus,
  trace: parseTrace,
  channel: written,
  publish: written,
  message: written,
  history: object({
    /** The entries in the total order, oldest first. */
    entries,
    /**
     * The position of the next page: of the newer page for a request with `since`, else of the
     * older page.
     */
    next: textIfAny,
    /** The vector of the events of this conversation that the reader has now seen. */
    seen: (value) => {
      try {
        return parseVector(value, "seen");
      } catch {
        return missing("seen");
      }
    },
    /**
     * For a request with `since`: false if servers have dropped messages of this conversation that
     * `since` does not cover. Undefined for other requests, and from servers of older versions.
     */
    complete: (value) => (typeof value === "boolean" ? value : undefined),
  }),
} satisfies Record<Service, (data: Fields) => object>;

/** The fields of an OK reply by service, without the fields common to all replies (W6, W8). */
export type Replies = { readonly [S in Service]: ReturnType<(typeof replies)[S]> };

/** A parsed OK reply. */
export type Reply<S extends Service> = Replies[S] & {
  /** The slot of the decided operation, or else that the server had applied; from older servers none. */
  readonly slot?: number | undefined;
  /** The server that answered; undefined for a server of the original protocol (C8). */
  readonly server: ServerName | undefined;
};

export type Written = ReturnType<typeof written>;

export type HistoryPage = Replies["history"];

/** The cluster's status as one server sees it; `tertulia status` prints it. */
export type StatusReply = Replies["status"];

/** The status of one server as the answering server sees it (Q10); unknown values are null. */
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

/**
 * Returns whether the value is a list of strings. Names are not checked further, because a server
 * of the original protocol allows any text as a name.
 */
export function areStrings<Text extends string = string>(list: unknown): list is Text[] {
  return Array.isArray(list) && list.every(isText);
}

function names<Name extends string>(list: unknown, field: string): readonly Name[] {
  return areStrings<Name>(list) ? list : missing(field);
}

/** The key of one topic for one day (X5). */
export interface DayKey {
  /** The day, counted from 1970 in UTC. */
  readonly day: number;
  /** The key in base64url. */
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

/** Returns the hooks; leaves out invalid items. */
function hooks(value: unknown): readonly ListedHook[] {
  return Array.isArray(value) ? value.filter(isHook) : [];
}

function isHook(item: unknown): item is ListedHook {
  return isMap(item) && [item.id, item.channel, item.name, item.timestamp].every(isText);
}

/** Returns the online users; leaves out invalid items. */
function present(value: unknown): readonly Present[] {
  return Array.isArray(value) ? value.filter(isPresent) : [];
}

function isPresent(item: unknown): item is Present {
  if (!isMap(item) || typeof item.user !== "string") return false;
  return item.state !== "gone" && presenceStates.some((state) => state === item.state);
}

export function isEntry(item: unknown): item is Entry {
  if (!isMap(item)) return false;
  const { channel, user, src, dst, hook } = item;
  return (
    (channel === undefined ? isText(src) && isText(dst) : isText(channel) && isText(user)) &&
    (hook === undefined || isText(hook)) &&
    isText(item.message) &&
    isText(item.timestamp) &&
    isText(item.id) &&
    isServerName(item.server) &&
    parseClock(item.seq) !== undefined &&
    parseClock(item.clock) !== undefined
  );
}

/** Returns the valid items of a list. */
function some<T>(list: unknown, isRight: (item: unknown) => item is T): readonly T[] {
  return Array.isArray(list) ? list.filter(isRight) : [];
}

function openMatch(fields: Fields): OpenMatch {
  if (!isOpenMatch(fields)) return missing("match");
  const { match, rules, players } = fields;
  return { match, rules, players, ...termOf(fields) };
}

function termOf(fields: Fields | OpenMatch): Term {
  if (!isTerm(fields)) return missing("term");
  const { term, host, shadow } = fields;
  return { term, host, shadow };
}

function endedMatch(fields: Fields): EndedMatch {
  if (!isEndedMatch(fields)) return missing("match");
  const { match, rules, users, winner, isVoid, ratings, endedMs } = fields;
  return { match, rules, users, winner, isVoid, ratings, endedMs };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function count(value: unknown, name: string): number {
  return parseClock(value) ?? missing(name);
}

/** A pack in the reply to `shop`. */
export interface PackForSale extends Pack {
  readonly pack: string;
  /** How many are left; undefined if the pack is limited by the stock of cards alone. */
  readonly left?: number | undefined;
}

function forSale(value: unknown, name: string): readonly PackForSale[] {
  return Array.isArray(value) && value.every(isPack) ? value : missing(name);
}

function isPack(item: unknown): item is PackForSale {
  return isMap(item) && isText(item.pack) && typeof item.price === "number" && isMap(item.cards);
}

/** For each rarity, the number of cards in stock. */
function stock(value: unknown): Readonly<Partial<Record<Rarity, number>>> {
  return fieldsOf(value) as Readonly<Partial<Record<Rarity, number>>>;
}

/** An offer in the reply to `shop`. */
export interface Offered {
  /** The number of the offer, counted from 1. */
  readonly trade: number;
  readonly by: UserName;
  readonly to: UserName;
  /** The cards of `by`. */
  readonly give: readonly CardId[];
  /** The cards of `to`. */
  readonly want: readonly CardId[];
}

/** Returns the offers; leaves out invalid items. */
function trades(value: unknown): readonly Offered[] {
  return Array.isArray(value) ? value.filter(isOffered) : [];
}

function isOffered(item: unknown): item is Offered {
  const isList = isMap(item) && areStrings(item.give) && areStrings(item.want);
  return isList && typeof item.trade === "number" && [item.by, item.to].every(isText);
}
