import type { Placed } from "../../core/replica/placed.ts";
import type { NewEvent, UnpublishedEvent } from "../engine.ts";
import { laneOf } from "../events.ts";
import { contextOf, type PublicationContext } from "./append.ts";
import { factOf, placeOf, type StoredEvent, selectedEvent } from "./events-rows.ts";
import type { EnginePool } from "./pool.ts";

/** Forgets transactions whose messages are published: all of one transaction, or none. */
export async function markPublished(
  pool: Pick<EnginePool, "write">,
  places: readonly Placed[],
): Promise<void> {
  if (places.length === 0) return;
  await pool.write({
    name: "published",
    text: "select published($1, $2)",
    values: [places.map(({ server }) => laneOf(server)), places.map(({ seq }) => seq)],
  });
}

/**
 * Returns messages of transactions that nobody has marked as published for some time, in the order
 * of each lane. A transaction's messages come together, even if there are more than `limit`.
 */
export async function unpublished(
  pool: Pick<EnginePool, "read">,
  olderThanMs: number,
  limit: number,
): Promise<readonly UnpublishedEvent[]> {
  const values = [olderThanMs, limit];
  const { rows } = await pool.read<StoredEvent & PublicationContext>({ ...statement, values });
  return rows.map((row) => {
    const place = placeOf(row);
    const { id, clock, time: timeMs } = place;
    // The clock of the server that made the event is not known; any clock below will do.
    const event: NewEvent = { ...factOf(row), id, clock: clock - 1, timeMs };
    return { event, appended: { place, isNew: true, ...contextOf(event, row) } };
  });
}

const statement = {
  name: "unpublished",
  text: `select ${selectedEvent},
      h.prev, k.prev as actor_prev, a.version as version, b.version as actor_version
    from (
      select lanes, seqs, sum(cardinality(seqs)) over (order by since, lane, seq) as total
      from unpublished where since < now() - $1 * interval '1 millisecond'
      order by since, lane, seq limit $2
    ) u
    cross join lateral unnest(u.lanes, u.seqs) p (lane, seq)
    join events e on e.lane = p.lane and e.seq = p.seq
    cross join lateral last_before(e.subject, e.lane, e.seq, e.clock) h
    cross join lateral last_before('@' || e.actor, e.lane, e.seq, e.clock) k
    left join accounts a on e.kind = 'message' and a.name = substr(e.subject, 2)
    left join accounts b on e.kind = 'message' and b.name = e.actor
    where u.total - cardinality(u.seqs) < $2
    order by e.lane, e.seq`,
};
