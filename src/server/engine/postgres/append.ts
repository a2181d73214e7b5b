import type { UserName } from "../../../protocol/ids.ts";
import { looksOf } from "../../../protocol/looks.ts";
import { topicsOf } from "../../core/chat/history.ts";
import type { Appended, NewEvent } from "../engine.ts";
import { originOf, rowOf } from "../events.ts";
import { laneOfOwner, restOf, writtenIn } from "./events-rows.ts";
import type { EnginePool } from "./pool.ts";
import { sortKey, stored } from "./text.ts";

/** The most events of one transaction. */
const mostAtOnce = 1_000;

interface Waiting {
  readonly events: readonly NewEvent[];
  resolve(appended: readonly Appended[]): void;
  reject(error: unknown): void;
}

/**
 * Appends events, one transaction at a time. What comes meanwhile goes into the next transaction, so
 * events keep their order, and many share one wait for the disks.
 */
export class Appender {
  readonly #pool: Pick<EnginePool, "write">;
  #waiting: Waiting[] = [];
  #isBusy = false;

  constructor(pool: Pick<EnginePool, "write">) {
    this.#pool = pool;
  }

  append(events: readonly NewEvent[]): Promise<readonly Appended[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ events, resolve, reject });
      void this.#appendWaiting();
    });
  }

  async #appendWaiting(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      try {
        const appended = await appendAtOnce(
          this.#pool,
          batch.flatMap(({ events }) => events),
        );
        let at = 0;
        for (const { events, resolve } of batch) {
          resolve(appended.slice(at, at + events.length));
          at += events.length;
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isBusy = false;
  }

  #takeBatch(): readonly Waiting[] {
    let events = 0;
    const end = this.#waiting.findIndex(({ events: { length } }, at) => {
      events += length;
      return at > 0 && events > mostAtOnce;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }
}

/** A row that the function `append_events` returns (`migrations/002_events.sql`). */
interface Row extends Links {
  /** The number of the event, from 1 on. */
  readonly n: number;
  /** Null if the request must be decided again. */
  readonly lane: number | null;
  readonly seq: number;
  readonly clock: number;
  readonly time: number;
  readonly is_new: boolean;
}

/** Of a message: what its publications need besides it. */
export interface Links {
  /** The `seq` of the origin's message before it on the topic of its receiver. */
  readonly prev: number | null;
  /** The same on the topic of its sender. */
  readonly actor_prev: number | null;
  /** The version of the credential of its receiver. */
  readonly version: string | null;
  readonly actor_version: string | null;
}

async function appendAtOnce(
  pool: Pick<EnginePool, "write">,
  events: readonly NewEvent[],
): Promise<readonly Appended[]> {
  const { distinct, standIns } = withoutRepetitions(events);
  const values = valuesOf(distinct);
  const { rows } = await pool.write<Row>({
    name: "append",
    text: `select * from append_events(${values.map((_, at) => `$${at + 1}`).join(", ")})`,
    values,
  });
  const appended: Appended[] = [];
  for (const row of rows) appended[row.n - 1] = appendedOf(row, distinct[row.n - 1] as NewEvent);
  return events.map((event, at) => {
    const { index, isFirst } = standIns[at] as StandIn;
    const one = appended[index] as Appended;
    if (isFirst || one === "conflict") return one;
    return isSame(event, distinct[index] as NewEvent) ? { ...one, isNew: false } : "conflict";
  });
}

/** Which of the distinct events stands for an event, and whether it is that event itself. */
interface StandIn {
  readonly index: number;
  readonly isFirst: boolean;
}

/**
 * Finds the events that requests with the same id made, and second creations of channels that look
 * the same.
 * @returns the other events, and for each event, which of these stands for it
 */
function withoutRepetitions(events: readonly NewEvent[]) {
  const distinct: NewEvent[] = [];
  const known = new Map<string, number>();
  const standIns = events.map((event): StandIn => {
    const { id, kind, data } = event;
    const keys = [
      ...(id === undefined ? [] : [`${rowOf(event).scope}\n${id}`]),
      ...(kind === "channel" ? looksOf(data.channel).map((look) => `channel ${look}`) : []),
    ];
    const found = keys.map((key) => known.get(key)).find((index) => index !== undefined);
    const index = found ?? distinct.push(event) - 1;
    for (const key of keys) if (!known.has(key)) known.set(key, index);
    return { index, isFirst: found === undefined };
  });
  return { distinct, standIns };
}

/** Whether two events of one batch are of one request. */
function isSame(one: NewEvent, other: NewEvent): boolean {
  if (one.id === undefined || one.id !== other.id) return false;
  if (one.kind === "login") return true;
  const [row, first] = [rowOf(one), rowOf(other)];
  if (row.scope !== first.scope || row.subject !== first.subject) return false;
  return row.body === first.body && JSON.stringify(restOf(one)) === JSON.stringify(restOf(other));
}

/** Returns the arguments of the function `append_events`: a list for each column. */
function valuesOf(events: readonly NewEvent[]): readonly unknown[] {
  const rows = events.map((event) => {
    const { owner, subject, actor, scope, body } = rowOf(event);
    const rest = restOf(event);
    const name = event.kind === "login" || event.kind === "channel" ? subject.slice(1) : undefined;
    return {
      values: [
        laneOfOwner(owner),
        event.kind,
        subject,
        actor ?? null,
        scope,
        event.id === undefined ? null : stored(event.id),
        event.clock,
        Math.round(event.timeMs),
        body === undefined ? null : stored(body),
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
  return { place, isNew: row.is_new, ...(row.is_new ? linksOf(event, row) : noLinks) };
}

const noLinks = { prevs: new Map<string, number>(), versions: new Map<UserName, string>() };

/** Returns what publications of a new message need besides it. */
export function linksOf(event: NewEvent, row: Links) {
  const prevs = new Map<string, number>();
  const versions = new Map<UserName, string>();
  const written = writtenIn(event);
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
