import { limits } from "../../../protocol/limits.ts";
import type { HistoryNeed } from "../engine.ts";
import { channelKey, laneOf, lanes, originOf, userKey } from "../events.ts";
import type { Part } from "./chat-parts.ts";
import { eventColumns, laneOfOwner } from "./events-rows.ts";

/**
 * The queries of pages of conversations. A page may be of several sources: a user's private
 * conversation has what they received, all in one lane, and what they sent, in any lane. Each source
 * gives as many messages as the whole page may have, and one more, which tells whether a page
 * follows. So whatever the slice has besides comes after the page.
 */
export function historyParts(needs: readonly HistoryNeed[]): readonly Part[] {
  const rows = new Map<SourceName, (readonly unknown[])[]>();
  for (const need of needs) {
    for (const { source, values } of sourcesOf(need)) {
      const list = rows.get(source);
      if (list === undefined) rows.set(source, [values]);
      else list.push(values);
    }
  }
  return [...rows].map(([name, list]) => {
    const columns = list[0]?.map((_, at) => list.map((values) => values[at])) ?? [];
    return { name, text: sources[name], values: columns };
  });
}

/** A page ends for its size before it has so many characters. */
const mostCharacters = limits.pageBytes + 65_536;

const event = eventColumns.map((column) => `e.${column}`).join(", ");

/**
 * The source's messages in its order, as far as one page can reach.
 * @param columns the columns of the needs `n`, with their types, in the order of the parameters
 */
function source(columns: Readonly<Record<string, string>>, messages: string, order: string) {
  const names = Object.keys(columns);
  const needs = Object.values(columns).map((type, at) => `$${at + 1}::${type}[]`);
  return `select ${event}
    from unnest(${needs.join(", ")}) n (${names.join(", ")})
    cross join lateral (
      select p.*, sum(char_length(p.body)) over (order by ${order}) - char_length(p.body) as passed
      from (
        ${messages}
        order by ${order}
        limit n.most
      ) p
    ) e
    where e.passed <= ${mostCharacters}`;
}

const received = "select * from events e where e.subject = n.subject and e.lane = n.lane";
const exchanged = `${received} and e.actor = n.actor and e.kind = 'message'`;
const sent = `select * from events e
  where e.actor = n.actor and e.kind = 'message' and e.body is not null`;
/** A message to oneself is among those received. */
const toOthers = "e.subject <> '@' || n.actor";

/** The clock of the last event of a lane that the reader has; lanes have no gaps. */
const clockOfSeen = `coalesce(
  (select s.clock from events s where s.lane = n.lane and s.seq = n.seen),
  case when n.seen = 0 then 0 else ${Number.MAX_SAFE_INTEGER} end
)`;

const sources = {
  "received-before": source(
    { subject: "text", lane: "integer", below: "bigint", most: "integer" },
    `${received} and e.body is not null and e.clock < n.below`,
    "clock desc",
  ),
  "exchanged-before": source(
    { subject: "text", lane: "integer", below: "bigint", most: "integer", actor: "text" },
    `${exchanged} and e.clock < n.below`,
    "clock desc",
  ),
  "sent-before": source(
    { actor: "text", clock: "bigint", lane: "bigint", most: "integer" },
    `${sent} and ${toOthers} and (e.clock, e.lane) < (n.clock, n.lane)`,
    "clock desc, lane desc",
  ),
  "received-since": source(
    { subject: "text", lane: "integer", seen: "bigint", most: "integer" },
    `${received} and e.body is not null and e.clock > ${clockOfSeen}`,
    "clock",
  ),
  "exchanged-since": source(
    { subject: "text", lane: "integer", seen: "bigint", most: "integer", actor: "text" },
    `${exchanged} and e.clock > ${clockOfSeen}`,
    "clock",
  ),
  "sent-since": source(
    { actor: "text", seen: "jsonb", most: "integer" },
    `select e.* from lanes l
      cross join lateral (
        ${sent} and ${toOthers} and e.lane = l.lane
          and e.seq > coalesce((n.seen ->> l.lane::text)::bigint, 0)
        order by e.seq limit n.most
      ) e
      where l.seq > coalesce((n.seen ->> l.lane::text)::bigint, 0)`,
    "clock, lane",
  ),
} as const;

type SourceName = keyof typeof sources;

interface Source {
  readonly source: SourceName;
  /** In the order of the source's parameters. */
  readonly values: readonly unknown[];
}

function sourcesOf(need: HistoryNeed): readonly Source[] {
  const { channel, user } = need.conversation;
  if (channel !== undefined) return [receivedOf(need, channelKey(channel))];
  const { with: other } = need;
  if (other === undefined) return [receivedOf(need, userKey(user)), sentOf(need, user)];
  const both = [exchangedOf(need, userKey(user), other)];
  return other === user ? both : [...both, exchangedOf(need, userKey(other), user)];
}

function receivedOf(need: HistoryNeed, subject: string): Source {
  const source = need.since === undefined ? "received-before" : "received-since";
  return { source, values: withinLane(need, subject) };
}

function exchangedOf(need: HistoryNeed, subject: string, actor: string): Source {
  const source = need.since === undefined ? "exchanged-before" : "exchanged-since";
  return { source, values: [...withinLane(need, subject), actor] };
}

function withinLane({ since, before, limit }: HistoryNeed, subject: string): readonly unknown[] {
  const lane = laneOfOwner(subject);
  const origin = originOf(lane);
  if (since !== undefined) return [subject, lane, since[origin] ?? 0, limit + 1];
  return [subject, lane, belowIn(origin, before), limit + 1];
}

/** Returns the clock below which an origin's messages are before the cursor. */
function belowIn(origin: string, before: HistoryNeed["before"]): number {
  if (before === undefined) return Number.MAX_SAFE_INTEGER;
  return origin < before.server ? before.clock + 1 : before.clock;
}

function sentOf({ since, before, limit }: HistoryNeed, user: string): Source {
  if (since === undefined) {
    const { clock, lane } =
      before === undefined
        ? { clock: Number.MAX_SAFE_INTEGER, lane: 0 }
        : { clock: before.clock, lane: laneOf(before.server) };
    return { source: "sent-before", values: [user, clock, lane, limit + 1] };
  }
  const seen: Record<string, number> = {};
  for (let lane = 0; lane < lanes; lane += 1) seen[lane] = since[originOf(lane)] ?? 0;
  return { source: "sent-since", values: [user, JSON.stringify(seen), limit + 1] };
}
