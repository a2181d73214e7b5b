-- What operations have decided: accounts, the shop, and matches. Whoever changes one of these tables
-- holds the row of `log_head`, so operations are decided one after the other.

create table log_head (
  one boolean primary key default true check (one),
  -- The slot of the last decided operation.
  applied bigint not null default 0,
  -- The highest time of all slots, in milliseconds since 1970.
  time bigint not null default 0,
  -- How many offers of cards were ever made.
  offers bigint not null default 0,
  registration text not null default 'open',
  -- The hash of the invitation.
  invitation text
);

insert into log_head default values;

-- All operations there ever were. `operation` and `result` are JSON, but of the type text, because
-- jsonb refuses U+0000. Operations on accounts have the hashes of passwords.
create table operations (
  by text collate "C",
  id text collate "C",
  slot bigint not null,
  outcome text not null,
  result text,
  operation text not null,
  primary key (by, id)
);

-- Flags here and below are true or null.
create table accounts (
  name text collate "C" primary key,
  -- The id of the operation that made the account.
  id text not null,
  credential text not null,
  version text not null,
  looks text[] not null,
  is_open boolean,
  has_new_password boolean,
  locked boolean,
  administrator boolean
);

-- For each look, the first account that has it.
create table account_looks (
  look text collate "C" primary key,
  name text not null
);

-- The wallets of those who bought something.
create table wallets (
  name text collate "C" primary key,
  coins bigint not null
);

-- Cards that are not in stock. At most 2,800 cards exist.
create table cards (
  card text collate "C" primary key,
  kind text not null,
  owner text collate "C" not null
);

create index on cards (owner);

create table decks (
  name text collate "C" primary key,
  cards text[] not null
);

-- Open offers of cards.
create table trades (
  trade bigint primary key,
  giver text collate "C" not null,
  taker text collate "C" not null,
  give text[] not null,
  want text[] not null
);

create index on trades (giver);
create index on trades (taker);

-- How many packs are left, of those that an administrator has limited.
create table supplies (
  pack text primary key,
  left_over bigint not null
);

create table open_matches (
  match text collate "C" primary key,
  rules text not null,
  first text collate "C" not null,
  first_game text not null,
  second text collate "C" not null,
  second_game text not null,
  term bigint not null,
  host text not null,
  shadow text
);

create index on open_matches (first);
create index on open_matches (second);

create table ended_matches (
  match text collate "C" primary key,
  -- Rises in the order in which the matches ended.
  number bigint generated always as identity,
  rules text not null,
  first text collate "C" not null,
  second text collate "C" not null,
  winner text,
  is_void boolean,
  first_rating bigint not null,
  second_rating bigint not null,
  ended_ms bigint not null
);

create index on ended_matches (first, number);
create index on ended_matches (second, number);

create table records (
  name text collate "C" primary key,
  -- Of two names with the same rating, the one with the lower key comes first.
  sort bytea not null,
  rating bigint not null,
  won bigint not null,
  lost bigint not null,
  drawn bigint not null
);

create index on records (rating desc, sort);
