-- What a cluster that was moved into this schema had forgotten.

-- For each conversation (#channel or @user), and for each former server, the `seq` of the last message
-- that the servers had dropped. Readers who have not seen it are told that they miss messages.
create table dropped (
  subject text collate "C",
  lane bigint,
  seq bigint not null,
  primary key (subject, lane)
);

-- For each user, the slot of the last operation that is missing in `operations`. An operation that was
-- first sent before it may have been decided, so it is not decided now.
create table forgotten (
  by text collate "C" primary key,
  floor bigint not null
);
