-- The facts of the chat: logins, channels, messages and hooks. Each event lies in one of 64 lanes,
-- and a lane is an origin with gapless numbers. Whoever appends to a lane holds its row. The servers of
-- a cluster that was moved into this schema are lanes too, with higher numbers and with gaps; nobody
-- appends to them.

create table lanes (
  lane bigint primary key,
  -- The `seq` and the clock of the lane's last event.
  seq bigint not null default 0,
  clock bigint not null default 0
) with (fillfactor = 20);

insert into lanes select generate_series(0, 63);

create table events (
  seq bigint not null,
  clock bigint not null,
  -- Milliseconds since 1970.
  time bigint not null,
  lane bigint not null,
  kind text collate "C" not null,
  -- What the event is about: #channel, @user or !hook. A message is about its receiver.
  subject text collate "C" not null,
  actor text collate "C",
  -- The scope in which the request's id is unique. All events of one scope lie in one lane, and
  -- perhaps in lanes of former servers.
  scope text collate "C" not null,
  id text collate "C",
  -- The text of a message.
  body text,
  -- What the other columns do not tell.
  data jsonb,
  primary key (lane, seq)
) partition by hash (lane);

do $$
begin
  for part in 0..15 loop
    execute format(
      'create table events_%s partition of events for values with (modulus 16, remainder %s)',
      part, part
    );
  end loop;
end
$$;

create unique index events_by_id on events (lane, scope, id) where id is not null;

-- Conversations. All messages about one subject lie in one lane, besides those of former servers, and
-- those of one sender in many. The conditions differ, so that a query of one of them uses no other
-- index than its own.
create index events_in on events (subject, lane, clock) where body is not null;
create index events_between on events (subject, actor, lane, clock) where kind = 'message';
create index events_sent on events (actor, clock, lane)
where kind = 'message' and body is not null;
create index events_sent_in on events (actor, lane, seq)
where kind = 'message' and body is not null;

create index events_facts on events (subject) where kind in ('removal', 'hook', 'unhook');
create index events_made on events (actor) where kind in ('channel', 'hook');

-- The words of a message and, as further words, the conversations that it belongs to. So the index
-- finds words and conversation together.
create function words_of(kind text, subject text, actor text, body text) returns tsvector
language sql immutable parallel safe
return to_tsvector('simple'::regconfig, body)
  || array_to_tsvector(
    case kind when 'message' then array[subject, '@' || actor] else array[subject] end
  );

create index events_words on events using gin (words_of(kind, subject, actor, body))
where body is not null;

-- The known users, each with the place of their first login. `sort` sorts as names do in replies.
create table users (
  name text collate "C" primary key,
  sort bytea not null unique,
  lane bigint not null,
  seq bigint not null,
  clock bigint not null,
  time bigint not null,
  id text,
  -- Whether any login came without a password.
  is_unproven boolean not null
);

-- All channels that were ever made, each with the place of its creation.
create table channels (
  name text collate "C" primary key,
  sort bytea not null,
  lane bigint not null,
  seq bigint not null,
  clock bigint not null,
  time bigint not null,
  id text,
  creator text collate "C",
  is_removed boolean not null default false,
  -- The place of the last removal or restoration.
  removal_lane bigint,
  removal bigint
);

create unique index on channels (sort) where not is_removed;

-- The looks of users and channels: `subject` is @user or #channel.
create table looks (
  look text collate "C",
  subject text collate "C",
  primary key (look, subject)
);

-- Messages that may not have been published: one row for each transaction, named by the place of its
-- first message.
create table unpublished (
  lane bigint,
  seq bigint,
  lanes bigint[] not null,
  seqs bigint[] not null,
  since timestamptz not null default now(),
  primary key (lane, seq)
);

create index on unpublished (since);

-- Returns the `seq` of a lane's last message before another one on a topic, or 0. The topic is
-- #channel or @user; messages that the user sent are on it too.
create function last_before(topic text, of_lane bigint, below bigint, below_clock bigint)
returns table (prev bigint)
language sql stable
as $$
  select greatest(
    0,
    (
      select e.seq from events e
      where e.subject = topic and e.lane = of_lane and e.body is not null and e.clock < below_clock
      order by e.clock desc limit 1
    ),
    (
      select e.seq from events e
      where topic like '@%' and e.actor = substr(topic, 2) and e.lane = of_lane
        and e.kind = 'message' and e.body is not null and e.seq < below
      order by e.seq desc limit 1
    )
  )
$$;

-- Forgets transactions whose first message is among these. Nothing is lost if the rows come back:
-- the messages are published once more.
create function published(_lanes bigint[], _seqs bigint[]) returns void
language plpgsql
as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  delete from unpublished u using unnest(_lanes, _seqs) as p (lane, seq)
  where u.lane = p.lane and u.seq = p.seq;
end
$$;
