import type { UserName } from "../../../protocol/ids.ts";
import { looksOf } from "../../../protocol/looks.ts";
import { topicsOf } from "../../core/chat/history.ts";
import type { Appended, NewEvent } from "../engine.ts";
import { messageIn, originOf, storageOf } from "../events.ts";
import { laneOfOwner, restOf } from "./events-rows.ts";
import type { EnginePool } from "./pool.ts";
import { escapeNul, sortKey } from "./text.ts";

/** A row that the function `append_events` returns (`migrations/005_append.sql`). */
interface Row extends PublicationContext {
  /** The number of the event, from 1 on. */
  readonly n: number;
  /** Null if the request must be decided again. */
  readonly lane: number | null;
  readonly seq: number;
  readonly clock: number;
  readonly time: number;
  readonly is_new: boolean;
}

/** What a message's publications need besides the message. */
export interface PublicationContext {
  /** The `seq` of the lane's message before it, on the receiver's topic. */
  readonly prev: number | null;
  /** The same on the topic of its sender. */
  readonly actor_prev: number | null;
  /** The version of the credential of its receiver. */
  readonly version: string | null;
  readonly actor_version: string | null;
}

/** Appends events in one transaction, so that they share one wait for the disks. */
export async function append(
  pool: Pick<EnginePool, "write">,
  events: readonly NewEvent[],
): Promise<readonly Appended[]> {
  const { distinct, inBatch } = withoutRepetitions(events);
  const values = valuesOf(distinct);
  const { rows } = await pool.write<Row>({
    name: "append",
    text: `select * from append_events(${values.map((_, at) => `$${at + 1}`).join(", ")})`,
    values,
  });
  const appended: Appended[] = [];
  for (const row of rows) appended[row.n - 1] = appendedOf(row, distinct[row.n - 1] as NewEvent);
  return events.map((event, at) => {
    const { index, isFirst } = inBatch[at] as InBatch;
    const one = appended[index] as Appended;
    if (isFirst || one === "conflict") return one;
    return isSame(event, distinct[index] as NewEvent) ? { ...one, isNew: false } : "conflict";
  });
}

/** The place in `distinct` of the event that this one repeats, or of itself (`isFirst`). */
interface InBatch {
  readonly index: number;
  readonly isFirst: boolean;
}

/**
 * Finds the events that requests with the same id made, and second creations of channels that look
 * the same.
 * @returns the other events, and for each event, the one of these that it repeats or is
 */
function withoutRepetitions(events: readonly NewEvent[]) {
  const distinct: NewEvent[] = [];
  const known = new Map<string, number>();
  const inBatch = events.map((event): InBatch => {
    const { id, kind, data } = event;
    const keys = [
      ...(id === undefined ? [] : [`${storageOf(event).scope}\n${id}`]),
      ...(kind === "channel" ? looksOf(data.channel).map((look) => `channel ${look}`) : []),
    ];
    const found = keys.map((key) => known.get(key)).find((index) => index !== undefined);
    const index = found ?? distinct.push(event) - 1;
    for (const key of keys) if (!known.has(key)) known.set(key, index);
    return { index, isFirst: found === undefined };
  });
  return { distinct, inBatch };
}

/** Whether two events of one batch are of one request. */
function isSame(one: NewEvent, other: NewEvent): boolean {
  if (one.id === undefined || one.id !== other.id) return false;
  if (one.kind === "login") return true;
  const [row, first] = [storageOf(one), storageOf(other)];
  if (row.scope !== first.scope || row.subject !== first.subject) return false;
  return row.body === first.body && JSON.stringify(restOf(one)) === JSON.stringify(restOf(other));
}

/** Returns the arguments of the function `append_events`: a list for each column. */
function valuesOf(events: readonly NewEvent[]): readonly unknown[] {
  const rows = events.map((event) => {
    const { owner, subject, actor, scope, body } = storageOf(event);
    const rest = restOf(event);
    const name = event.kind === "login" || event.kind === "channel" ? subject.slice(1) : undefined;
    return {
      values: [
        laneOfOwner(owner),
        event.kind,
        subject,
        actor ?? null,
        scope,
        event.id === undefined ? null : escapeNul(event.id),
        event.clock,
        Math.round(event.timeMs),
        body === undefined ? null : escapeNul(body),
        rest === null ? null : JSON.stringify(rest),
        name === undefined ? null : sortKey(name),
      ],
      looks: name === undefined ? [] : looksOf(name),
    };
  });
  const columns =
    rows[0]?.values.map((_, column) => rows.map(({ values }) => values[column])) ?? [];
  const looks = rows.flatMap(({ looks: own }, at) => own.map((look) => ({ at: at + 1, look })));
  return [
    ...columns,
    looks.map(({ at }) => at),
    looks.map(({ look }) => look),
    events.map(({ version }) => version ?? null),
    events.map(({ most }) => most ?? null),
  ];
}

function appendedOf(row: Row, event: NewEvent): Appended {
  const { lane, seq, clock, time } = row;
  if (lane === null) return "conflict";
  const place = { server: originOf(lane), seq, clock, time, id: event.id };
  return { place, isNew: row.is_new, ...(row.is_new ? contextOf(event, row) : noContext) };
}

const noContext = { prevs: new Map<string, number>(), versions: new Map<UserName, string>() };

/** Returns what publications of a new message need besides it. */
export function contextOf(event: NewEvent, row: PublicationContext) {
  const prevs = new Map<string, number>();
  const versions = new Map<UserName, string>();
  const written = messageIn(event);
  const [topic, senderTopic] = written === undefined ? [] : topicsOf(written);
  if (topic !== undefined) prevs.set(topic, row.prev ?? 0);
  if (senderTopic !== undefined) prevs.set(senderTopic, row.actor_prev ?? 0);
  if (event.kind === "message") {
    const { src, dst } = event.data;
    if (row.version !== null) versions.set(dst, row.version);
    if (row.actor_version !== null) versions.set(src, row.actor_version);
  }
  return { prevs, versions };
}
