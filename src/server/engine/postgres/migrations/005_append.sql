-- Earlier versions of this program have made another function of this name, as a part of 002.
drop function if exists append_events;

-- Appends events. Returns a row for each, in any order: its place, or that of the earlier event with
-- the same id, or no place if the request must be decided again. The caller has removed repetitions
-- within the batch. A decision that was made before may be wrong by now: that the channel exists, that
-- the account may write (`_versions`), that a new channel looks like no other one, and that its maker
-- has few enough (`_mosts`) is looked up again, behind the locks. The lanes of former servers are not
-- searched for the id, because they do not change: whoever decided the request has seen what they have.
create function append_events(
  _lanes bigint[], _kinds text[], _subjects text[], _actors text[], _scopes text[], _ids text[],
  _clocks bigint[], _times bigint[], _bodies text[], _data text[], _sorts bytea[],
  _look_of integer[], _looks text[], _versions text[], _mosts bigint[]
) returns table (
  n bigint, lane bigint, seq bigint, clock bigint, "time" bigint, is_new boolean,
  prev bigint, actor_prev bigint, version text, actor_version text
)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
declare
  -- The numbers of new channels and hooks that may not be made any more.
  spoilt bigint[] := '{}';
begin
  -- All transactions lock first these names, then lanes, each in the same order, so none waits for one
  -- that waits for it. Channels that look the same, and all channels of a user, lie in many lanes. The
  -- names share a bounded number of locks, because PostgreSQL's memory for locks is small.
  if 'channel' = any (_kinds) then
    perform pg_advisory_xact_lock(k.key) from (
      select distinct hashtextextended(name, 0) & 1023 as key from (
        select '#' || l.look from unnest(_look_of, _looks) l (n, look) where _kinds[l.n] = 'channel'
        union all
        select '@' || a.actor from unnest(_kinds, _actors, _mosts) a (kind, actor, most)
        where a.kind = 'channel' and a.most is not null
      ) names (name)
      where name is not null
      order by key
    ) k;
  end if;
  perform 1 from lanes l where l.lane = any (_lanes) order by l.lane for update;

  -- Both are rare, so messages do not pay for this. What a user has is counted once, and only if there is
  -- a limit, because many others wait for these lanes. Then it is little: whoever decided has counted too.
  if array['channel', 'hook'] && _kinds then
    with made as (
      select u.kind, u.actor, u.data::jsonb ->> 'isProven' as is_proven, u.most, u.n,
        row_number() over (partition by u.kind, u.actor order by u.n) as nth
      from unnest(_kinds, _actors, _data, _mosts)
        with ordinality as u (kind, actor, data, most, n)
      where u.kind in ('channel', 'hook')
    ),
    had as materialized (
      select m.kind, m.actor, m.is_proven, case m.kind
        when 'channel' then (
          -- Former servers may have made one channel several times.
          select count(distinct e.subject) from events e
          join channels c on c.name = substr(e.subject, 2) and not c.is_removed
          where e.actor = m.actor and e.kind = 'channel'
        )
        else (
          select count(*) from events h
          where h.actor = m.actor and h.kind = 'hook'
            and (m.is_proven is null or h.data ->> 'isProven' = 'true')
            and not exists (select from events r where r.subject = h.subject and r.kind = 'unhook')
        )
      end as number
      from (select distinct kind, actor, is_proven from made where most is not null) m
    )
    select coalesce(array_agg(m.n), '{}') into spoilt
    from made m
    left join had h on h.kind = m.kind and h.actor = m.actor
      and h.is_proven is not distinct from m.is_proven
    where m.nth + h.number > m.most
      or m.kind = 'channel' and exists (
        select from unnest(_look_of, _looks) own (n, look)
        join looks k on k.look = own.look and k.subject like '#%'
        join channels c on c.name = substr(k.subject, 2) and not c.is_removed
        where own.n = m.n
      );
  end if;

  return query
  with input as materialized (
    select i.lane, i.kind, i.subject, i.actor, i.scope, i.id, i.clock, i.time, i.body,
      i.data::jsonb as data, i.sort, i.version, i.n
    from unnest(
      _lanes, _kinds, _subjects, _actors, _scopes, _ids, _clocks, _times, _bodies, _data, _sorts,
      _versions
    ) with ordinality
      as i (lane, kind, subject, actor, scope, id, clock, time, body, data, sort, version, n)
  ),
  old as materialized (
    select i.n, e.lane, e.seq, e.clock, e.time,
      e.kind = 'login'
        or (e.subject, e.body, e.data) is not distinct from (i.subject, i.body, i.data) as is_same
    from input i
    join events e on e.lane = i.lane and e.scope = i.scope and e.id = i.id and e.id is not null
  ),
  fresh as materialized (
    select i.*, row_number() over (partition by i.lane order by i.n) as nth,
      max(i.clock) over (partition by i.lane) as hint
    from input i
    where not exists (select from old o where o.n = i.n)
      and not (
        i.kind = 'channel' and exists (select from channels c where c.name = substr(i.subject, 2))
      )
      and not (
        i.kind = 'publication' and exists (
          select from channels c where c.name = substr(i.subject, 2) and c.is_removed
        )
      )
      and not (
        i.version is not null and exists (
          select from accounts a
          where a.name = i.actor and (a.version <> i.version or a.locked)
        )
      )
      and i.n <> all (spoilt)
  ),
  placed as materialized (
    select f.lane, f.kind, f.subject, f.actor, f.scope, f.id, f.time, f.body, f.data, f.sort, f.n,
      l.seq + f.nth as seq, greatest(l.clock, f.hint) + f.nth as clock
    from fresh f join lanes l on l.lane = f.lane
  ),
  added as (
    insert into events (lane, seq, clock, time, kind, subject, actor, scope, id, body, data)
    select p.lane, p.seq, p.clock, p.time, p.kind, p.subject, p.actor, p.scope, p.id, p.body, p.data
    from placed p
  ),
  moved as (
    update lanes l set seq = p.seq, clock = p.clock
    from (select lane, max(seq) as seq, max(clock) as clock from placed group by lane) p
    where l.lane = p.lane
  ),
  noted as (
    insert into unpublished (lane, seq, lanes, seqs)
    select (array_agg(p.lane order by p.n))[1], (array_agg(p.seq order by p.n))[1],
      array_agg(p.lane order by p.n), array_agg(p.seq order by p.n)
    from placed p where p.body is not null having count(*) > 0
  ),
  met as (
    insert into users (name, sort, lane, seq, clock, time, id, is_unproven)
    select distinct on (p.actor) p.actor, p.sort, p.lane, p.seq, p.clock, p.time, p.id,
      bool_or(p.data is null) over (partition by p.actor)
    from placed p where p.kind = 'login' order by p.actor, p.n
    on conflict (name) do update set is_unproven = true
    where excluded.is_unproven and not users.is_unproven
  ),
  made as (
    insert into channels (name, sort, lane, seq, clock, time, id, creator)
    select substr(p.subject, 2), p.sort, p.lane, p.seq, p.clock, p.time, p.id, p.actor
    from placed p where p.kind = 'channel'
  ),
  seen as (
    insert into looks (look, subject)
    select k.look, p.subject from unnest(_look_of, _looks) as k (n, look) join placed p on p.n = k.n
    on conflict do nothing
  ),
  topics as (
    select p.n, p.lane, p.seq, p.clock, p.subject as topic, true as is_subject
    from placed p where p.body is not null
    union all
    select p.n, p.lane, p.seq, p.clock, '@' || p.actor, false
    from placed p where p.kind = 'message' and p.subject <> '@' || p.actor
  ),
  heads as materialized (
    select t.n, t.is_subject, coalesce(t.batch_prev, h.prev) as prev
    from (
      select t.*, lag(t.seq) over (partition by t.topic, t.lane order by t.seq) as batch_prev
      from topics t
    ) t
    -- Nothing is searched for a topic that is null.
    cross join lateral last_before(
      case when t.batch_prev is null then t.topic end, t.lane, t.seq, t.clock
    ) h
  )
  select i.n, coalesce(p.lane, o.lane), coalesce(p.seq, o.seq), coalesce(p.clock, o.clock),
    coalesce(p.time, o.time), p.n is not null, hs.prev, ha.prev, a.version, b.version
  from input i
  left join placed p on p.n = i.n
  left join old o on o.n = i.n and o.is_same
  left join heads hs on hs.n = i.n and hs.is_subject
  left join heads ha on ha.n = i.n and not ha.is_subject
  left join accounts a on p.kind = 'message' and a.name = substr(p.subject, 2)
  left join accounts b on p.kind = 'message' and b.name = p.actor;

  if 'removal' = any (_kinds) then
    update channels c set removal_lane = r.lane, removal = r.seq, is_removed = r.is_removed
    from (
      select distinct on (e.subject) e.subject, e.lane, e.seq,
        (e.data ->> 'isRemoved')::boolean as is_removed
      from events e
      where e.kind = 'removal' and e.subject = any (_subjects)
      order by e.subject, e.clock desc
    ) r
    where c.name = substr(r.subject, 2);
  end if;
end
$$;
