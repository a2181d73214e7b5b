import { limits } from "../../../protocol/limits.ts";
import { looksOf } from "../../../protocol/looks.ts";
import type { NamesNeed, Needs, ScopedId } from "../engine.ts";
import { hookKey, laneCount } from "../events.ts";
import { laneOfOwner, selectedEvent } from "./events-rows.ts";
import { escapeNul, sortKey } from "./text.ts";

/**
 * A query with the columns of `StoredEvent`. Parts are combined by `union all`. The rows `lanes` and
 * `dropped` use these columns for something else.
 */
export interface UnionPart {
  /** Unique for each text. */
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The columns of a login that stands for all logins of a user `u`. */
const login = `u.lane, u.seq, u.clock, u.time, 'login', '@' || u.name, u.name, u.id, null,
  case when u.is_unproven then null else '{"isProven": true}'::jsonb end`;

/** The columns of the creation of a channel `c`. */
const creation =
  "c.lane, c.seq, c.clock, c.time, 'channel', '#' || c.name, c.creator, c.id, null, null::jsonb";

/** Returns the queries of what is needed, without histories. */
export function chatParts(needs: Needs): readonly UnionPart[] {
  const names = [...needs.names.values()];
  const parts = [
    laneHeads,
    users([...needs.users]),
    usersLike([...needs.userLooks]),
    channels([...needs.channels]),
    channelsOf([...needs.channelsOf]),
    hooks([...needs.hooks].map(hookKey)),
    hooksOf([...needs.hooksOf]),
    events([...needs.events.values()]),
    userNames(names.filter(({ of }) => of === "users")),
    channelNames(names.filter(({ of }) => of === "channels")),
  ];
  return parts.filter((part) => part !== undefined);
}

/** The lanes where the events of the lane `n.lane` are: this one, and those of former servers. */
export const lanesOf = `(
  select n.lane union all select lane from lanes where lane >= ${laneCount}
) l (lane)`;

/** One row, with the `seq` of each lane that has events, and the highest clock of them all. */
const laneHeads: UnionPart = {
  name: "lanes",
  text: `select null::bigint as lane, null::bigint as seq, max(clock) as clock,
      null::bigint as time, 'lanes' as kind, null as subject, null as actor, null as id,
      null as body, jsonb_object_agg(lane, seq) as data
    from lanes where seq > 0`,
  values: [],
};

/**
 * Returns a function that makes the part for a list, or undefined if the list is empty, so that the
 * statement leaves the part out.
 */
function partFor<T>(
  name: string,
  text: string,
  valuesOf: (list: readonly T[]) => readonly unknown[] = (list) => [list],
): (list: readonly T[]) => UnionPart | undefined {
  return (list) => (list.length === 0 ? undefined : { name, text, values: valuesOf(list) });
}

const users = partFor<string>(
  "users",
  `select ${login} from users u where u.name = any ($1::text[])`,
);

const usersLike = partFor<string>(
  "users-like",
  `select ${login} from looks k join users u on u.name = substr(k.subject, 2)
    where k.look = any ($1::text[]) and k.subject like '@%'`,
);

const channels = partFor<string>(
  "channels",
  `select f.*
    from (
      select unnest($1::text[])
      union
      select substr(k.subject, 2) from looks k
      where k.look = any ($2::text[]) and k.subject like '#%'
    ) n (name)
    join channels c on c.name = n.name
    cross join lateral (
      select ${creation}
      union all
      select ${selectedEvent} from events e where e.lane = c.removal_lane and e.seq = c.removal
    ) f`,
  (names) => [names, [...new Set(names.flatMap(looksOf))]],
);

/** The creations of a user's channels that are not removed, as many as a user may have. */
const channelsOf = partFor<string>(
  "channels-of",
  `select ${selectedEvent}
    from unnest($1::text[]) n (actor)
    cross join lateral (
      select e.* from events e
      join channels c on c.name = substr(e.subject, 2) and not c.is_removed
      where e.actor = n.actor and e.kind = 'channel'
      limit ${limits.userChannels}
    ) e`,
);

const hooks = partFor<string>(
  "hooks",
  `select ${selectedEvent}
    from unnest($1::text[]) n (subject)
    join events e on e.subject = n.subject and e.kind in ('hook', 'unhook')`,
);

const hooksOf = partFor<string>(
  "hooks-of",
  `select ${selectedEvent}
    from unnest($1::text[]) n (actor)
    join events h on h.actor = n.actor and h.kind = 'hook'
    join events e on e.subject = h.subject and e.kind in ('hook', 'unhook')`,
);

const events = partFor<ScopedId>(
  "events",
  `select ${selectedEvent}
    from unnest($1::bigint[], $2::text[], $3::text[]) n (lane, scope, id)
    cross join lateral ${lanesOf}
    cross join lateral (
      select * from events e
      where e.lane = l.lane and e.scope = n.scope and e.id = n.id and e.id is not null
      limit 1
    ) e`,
  (list) => [
    list.map(({ owner }) => laneOfOwner(owner)),
    list.map(({ scope }) => scope),
    list.map(({ id }) => escapeNul(id)),
  ],
);

/** One name more than wanted tells whether there is a next page. */
const pagesOfNames = (list: readonly NamesNeed[]) => [
  list.map(({ prefix, from }) => sortKey([prefix, from].sort()[1] ?? "")),
  list.map(({ prefix }) => keyAfter(prefix)),
  list.map(({ limit }) => limit + 1),
];

const userNames = partFor<NamesNeed>(
  "user-names",
  `select ${login}
    from unnest($1::bytea[], $2::bytea[], $3::integer[]) n (first, last, most)
    cross join lateral (
      select * from users u where u.sort >= n.first and u.sort < n.last
      order by u.sort limit n.most
    ) u`,
  pagesOfNames,
);

const channelNames = partFor<NamesNeed>(
  "channel-names",
  `select ${creation}
    from unnest($1::bytea[], $2::bytea[], $3::integer[]) n (first, last, most)
    cross join lateral (
      select * from channels c where c.sort >= n.first and c.sort < n.last and not c.is_removed
      order by c.sort limit n.most
    ) c`,
  pagesOfNames,
);

/** Returns a key above those of all names that begin with the prefix. */
function keyAfter(prefix: string): string {
  // No name continues with more than 64 characters, of which each has at most 4 bytes.
  return sortKey(prefix) + "ff".repeat(4 * 65);
}
