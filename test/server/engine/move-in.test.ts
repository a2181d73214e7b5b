import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { seededRandom } from "../../../src/platform/random.ts";
import { parseCursor } from "../../../src/protocol/cursor.ts";
import type { Fields } from "../../../src/protocol/fields.ts";
import type { ChannelName, RequestId, ServerName, UserName } from "../../../src/protocol/ids.ts";
import type { ConversationName } from "../../../src/protocol/topics.ts";
import type { MutableVector, Vector } from "../../../src/protocol/vector.ts";
import { type ChatData, chatFacts } from "../../../src/server/core/chat/chat-facts.ts";
import type { ChatState } from "../../../src/server/core/chat/chat-state.ts";
import { scopeOf } from "../../../src/server/core/chat/chat-state.ts";
import { readHistory } from "../../../src/server/core/chat/history.ts";
import { readPlace } from "../../../src/server/core/replica/placed.ts";
import { type HistoryNeed, Needs } from "../../../src/server/engine/engine.ts";
import { messageIn, storageOf } from "../../../src/server/engine/events.ts";
import { append } from "../../../src/server/engine/postgres/append.ts";
import { decide } from "../../../src/server/engine/postgres/decide.ts";
import { loadDecided } from "../../../src/server/engine/postgres/load-decided.ts";
import { moveIn, SchemaUsedError } from "../../../src/server/engine/postgres/move-in.ts";
import type { EnginePool } from "../../../src/server/engine/postgres/pool.ts";
import { ServerDirectory } from "../../../src/server/engine/postgres/standing.ts";
import { stateRowsOf } from "../../../src/server/engine/postgres/state-rows.ts";
import { Slice } from "../../../src/server/engine/slice.ts";
import { hasPostgres, skipNote } from "../../../src/trials/postgres.ts";
import { channelNames, DrawnEvents, eventOf, userNames } from "../../support/drawn-events.ts";
import { Asker } from "../../support/drawn-operations.ts";
import { EngineDatabase } from "../../support/engine-database.ts";
import { epoch, FormerCluster, former } from "../../support/former-cluster.ts";
import { until } from "../../support/until.ts";

const { signal } = new AbortController();

/** Returns a chat with what another one has, that drops nothing from now on. */
function copyOf(chat: ChatState): ChatState {
  const copy = new Slice().chat;
  const [from, to] = [chatFacts(chat), chatFacts(copy)];
  for (const kind of Object.keys(from) as (keyof ChatData)[]) {
    for (const entry of from[kind].freeze().entries as Iterable<Fields>) {
      const place = readPlace(entry);
      to[kind].recall?.(entry, place);
      to[kind].fold(to[kind].parse(entry) as never, place);
    }
  }
  return copy;
}

/** Reads a conversation to its end, page by page, from what `chatOf` gives for each page. */
async function walk(
  first: HistoryNeed,
  chatOf: (need: HistoryNeed) => Promise<{ chat: ChatState; committed: Vector }>,
) {
  const entries: unknown[] = [];
  let complete: boolean | undefined;
  for (let need = first; ; ) {
    const { chat, committed } = await chatOf(need);
    const { channel, user } = need.conversation;
    const owner = channel === undefined ? chat.user(user) : chat.channel(channel);
    const bounds = { committed, room: { bytes: 3_000_000 } };
    const page = readHistory(owner.conversation, need, bounds);
    entries.push(...(need.since === undefined ? page.entries.toReversed() : page.entries));
    complete ??= page.complete;
    if (page.next === undefined) return { entries, complete, seen: page.seen };
    need =
      need.since === undefined
        ? { ...need, before: parseCursor(page.next) }
        : { ...need, since: page.seen };
  }
}

describe.skipIf(!hasPostgres)(`a state that is moved into PostgreSQL${skipNote}`, () => {
  let database: EngineDatabase;
  beforeAll(async () => {
    database = await EngineDatabase.start();
  }, 60_000);
  afterAll(() => database?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    await database.empty();
    await database.query("delete from lanes where lane >= 64");
    await database.query("update log_head set applied = 0, time = 0, offers = 0");
    const decided = "wallets, cards, decks, trades, supplies, open_matches, ended_matches, records";
    const others = "dropped, forgotten, operations, accounts, account_looks, servers";
    await database.query(`truncate ${decided}, ${others}`);
  });

  test("gives the same pages of histories as the cluster, also together with new messages, and says what was dropped", async () => {
    const { state } = new FormerCluster(11);
    const whole = copyOf(state.chat);
    await moveIn(database.pool, state, signal);
    const committed: MutableVector = { ...state.vector };
    const drawn = new DrawnEvents(12);
    for (let count = 0; count < 400; count += 1) {
      const event = drawn.next();
      const [appended] = await append(database.pool, [event]);
      if (appended === undefined || appended === "conflict" || !appended.isNew) continue;
      const { place } = appended;
      expect(place.clock).toBeGreaterThan(state.clock);
      chatFacts(whole)[event.kind].fold(event.data as never, place);
      committed[place.server] = place.seq;
    }
    const random = seededRandom(13);
    const some = (seq: number) => Math.floor(random() * (seq + 5));
    const wholes = new Map<boolean | undefined, number>();
    for (let round = 0; round < 60; round += 1) {
      const user = drawn.user();
      const conversation: ConversationName =
        random() < 0.6 ? { channel: drawn.channel() } : { user };
      const isNear = random() < 0.5;
      const since = Object.fromEntries(
        Object.entries(committed).map(([server, seq]) => {
          return [server, isNear ? Math.max(0, seq - 9) : some(seq)];
        }),
      );
      const before = { clock: some(state.clock + 400), server: drawn.pick(former) as ServerName };
      const need: HistoryNeed = {
        conversation,
        with: random() < 0.25 ? drawn.user() : undefined,
        since: round % 4 < 2 ? since : undefined,
        before: round % 4 === 2 ? before : undefined,
        limit: 5 + Math.floor(random() * 60),
      };
      const expected = await walk(need, async () => ({ chat: whole, committed }));
      const found = await walk(need, async (page) => {
        const needs = new Needs();
        needs.history.set("page", page);
        const { chat, committed } = await database.load(needs);
        return { chat, committed };
      });
      expect(found).toEqual(expected);
      wholes.set(found.complete, (wholes.get(found.complete) ?? 0) + 1);
    }
    // Some readers had missed dropped messages, and some had not.
    expect(Math.min(wholes.get(true) ?? 0, wholes.get(false) ?? 0)).toBeGreaterThan(2);
  }, 60_000);

  test("answers each old id by the first message that was made with it, whichever server has it", async () => {
    const { state, made } = new FormerCluster(21);
    const moved = await moveIn(database.pool, state, signal);
    let copies = 0;
    for (const { event, place } of made) {
      const written = messageIn(event);
      if (event.id === undefined || written === undefined) continue;
      const message = { ...place, ...written };
      const { owner, scope } = storageOf(event);
      const needs = new Needs();
      needs.events.set("", { owner, scope, id: event.id });
      const { chat } = await database.load(needs);
      const first = (of: ChatState) => {
        const { to } = message;
        const owner = "channel" in to ? of.channel(to.channel) : of.user(to.user);
        const isSame = ({ text }: { text: string }) => text === message.text;
        return owner.conversation.window.find(event.id as RequestId, scopeOf(message), isSame);
      };
      const known = first(state.chat);
      expect(first(chat)).toEqual(known);
      if (known !== undefined && known.seq !== place.seq) copies += 1;
    }
    expect(copies).toBeGreaterThan(5);
    const [rows] = await database.query<{ total: number }>(
      "select count(*)::int as total from events where kind = 'message'",
    );
    expect(moved.counts.get("message")).toBe(rows?.total);
    expect(moved.channels.size).toBe(channelNames.length);
  }, 60_000);

  test("has users and channels as before, and a channel that was removed is restored by a new event", async () => {
    const { state } = new FormerCluster(31);
    await moveIn(database.pool, state, signal);
    const load = () => {
      const needs = new Needs();
      for (const user of userNames) needs.users.add(user);
      for (const channel of channelNames) needs.channels.add(channel);
      return database.load(needs);
    };
    const { chat, committed } = await load();
    expect(committed).toEqual(state.vector);
    for (const user of userNames) {
      const isUnproven = (of: ChatState) =>
        of.users
          .get(user)
          ?.logins.entries.slice()
          .some(({ isProven }) => !isProven);
      expect(isUnproven(chat)).toBe(isUnproven(state.chat));
    }
    const isThere = (of: ChatState) => channelNames.map((name) => of.knowsChannel(name));
    expect(isThere(chat)).toEqual(isThere(state.chat));
    const channel = channelNames.find((name) => state.chat.isRemoved(name)) as ChannelName;
    const by = userNames[0] as UserName;
    const restored = eventOf("removal", { channel, by, isRemoved: false }, "restored");
    await append(database.pool, [restored]);
    expect((await load()).chat.isRemoved(channel)).toBe(false);
  });

  test("has what operations decided, knows their outcomes, and decides none again that the cluster has forgotten", async () => {
    const cluster = new FormerCluster(41);
    const { log, shop, accounts, matches } = cluster.state;
    const asker = new Asker(42);
    while (log.applied < 500) cluster.decide(asker.batch(3, shop));
    // A decision that no mark has settled, as if the coordinator had died.
    const by = "late" as UserName;
    const late = { kind: "buy", by, id: "late" as RequestId, since: log.applied, pack: "basic" };
    const open = { ...late, draw: "7".repeat(32) };
    log.add({ epoch, slot: log.applied + 1, time: 5_000, ops: [open] });
    const moved = await moveIn(database.pool, cluster.state, signal);
    expect(log.find(by, open.id)?.outcome).toBe("done");
    const { applied } = log;
    const kept = log.remembered().flatMap(([, asker]) => asker.kept);
    expect(moved.counts.get("operations")).toBe(kept.length);
    const again = await decide(
      database.pool,
      kept.map(({ operation }) => operation),
      9_000,
    );
    expect(JSON.parse(JSON.stringify(again))).toEqual(JSON.parse(JSON.stringify(kept)));
    const [user, { floor }] = log.remembered().find(([, asker]) => asker.floor > 0) ?? [
      "",
      { floor: 0 },
    ];
    expect(floor).toBeGreaterThan(0);
    const forgotten = { ...open, by: user as UserName, id: "unknown" as RequestId };
    const told = await decide(database.pool, [{ ...forgotten, since: floor - 1 }], 9_000);
    expect(told).toMatchObject([{ outcome: "expired" }]);
    const [{ coins } = { coins: 0 }] = await database.query<{ coins: number }>(
      `select coins from wallets where name = '${by}'`,
    );
    expect(coins).toBe(shop.coins(by));

    const needs = new Needs();
    for (const account of accounts.all()) needs.accounts.add(account.user);
    for (const [name] of shop.wallets()) needs.wallets.add(name).add(name);
    for (const [, owner] of shop.owners()) needs.cardsOf.add(owner);
    for (const { match } of [...matches.opened(), ...matches.remembered()])
      needs.matches.add(match);
    for (const [name] of matches.records()) needs.players.add(name);
    needs.isStockNeeded = true;
    const slice = new Slice();
    await loadDecided({ query: (query) => database.pool.read(query) }, needs, slice);
    const rows = (of: typeof slice) => stateRowsOf(of).map((table) => [...table.values()].sort());
    expect(rows(slice)).toEqual(rows(cluster.state as unknown as Slice));
    expect([slice.shop.offers, slice.accounts.registration]).toEqual([
      shop.offers,
      accounts.registration,
    ]);
    expect(slice.applied).toBe(applied + 2);
  });

  test("[K8] keeps a server that starts during the move from reporting and appending until the move has ended", async () => {
    const { state } = new FormerCluster(61);
    const name = "server_00000050" as ServerName;
    const ended: string[] = [];
    const started: Promise<unknown>[] = [];
    const login = (id: string) =>
      append(database.pool, [eventOf("login", { user: "new" as UserName }, id)]);
    const start = () => {
      const own = { name, address: "tcp://127.0.0.1:1", clock: 1, rate: 0 };
      started.push(new ServerDirectory(database.pool).report(own).then(() => ended.push("report")));
      started.push(login("first").then(() => ended.push("append")));
    };
    const areWaiting = async () => {
      const waiting = await database.query("select from pg_locks where not granted");
      return ended.length + waiting.length >= started.length;
    };
    const early: string[] = [];
    const pool: Pick<EnginePool, "transaction"> = {
      transaction: (run) => {
        return database.pool.transaction((db) => {
          const query: typeof db.query = async (one) => {
            if (one.text.startsWith("insert into lanes")) {
              start();
              await until(areWaiting, "the server waits");
              early.push(...ended);
            }
            return await db.query(one);
          };
          return run({ query });
        });
      },
    };
    await moveIn(pool, state, signal);
    await Promise.all(started);
    expect(early).toEqual([]);
    const [second] = await login("second");
    expect(second).toMatchObject({ isNew: true, place: { seq: 2 } });
  });

  test("is not moved at all if PostgreSQL changes a row, if the schema is used, or if a server has a name that the engine uses", async () => {
    const { state } = new FormerCluster(51);
    const events = async () => (await database.query("select from events")).length;
    await database.query(`create function later() returns trigger language plpgsql as
      'begin new.time := new.time + 1; return new; end'`);
    await database.query(`create trigger later before insert on events
      for each row execute function later()`);
    await expect(moveIn(database.pool, state, signal)).rejects.toThrow("PostgreSQL has other rows");
    expect(await events()).toBe(0);
    await database.query("drop function later cascade");
    for (const name of ["server_00000040", "server_ffffffff"]) {
      const named = { ...state, vector: { ...state.vector, [name]: 1 } };
      await expect(moveIn(database.pool, named, signal)).rejects.toThrow(name);
    }
    await expect(moveIn(database.pool, state, AbortSignal.abort())).rejects.toThrow();
    expect(await events()).toBe(0);
    await moveIn(database.pool, state, signal);
    await expect(moveIn(database.pool, state, signal)).rejects.toThrow(SchemaUsedError);
  });
});
