import type { Entry } from "../../../protocol/publications.ts";
import { toEntry } from "../../core/chat/history.ts";
import type { SearchQuery } from "../engine.ts";
import { channelKey, laneOf, userKey } from "../events.ts";
import {
  eventColumns,
  factOf,
  laneOfOwner,
  placeOf,
  type StoredEvent,
  writtenIn,
} from "./events-rows.ts";
import type { EnginePool } from "./pool.ts";

/**
 * Finds messages of a conversation that have all the words, newest first. Words in quotation marks
 * must follow each other, and a word after "-" must be missing.
 */
export async function search(
  pool: Pick<EnginePool, "read">,
  { words, conversation, before, limit }: SearchQuery,
): Promise<readonly Entry[]> {
  const { channel, user } = conversation;
  const key = channel === undefined ? userKey(user) : channelKey(channel);
  const clock = before?.clock ?? Number.MAX_SAFE_INTEGER;
  const lane = before === undefined ? 0 : laneOf(before.server);
  // PostgreSQL refuses U+0000, which is no part of a word.
  const values = [words.replaceAll("\0", " "), key, clock, lane, limit];
  // Common words are found among the newest messages, and rare words by the index.
  const recent = { text: amongNewest, values: [...values, laneOfOwner(key)] };
  const { rows } = await pool.read<StoredEvent>(recent);
  const all =
    rows.length < limit ? await pool.read<StoredEvent>({ text: byIndex, values }) : { rows };
  return all.rows.flatMap((row) => {
    const written = writtenIn(factOf(row));
    return written === undefined ? [] : [toEntry({ ...placeOf(row), ...written })];
  });
}

/** How many of the newest messages are read without the index. */
const mostRead = 300;

const event = eventColumns.map((column) => `e.${column}`).join(", ");
const isBefore = "(e.clock, e.lane) < ($3::bigint, $4::bigint)";
const query = "websearch_to_tsquery('simple', $1)";
const hasWords = `numnode(${query}) > 0 and words_of(e.kind, e.subject, e.actor, e.body)
  @@ (${query} && quote_literal($2::text)::tsquery)`;
const newestFirst = "order by e.clock desc, e.lane desc";

const amongNewest = `select ${event}
  from (
    select * from (
      (
        select * from events e
        where e.subject = $2 and e.lane = $6 and e.body is not null and ${isBefore}
        ${newestFirst} limit ${mostRead}
      )
      union all
      (
        select * from events e
        where $2 like '@%' and e.actor = substr($2, 2) and e.kind = 'message'
          and e.body is not null and e.subject <> $2 and ${isBefore}
        ${newestFirst} limit ${mostRead}
      )
    ) e
    ${newestFirst} limit ${mostRead}
  ) e
  where ${hasWords}
  ${newestFirst} limit $5`;

// The order comes last, so that the index is not left aside for one that has it.
const byIndex = `with found as materialized (
    select ${event} from events e where e.body is not null and ${isBefore} and ${hasWords}
  )
  select ${event} from found e ${newestFirst} limit $5`;
