import type { ServerName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import type { HistoryNeed } from "../engine.ts";
import { channelKey, laneOf, userKey } from "../events.ts";
import { lanesOf, type UnionPart } from "./chat-parts.ts";
import { laneOfOwner, selectedEvent } from "./events-rows.ts";

/**
 * The queries of pages of conversations. A page may be of several sources: a user's private
 * conversation has what they received, all in one lane, and what they sent, in any lane; and each
 * conversation may have messages in the lanes of former servers. Each source gives as many messages
 * as the whole page may have, and one more, which tells whether a page follows. So whatever the slice
 * has besides comes after the page.
 */
export function historyParts(needs: readonly HistoryNeed[]): readonly UnionPart[] {
  const rows = new Map<SourceName, (readonly unknown[])[]>();
  for (const need of needs) {
    for (const { source, values } of sourcesOf(need)) {
      const list = rows.get(source);
      if (list === undefined) rows.set(source, [values]);
      else list.push(values);
    }
  }
  const parts: UnionPart[] = [...rows].map(([name, list]) => {
    const columns = list[0]?.map((_, at) => list.map((values) => values[at])) ?? [];
    return { name, text: sources[name], values: columns };
  });
  const subjects = needs.filter(({ since }) => since !== undefined).map(subjectOf);
  if (subjects.length > 0) parts.push({ ...dropped, values: [[...new Set(subjects)]] });
  return parts;
}

/** A row for each conversation of which former servers had dropped messages. */
const dropped = {
  name: "dropped",
  text: `select null::bigint, null::bigint, null::bigint, null::bigint, 'dropped', subject,
      null, null, null, jsonb_object_agg(lane, seq)
    from dropped where subject = any ($1::text[]) group by subject`,
};

/** No page reads more characters than this: its size ends it first. */
const mostCharacters = limits.pageBytes + 65_536;

/**
 * The source's messages in its order, as far as one page can reach.
 * @param columns the columns of the needs `n`, with their types, in the order of the parameters
 */
function source(columns: Readonly<Record<string, string>>, messages: string, order: string) {
  const names = Object.keys(columns);
  const needs = Object.values(columns).map((type, at) => `$${at + 1}::${type}[]`);
  const lateral = names.includes("subject") ? `cross join lateral ${lanesOf}` : "";
  return `select ${selectedEvent}
    from unnest(${needs.join(", ")}) n (${names.join(", ")})
    ${lateral}
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

const received = "select * from events e where e.subject = n.subject and e.lane = l.lane";
const exchanged = `${received} and e.actor = n.actor and e.kind = 'message'`;
const sent = `select * from events e
  where e.actor = n.actor and e.kind = 'message' and e.body is not null`;
/** A message to oneself is among those received. */
const toOthers = "e.subject <> '@' || n.actor";

/**
 * `(e.clock, l.lane) < (n.clock, n.cursor_lane)`, written as one bound on `e.clock`, which the index
 * (subject, lane, clock) needs.
 */
const isBefore = "e.clock < n.clock + (l.lane < n.cursor_lane)::integer";
/** The last number of the lane `l` that the reader has. */
const seen = "coalesce((n.seen ->> l.lane::text)::bigint, 0)";
/**
 * Whether a message of the lane `l` is after those that the reader has. The reader tells a `seq`, and
 * the index has clocks. So the last seen `seq` is turned into its clock.
 */
const isAfter = `e.clock > coalesce((
  select s.clock from events s where s.lane = l.lane and s.seq <= ${seen}
  order by s.seq desc limit 1
), 0)`;

const before = { subject: "text", lane: "bigint", clock: "bigint", cursor_lane: "bigint" };
const since = { subject: "text", lane: "bigint", seen: "jsonb" };

const sources = {
  "received-before": source(
    { ...before, most: "integer" },
    `${received} and e.body is not null and ${isBefore}`,
    "clock desc",
  ),
  "exchanged-before": source(
    { ...before, most: "integer", actor: "text" },
    `${exchanged} and ${isBefore}`,
    "clock desc",
  ),
  "sent-before": source(
    { actor: "text", clock: "bigint", cursor_lane: "bigint", most: "integer" },
    `${sent} and ${toOthers} and (e.clock, e.lane) < (n.clock, n.cursor_lane)`,
    "clock desc, lane desc",
  ),
  "received-since": source(
    { ...since, most: "integer" },
    `${received} and e.body is not null and ${isAfter}`,
    "clock",
  ),
  "exchanged-since": source(
    { ...since, most: "integer", actor: "text" },
    `${exchanged} and ${isAfter}`,
    "clock",
  ),
  "sent-since": source(
    { actor: "text", seen: "jsonb", most: "integer" },
    `select e.* from lanes l
      cross join lateral (
        ${sent} and ${toOthers} and e.lane = l.lane and e.seq > ${seen}
        order by e.seq limit n.most
      ) e
      where l.seq > ${seen}`,
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
  if (channel !== undefined) return [receivedOf(need)];
  const { with: other } = need;
  if (other === undefined) return [receivedOf(need), sentOf(need, user)];
  const both = [exchangedOf(need, userKey(user), other)];
  return other === user ? both : [...both, exchangedOf(need, userKey(other), user)];
}

function subjectOf({ conversation: { channel, user } }: HistoryNeed): string {
  return channel === undefined ? userKey(user) : channelKey(channel);
}

function receivedOf(need: HistoryNeed): Source {
  const subject = subjectOf(need);
  const source = need.since === undefined ? "received-before" : "received-since";
  return { source, values: [subject, laneOfOwner(subject), ...reachOf(need)] };
}

function exchangedOf(need: HistoryNeed, subject: string, actor: string): Source {
  const source = need.since === undefined ? "exchanged-before" : "exchanged-since";
  return { source, values: [subject, laneOfOwner(subject), ...reachOf(need), actor] };
}

function sentOf(need: HistoryNeed, user: string): Source {
  const source = need.since === undefined ? "sent-before" : "sent-since";
  return { source, values: [user, ...reachOf(need)] };
}

/** Returns where a page begins, by its cursor or by what the reader has seen, and the most messages. */
function reachOf({ since, before, limit }: HistoryNeed): readonly unknown[] {
  const most = limit + 1;
  if (since !== undefined) {
    const seen = Object.entries(since).map(([origin, seq]) => [laneOf(origin as ServerName), seq]);
    return [JSON.stringify(Object.fromEntries(seen)), most];
  }
  if (before === undefined) return [Number.MAX_SAFE_INTEGER, 0, most];
  return [before.clock, laneOf(before.server), most];
}
