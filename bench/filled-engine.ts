import { workOnPassword } from "../src/platform/password.ts";
import { parseChannelName, parseUserName } from "../src/protocol/ids.ts";
import { channelKey, laneCount } from "../src/server/engine/events.ts";
import { laneOfOwner } from "../src/server/engine/postgres/events-rows.ts";
import { password } from "./chat-load.ts";

interface Sizes {
  readonly accounts: number;
  readonly messages: number;
}

/** Runs a statement in the database to fill. */
type Query = (text: string) => Promise<readonly { readonly text?: string }[]>;

/** The users and channels that `fill` makes are numbered from 0. */
export const memberOf = (number: number) => parseUserName(`member${number}`);
export const roomOf = (number: number) => parseChannelName(`room${number}`);
export const rooms = 10_000;

/** Each message has one word of each of these vocabularies, of so many words. */
export const vocabularies = [97, 1_009, 10_007, 100_003] as const;
export const wordOf = (size: number, number: number) => `w${size}x${number % size}`;

/**
 * Fills the tables of an empty engine with accounts, all with the same password, and with messages in
 * channels, faster than servers could.
 */
export async function fill(query: Query, { accounts, messages }: Sizes): Promise<void> {
  const definitions = await query(`select pg_get_indexdef(indexrelid) || ';' as text,
      indexrelid::regclass::text as name from pg_index
    where indrelid = 'events'::regclass and not indisprimary`);
  const names = await query(`select indexrelid::regclass::text as text from pg_index
    where indrelid = 'events'::regclass and not indisprimary`);
  for (const { text } of names) await query(`drop index ${text}`);
  await fillRooms(query, messages);
  await fillAccounts(query, accounts);
  for (const { text = "" } of definitions) await query(text.replace(" ON ONLY ", " ON "));
  // As the database does by itself after a while; otherwise it would do it while something is measured.
  for (const table of ["events", "users", "accounts", "channels"]) {
    await query(`vacuum analyze ${table}`);
  }
  await query("checkpoint");
}

async function fillRooms(query: Query, messages: number): Promise<void> {
  const byLane = new Map<number, number[]>();
  for (let room = 0; room < rooms; room += 1) {
    const lane = laneOfOwner(channelKey(roomOf(room)));
    byLane.set(lane, [...(byLane.get(lane) ?? []), room]);
  }
  const each = Math.ceil(messages / laneCount);
  for (const [lane, numbers] of byLane) {
    const own = `array[${numbers.join(",")}]::int[]`;
    await query(`insert into channels (name, sort, lane, seq, clock, time, creator)
      select 'room' || room, convert_to('room' || room, 'UTF8'), ${lane}, at, at, 0, 'member0'
      from unnest(${own}) with ordinality r (room, at)`);
    const body = vocabularies.map((size) => `w${size}x%s`).join(" ");
    // A prime number spreads the words over the messages of each room.
    const words = vocabularies.map((size) => `(n * 7919 + ${lane}) % ${size}`).join(", ");
    await query(`insert into events (lane, seq, clock, time, kind, subject, actor, scope, id, body)
      select ${lane}, n + ${numbers.length}, n + ${numbers.length}, 1700000000000 + n,
        'publication', '#room' || room, 'member' || n % 1000,
        E'message\\n#room' || room || E'\\nmember' || n % 1000, 'made' || n,
        format('${body}', ${words})
      from generate_series(1, ${each}) n,
        lateral (select (${own})[1 + n % ${numbers.length}] as room) r`);
    const last = each + numbers.length;
    await query(`update lanes set seq = ${last}, clock = ${last} where lane = ${lane}`);
  }
}

async function fillAccounts(query: Query, accounts: number): Promise<void> {
  const { credential } = workOnPassword({ hash: password });
  const all = `generate_series(0, ${accounts - 1}) n`;
  await query(`insert into accounts (name, id, credential, version, looks)
    select 'member' || n, 'made' || n, '${credential}', 'v' || n, array['member' || n] from ${all}`);
  await query(`insert into account_looks select 'member' || n, 'member' || n from ${all}`);
  // The first log-ins are the last events of the first lane.
  await query(`insert into users (name, sort, lane, seq, clock, time, is_unproven)
    select 'member' || n, convert_to('member' || n, 'UTF8'), 0, l.seq + n + 1, l.clock + n + 1, 0, false
    from ${all}, lanes l where l.lane = 0`);
  await query(
    `update lanes set seq = seq + ${accounts}, clock = clock + ${accounts} where lane = 0`,
  );
}
