import type { SearchQuery } from "../../../protocol/client-messages.ts";
import type { Entry } from "../../../protocol/publications.ts";
import { writeTerms } from "../../../protocol/search-words.ts";
import { toEntry } from "../../core/chat/history.ts";
import { channelKey, laneOf, messageIn, userKey } from "../events.ts";
import { factOf, laneOfOwner, placeOf, type StoredEvent, selectedEvent } from "./events-rows.ts";
import type { EnginePool } from "./pool.ts";

/** Finds messages of a conversation that have all wanted terms and no unwanted one, newest first. */
export async function search(
  pool: Pick<EnginePool, "read">,
  { terms, conversation, with: other, before, limit }: SearchQuery,
): Promise<readonly Entry[]> {
  const { channel, user } = conversation;
  const key = channel === undefined ? userKey(user) : channelKey(channel);
  const clock = before?.clock ?? Number.MAX_SAFE_INTEGER;
  const lane = before === undefined ? 0 : laneOf(before.server);
  // PostgreSQL refuses U+0000, which is no part of a word.
  const words = writeTerms(terms).replaceAll("\0", " ");
  const values = [words, key, clock, lane, limit, other ?? null];
  // Common words are found among the newest messages, and rare words by the index.
  const recent = { text: amongNewest, values: [...values, laneOfOwner(key)] };
  const { rows } = await pool.read<StoredEvent>(recent);
  const all =
    rows.length < limit ? await pool.read<StoredEvent>({ text: byIndex, values }) : { rows };
  return all.rows.flatMap((row) => {
    const written = messageIn(factOf(row));
    return written === undefined ? [] : [toEntry({ ...placeOf(row), ...written })];
  });
}

/** How many of the newest messages are read without the index. */
const mostRead = 300;

const isBefore = "(e.clock, e.lane) < ($3::bigint, $4::bigint)";
const query = "websearch_to_tsquery('simple', $1)";
const hasWords = `numnode(${query}) > 0 and words_of(e.kind, e.subject, e.actor, e.body)
  @@ (${query} && quote_literal($2::text)::tsquery)`;
/** Whether the message is between the user and the other one, if one is named. */
const isWithOther = `($6::text is null or (e.subject, e.actor) in (($2, $6), ('@' || $6, substr($2, 2))))`;
const newestFirst = "order by e.clock desc, e.lane desc";

const amongNewest = `select ${selectedEvent}
  from (
    select * from (
      (
        select * from events e
        where e.subject = $2 and e.lane = $7 and e.body is not null and ${isBefore}
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
  where ${hasWords} and ${isWithOther}
  ${newestFirst} limit $5`;

// Materialized, because the planner would otherwise read an index that has this order, in place of the
// index of words.
const byIndex = `with found as materialized (
    select ${selectedEvent} from events e where e.body is not null and ${isBefore} and ${hasWords} and ${isWithOther}
  )
  select ${selectedEvent} from found e ${newestFirst} limit $5`;
