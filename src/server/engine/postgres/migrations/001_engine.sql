-- One row: the identity of the cluster that this schema belongs to.
create table meta (
  one boolean primary key default true check (one),
  cluster uuid not null default gen_random_uuid()
);
insert into meta default values;

-- The servers, as they last told of themselves. Rows are rewritten all the time, so their pages keep
-- room for the next version.
create table servers (
  name text primary key,
  address text not null,
  clock bigint not null,
  rate double precision not null,
  heard timestamptz not null
) with (fillfactor = 20);

-- Names that one server at a time may hold. A row stays for ever, so that fences only rise.
create table leases (
  name text primary key,
  holder text not null,
  until timestamptz not null,
  fence bigint not null
) with (fillfactor = 20);

-- Takes a name for a time, or keeps it longer; returns the fence, or null if another server has the
-- name. Only a new fence waits for the standby: a standby that is promoted must know it.
create function take_lease(wanted text, by text, ttl interval) returns bigint
language plpgsql as $$
declare
  given bigint;
begin
  perform 1 from leases where name = wanted and holder <> by and until > clock_timestamp();
  if found then
    return null;
  end if;
  update leases set until = clock_timestamp() + ttl
    where name = wanted and holder = by and until > clock_timestamp()
    returning fence into given;
  if found then
    perform set_config('synchronous_commit', 'off', true);
    return given;
  end if;
  insert into leases as held (name, holder, until, fence)
    values (wanted, by, clock_timestamp() + ttl, 1)
    on conflict (name) do update
      set holder = excluded.holder, until = excluded.until, fence = held.fence + 1
      where held.until <= clock_timestamp()
    returning fence into given;
  return given;
end $$;

-- Says that a server lives, keeps its lease as keeper, and returns who lives. Waits for no disk,
-- because a report that is lost is soon followed by the next.
create function report_server(
  own text, place text, own_clock bigint, own_rate double precision, ttl interval, patience interval
) returns json
language plpgsql as $$
declare
  now_here constant timestamptz := clock_timestamp();
begin
  perform set_config('synchronous_commit', 'off', true);
  insert into servers (name, address, clock, rate, heard)
    values (own, place, own_clock, own_rate, now_here)
    on conflict (name) do update
      set address = place, clock = own_clock, rate = own_rate, heard = now_here;
  update leases set until = now_here + ttl
    where name = 'keeper' and holder = own and until > now_here;
  delete from servers where heard < now_here - interval '1 day';
  return json_build_object(
    'timeMs', extract(epoch from now_here) * 1000,
    'clock', (select max(clock) from servers),
    'servers', (
      select json_agg(json_build_object(
        'name', name, 'address', address, 'clock', clock, 'rate', rate,
        'silentMs', greatest(0, extract(epoch from now_here - heard) * 1000)
      ) order by name) from servers where heard > now_here - patience
    ),
    'keeper', (
      select json_build_object('name', holder, 'fence', fence)
      from leases where name = 'keeper' and until > now_here
    ),
    'wanted', current_setting('synchronous_standby_names'),
    'standbys', (
      select json_agg(application_name order by flush_lsn desc)
      from pg_stat_replication where sync_state in ('sync', 'quorum')
    )
  );
end $$;
