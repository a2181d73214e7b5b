import { compareOrder } from "../../../protocol/event.ts";
import type { Fields } from "../../../protocol/fields.ts";
import { looksOf } from "../../../protocol/looks.ts";
import { servers, type Vector } from "../../../protocol/vector.ts";
import { type ChatData, chatFacts } from "../../core/chat/chat-facts.ts";
import type { ChatState, StoredMessage } from "../../core/chat/chat-state.ts";
import type { DecisionLog } from "../../core/decisions/decision-log.ts";
import { type Placed, readPlace } from "../../core/replica/placed.ts";
import type { NewEvent } from "../engine.ts";
import { channelKey, laneCount, laneOf, messageIn, storageOf, userKey } from "../events.ts";
import { operationRow } from "./decide.ts";
import { eventColumns, factOf, placeOf, restOf, type StoredEvent } from "./events-rows.ts";
import { type DecidedState, stateTables } from "./state-rows.ts";
import { escapeNul, sortKey } from "./text.ts";

/** The state of a whole cluster. */
export interface WholeState extends DecidedState {
  readonly chat: ChatState;
  readonly log: DecisionLog;
  /** For each server that the cluster ever had, its last event. */
  readonly vector: Vector;
  /** A clock above all clocks of the cluster. */
  readonly clock: number;
}

export interface MovedRow {
  readonly row: Fields;
  /** The row as text, for its hash. A row that is read back must have the same text. */
  readonly text: string;
}

/** A table, and what a moved state has in it. */
export interface MovedTable {
  readonly name: string;
  readonly columns: readonly string[];
  /** The column that identifies a row, if new tables have rows already that are replaced. */
  readonly key?: string;
  rows(): Iterable<MovedRow>;
  /** Returns a row that was read back as text. */
  textOf(row: Fields): string;
}

/** Returns all tables with what the state has. */
export function movedTables(state: WholeState): readonly MovedTable[] {
  return [
    events(state),
    tableOf("users", users(state)),
    tableOf("channels", channels(state)),
    tableOf("looks", looks(state)),
    tableOf("dropped", dropped(state)),
    { ...tableOf("lanes", lanesAfter(state)), key: "lane" },
    { ...tableOf("log_head", [headOf(state)]), key: "one" },
    tableOf("operations", operations(state)),
    tableOf("forgotten", forgotten(state)),
    ...stateTables.map(({ name, key, columns, isNeverUpdated, rows }) => {
      const all = rows(state);
      const kept = isNeverUpdated === true ? firstOf(all, key) : all;
      return tableOf(name, kept, [key, ...columns]);
    }),
  ];
}

const columnsOf = {
  users: ["name", "sort", "lane", "seq", "clock", "time", "id", "is_unproven"],
  channels: [
    ...["name", "sort", "lane", "seq", "clock", "time", "id"],
    ...["creator", "is_removed", "removal_lane", "removal"],
  ],
  looks: ["look", "subject"],
  dropped: ["subject", "lane", "seq"],
  lanes: ["lane", "seq", "clock"],
  log_head: ["one", "applied", "time", "offers", "registration", "invitation"],
  operations: ["by", "id", "slot", "outcome", "result", "operation"],
  forgotten: ["by", "floor"],
} as const;

/** Returns a table whose rows' texts are made from their columns. */
function tableOf(name: keyof typeof columnsOf, rows: Iterable<Fields>): MovedTable;
function tableOf(name: string, rows: Iterable<Fields>, columns: readonly string[]): MovedTable;
function tableOf(
  name: string,
  rows: Iterable<Fields>,
  columns: readonly string[] = columnsOf[name as keyof typeof columnsOf],
): MovedTable {
  const textOf = (row: Fields) => JSON.stringify(columns.map((column) => row[column] ?? null));
  return {
    ...{ name, columns, textOf },
    *rows() {
      for (const row of rows) yield { row, text: textOf(row) };
    },
  };
}

function firstOf(rows: readonly Fields[], key: string): Iterable<Fields> {
  const first = new Map<unknown, Fields>();
  for (const row of rows) if (!first.has(row[key])) first.set(row[key], row);
  return first.values();
}

/**
 * An event's text is made from the parsed event, not from the columns. So the comparison also notices
 * a column that is written or parsed wrongly.
 */
function events({ chat }: WholeState): MovedTable {
  const textOf = ({ kind, data }: Pick<NewEvent, "kind" | "data">, place: Placed, scope: unknown) =>
    JSON.stringify([kind, data, place, scope]);
  return {
    name: "events",
    columns: [...eventColumns, "scope"],
    textOf: (row) => {
      const read = row as unknown as StoredEvent;
      const { id = null, actor = null, body = null, data = null, ...rest } = read;
      const event = { ...rest, id, actor, body, data };
      return textOf(factOf(event), placeOf(event), row.scope);
    },
    *rows() {
      for (const { event, place } of eventsOf(chat)) {
        if (isCopy(chat, event, place)) continue;
        const { subject, actor, scope, body } = storageOf(event);
        const { server, seq, clock, time, id } = place;
        const row = {
          ...{ lane: laneOf(server), seq, clock, time, kind: event.kind, subject, actor, scope },
          id: id && escapeNul(id),
          body: body && escapeNul(body),
          data: restOf(event) ?? undefined,
        };
        yield { row, text: textOf(event, place, scope) };
      }
    },
  };
}

function* eventsOf(chat: ChatState): Iterable<{ event: NewEvent; place: Placed }> {
  const facts = chatFacts(chat);
  for (const kind of Object.keys(facts) as (keyof ChatData)[]) {
    for (const entry of facts[kind].freeze().entries as Iterable<Fields>) {
      const place = readPlace(entry);
      const { id, clock, time: timeMs } = place;
      const event = { kind, data: facts[kind].parse(entry), id, clock, timeMs } as NewEvent;
      yield { event, place };
    }
  }
}

/**
 * Whether an earlier message is of the same request. Two servers may both have taken a request, and
 * readers see the first message only (R6); an engine has no other.
 */
function isCopy(chat: ChatState, event: NewEvent, place: Placed): boolean {
  const written = messageIn(event);
  if (written === undefined) return false;
  const message = { ...place, ...written };
  return conversationsOf(chat, message).some((owner) => {
    const [first] = owner?.conversation.window.duplicates(message) ?? [];
    return first !== undefined && compareOrder(first, message) < 0;
  });
}

function conversationsOf(chat: ChatState, { from, to }: StoredMessage) {
  return "channel" in to
    ? [chat.channels.get(to.channel)]
    : [chat.users.get(to.user), chat.users.get(from)];
}

/** Returns the columns of a name and of a place. */
function namedAt(name: string, { server, seq, clock, time, id }: Placed) {
  const place = { lane: laneOf(server), seq, clock, time, id: id && escapeNul(id) };
  return { name, sort: sortKey(name), ...place };
}

function* users({ chat }: WholeState): Iterable<Fields> {
  for (const { name, logins } of chat.users.values()) {
    const all = logins.entries.slice();
    const [first] = all;
    if (first === undefined) continue;
    const is_unproven = all.some(({ isProven }) => isProven !== true);
    yield { ...namedAt(name, first), is_unproven };
  }
}

function* channels({ chat }: WholeState): Iterable<Fields> {
  for (const { name, creations } of chat.channels.values()) {
    const first = creations.at(0);
    if (first === undefined) continue;
    const last = chat.removals.last(name);
    const removal = last && { removal_lane: laneOf(last.server), removal: last.seq };
    const is_removed = last?.isRemoved === true;
    yield { ...namedAt(name, first), creator: first.user, is_removed, ...removal };
  }
}

function* looks({ chat }: WholeState): Iterable<Fields> {
  const all = [
    ...chat.userNames.sorted.map((name) => ({ name, subject: userKey(name) })),
    ...chat.channelNames.sorted.map((name) => ({ name, subject: channelKey(name) })),
  ];
  for (const { name, subject } of all) {
    for (const look of new Set(looksOf(name))) yield { look, subject };
  }
}

function* dropped({ chat }: WholeState): Iterable<Fields> {
  const holders = [...chat.channels.values(), ...chat.users.values()];
  for (const { to, conversation } of holders) {
    const subject = "channel" in to ? channelKey(to.channel) : userKey(to.user);
    for (const server of servers(conversation.dropped)) {
      yield { subject, lane: laneOf(server), seq: conversation.dropped[server] };
    }
  }
}

/** The former servers, and the lanes to which events are appended from now on. */
function* lanesAfter({ vector, clock }: WholeState): Iterable<Fields> {
  for (let lane = 0; lane < laneCount; lane += 1) yield { lane, seq: 0, clock };
  for (const server of servers(vector)) yield { lane: laneOf(server), seq: vector[server], clock };
}

function headOf({ log, shop, accounts }: WholeState): Fields {
  const { applied, time } = log.head;
  const { mode, hash } = accounts.registration;
  return { one: true, applied, time, offers: shop.offers, registration: mode, invitation: hash };
}

function* operations({ log }: WholeState): Iterable<Fields> {
  for (const [, { kept }] of log.remembered()) yield* kept.map(operationRow);
}

function* forgotten({ log }: WholeState): Iterable<Fields> {
  for (const [by, { floor }] of log.remembered()) if (floor > 0) yield { by, floor };
}
