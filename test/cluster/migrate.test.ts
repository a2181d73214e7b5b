import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GameClient } from "../../src/client/game-client.ts";
import type { Session } from "../../src/client/session.ts";
import { addressesOf } from "../../src/platform/endpoint.ts";
import { newHookToken } from "../../src/platform/hook-token.ts";
import {
  type HookName,
  parseChannelName,
  parseUserName,
  type RequestId,
  type UserName,
} from "../../src/protocol/ids.ts";
import type { MatchId } from "../../src/protocol/matches.ts";
import type { Entry } from "../../src/protocol/publications.ts";
import type { ConversationName } from "../../src/protocol/topics.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { hasPostgres, type Postgres, skipNote, startPostgres } from "../../src/trials/postgres.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { CliProcess, type Ended } from "../terminal/cli-process.ts";

const ana = parseUserName("ana");
const bia = parseUserName("bia");
const geral = parseChannelName("geral");
const avisos = parseChannelName("avisos");
const conversations: readonly ConversationName[] = [
  { channel: geral },
  { channel: avisos },
  { user: ana },
  { user: bia },
];
const password = (user: string) => `the long password of ${user}`;

/** A person's session, and its newest token. */
class Person {
  readonly session: Session;
  token: string | undefined;

  constructor(cluster: LocalCluster, options: { readonly seen?: Vector; token?: string } = {}) {
    this.token = options.token;
    const onToken = (token: string) => {
      this.token = token;
    };
    this.session = cluster.client({ deadlineMs: 30_000, ...options, onToken });
  }

  static async enter(cluster: LocalCluster, user: UserName): Promise<Person> {
    const person = new Person(cluster);
    await person.session.login(user, password(user));
    return person;
  }

  player(cluster: LocalCluster, user: UserName): GameClient {
    const games = [cluster.endpoints.game];
    return new GameClient({ games, user, token: () => this.token });
  }
}

/** Reads pages of a conversation until the last one. */
async function pagesOf(
  session: Session,
  name: ConversationName,
  { limit, ...from }: { readonly since?: Vector; readonly limit: number },
): Promise<{ entries: Entry[]; seen: Vector }> {
  const entries: Entry[] = [];
  let { since } = from;
  for (let before: string | undefined; ; ) {
    const page = await session.history(name, { limit, since, before });
    if (since === undefined) entries.unshift(...page.entries);
    else entries.push(...page.entries);
    if (page.next === undefined) return { entries, seen: page.seen };
    if (since === undefined) before = page.next;
    else since = page.seen;
  }
}

/** What users see of everything that does not depend on the server that answers. */
async function everything(session: Session, other: Session) {
  const histories: unknown[] = [];
  for (const name of conversations) {
    const reader = name.user === bia ? other : session;
    for (const limit of [3, 1_000]) {
      histories.push((await pagesOf(reader, name, { limit })).entries);
      histories.push((await pagesOf(reader, name, { limit, since: {} })).entries);
    }
  }
  const shop = await session.ask("shop", { user: ana });
  const cards = await session.ask("cards", { user: ana });
  const match = await session.ask("match", { user: ana }, { consistency: "now" });
  const { players: ranking } = await session.ask("ranking", {});
  const { hooks } = await session.ask("hooks", { user: ana });
  return JSON.parse(
    JSON.stringify({
      ...{ histories, ranking, hooks, users: await session.users() },
      channels: await session.channels(),
      shop: [shop.coins, shop.packs, shop.stock, shop.trades],
      cards: [cards.cards, cards.deck],
      // A game server that was restarted begins a new term.
      match: [match.open?.match, match.open?.players, match.ended, match.record],
    }),
  );
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  using command = new CliProcess(args, env);
  return await command.end();
}

// The cluster that is moved must have no engine yet.
const isSkipped = !hasPostgres || process.env.TERTULIA_TEST_ENGINE !== undefined;

describe.skipIf(isSkipped)(`a cluster that is moved into an engine${skipNote}`, () => {
  let place: TemporaryFolder;
  let postgres: Postgres;
  let url: string;
  const inPlace = (name: string) => join(place.path, name);
  const migrate = (file: string, engine: string, ...more: string[]): Promise<Ended> => {
    return run(["migrate", file, "--engine", engine, ...more]);
  };

  beforeAll(async () => {
    place = await temporaryFolder();
    postgres = await startPostgres({ settings: { fsync: "off" } });
    url = await postgres.createDatabase();
  }, 60_000);
  afterAll(async () => {
    await postgres?.[Symbol.asyncDispose]();
    await place?.[Symbol.asyncDispose]();
  }, 30_000);

  /** Waits until a player is shown a match that is not over. */
  async function seated(player: GameClient): Promise<MatchId> {
    let match: MatchId | undefined;
    const sits = async () => {
      const look = await player.look();
      match = look.phase === "match" && !look.view.over ? look.view.match : undefined;
      return match !== undefined;
    };
    await until(sits, "the player sits in a match", 20_000);
    return match as MatchId;
  }

  async function begun(one: GameClient, other: GameClient): Promise<MatchId> {
    for (const player of [one, other]) {
      // A player can't enter before the game server knows that their last match has ended.
      const enters = () =>
        player.enter("clash").then(
          () => true,
          () => false,
        );
      await until(enters, "the player looks for a match", 20_000);
    }
    const match = await seated(one);
    await seated(other);
    for (const player of [one, other]) await player.act(match, { type: "ready" });
    return match;
  }

  async function ended(session: Session, count: number): Promise<void> {
    const isOver = async () => {
      const { open, ended } = await session.ask("match", { user: ana }, { consistency: "now" });
      return open === undefined && ended.length === count;
    };
    await until(isOver, "the match has ended", 20_000);
  }

  test("shows the same histories, names, hooks, wallets, cards and ranking, knows old ids, and goes on with an open match", async () => {
    const options = { data: inPlace("data"), auth: "required", games: 1 } as const;
    const source = await LocalCluster.start(options);
    await using stopping = { [Symbol.asyncDispose]: () => source.stop() };
    for (const user of [ana, bia]) await source.client().register(user, password(user));
    const first = await Person.enter(source, ana);
    const second = await Person.enter(source, bia);
    const [hers, his] = [first.session, second.session];
    await hers.createChannel(geral);
    await his.createChannel(avisos);
    const ids = Array.from({ length: 12 }, (_, at) => `old ${at}` as RequestId);
    const receipts = await Promise.all(
      ids.map((id, at) => {
        const writer = at % 2 === 0 ? hers : his;
        return at % 3 === 0
          ? writer.message(at % 2 === 0 ? bia : ana, `private ${at}`, { id })
          : writer.publish(geral, `\u0000 public ${at}`, { id });
      }),
    );
    // A server may answer the reader before it has the messages of the writer.
    let halfway: Vector = {};
    const seesAll = async () => {
      const page = await pagesOf(hers, { channel: geral }, { limit: 1_000 });
      halfway = page.seen;
      return page.entries.length === 8;
    };
    await until(seesAll, "her server has all that both have written");
    await his.publish(avisos, "later");
    await his.publish(geral, "later still");
    const hookToken = newHookToken();
    const hook = { user: ana, channel: geral, name: "deploy" as HookName, hookToken };
    await hers.ask("hook", hook);
    await hers.ask("post", { hookToken, message: "by a hook" });
    const buying = { user: ana, pack: "basic" } as const;
    const bought = await hers.ask("buy", buying, { id: "buy 1" as RequestId });
    const { cards: want } = await his.ask("buy", { user: bia, pack: "basic" });
    const { cards } = await hers.ask("cards", { user: ana });
    await hers.ask("deck", { user: ana, cards: cards.slice(0, 5) });
    await hers.ask("offer", {
      user: ana,
      to: bia,
      give: cards.slice(0, 1),
      want: want.slice(0, 1),
    });
    const file = inPlace("file");
    let before: object;
    let openMatch: MatchId;
    {
      using one = first.player(source, ana);
      using other = second.player(source, bia);
      await other.act(await begun(one, other), { type: "giveUp" });
      await ended(hers, 1);
      openMatch = await begun(one, other);
      before = await everything(hers, his);
      const env = {
        TERTULIA_DATA: source.folder,
        TERTULIA_REFERENCE: addressesOf([source.endpoints.reference]),
      };
      expect(await run(["backup", file], env)).toMatchObject({ code: 0, stderr: "" });
    }
    const { seen } = hers;
    const { token = "" } = first;
    await stopping[Symbol.asyncDispose]();
    const moved = await migrate(file, url, "--json");
    expect(moved).toMatchObject({ code: 0, stderr: "" });
    const told = JSON.parse(moved.stdout);
    expect(told.counts).toMatchObject({
      ...{ message: 4, channel: 2, hook: 1, users: 2, channels: 2, accounts: 2 },
      ...{ publication: 11, wallets: 2, decks: 1, trades: 1, open_matches: 1, ended_matches: 1 },
    });
    expect(told.channels).toEqual({ geral: 10, avisos: 1 });
    expect(told.digest).toMatch(/^[\da-f]{64}$/);

    const database = url.slice(url.lastIndexOf("/") + 1);
    const records = "select name, won, lost from records order by rating desc, sort";
    expect(await postgres.query(records, database)).toEqual([
      { name: "ana", won: "1", lost: "0" },
      { name: "bia", won: "0", lost: "1" },
    ]);

    renameSync(inPlace("data/servers"), inPlace("data/servers.old"));
    await using target = await LocalCluster.start({ ...options, engine: url });
    // What sessions and readers had before the move is still good.
    const { session: again } = new Person(target, { seen, token });
    const third = await Person.enter(target, bia);
    const his2 = third.session;
    expect(await everything(again, his2)).toEqual(before);
    const later = await pagesOf(again, { channel: geral }, { limit: 2, since: halfway });
    expect(later.entries.map(({ message }) => message)).toEqual(["later still", "by a hook"]);
    for (const [at, id] of ids.entries()) {
      const writer = at % 2 === 0 ? again : his2;
      const copy =
        at % 3 === 0
          ? await writer.message(at % 2 === 0 ? bia : ana, `private ${at}`, { id })
          : await writer.publish(geral, `\u0000 public ${at}`, { id });
      const { server, seq, clock } = receipts[at] as typeof copy;
      expect(copy).toMatchObject({ id, server, seq, clock });
    }
    await expect(again.publish(geral, "other", { id: ids[2] })).rejects.toMatchObject({
      code: "id_reused",
    });
    const repeated = await again.ask("buy", buying, { id: "buy 1" as RequestId });
    expect([repeated.slot, repeated.cards]).toEqual([bought.slot, bought.cards]);
    await expect(again.createChannel(geral)).rejects.toMatchObject({ code: "channel_exists" });
    // New messages come after all old ones, and old cursors and vectors lead to them.
    await again.publish(geral, "in the engine");
    await again.ask("post", { hookToken, message: "by the old hook" });
    await again.message(bia, "in the engine");
    const { entries } = await pagesOf(his2, { channel: geral }, { limit: 4, since: halfway });
    expect(entries.map(({ message }) => message).slice(-2)).toEqual([
      "in the engine",
      "by the old hook",
    ]);
    const all = await pagesOf(his2, { channel: geral }, { limit: 4 });
    expect(all.entries.slice(-entries.length)).toEqual(entries);
    const direct = await pagesOf(his2, { user: bia }, { limit: 2 });
    expect(direct.entries.at(-1)?.message).toBe("in the engine");
    expect(direct.entries).toHaveLength(5);
    using other = third.player(target, bia);
    expect(await seated(other)).toBe(openMatch);
    await other.act(openMatch, { type: "giveUp" });
    await ended(again, 2);
    const { record } = await again.ask("match", { user: ana }, { consistency: "now" });
    expect(record).toMatchObject({ won: 2, lost: 0 });

    const refused = await migrate(file, url);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("The schema public of the engine has a cluster already");
  }, 180_000);

  test("is refused in one sentence, and leaves no rows, if the backup is damaged or servers run", async () => {
    const empty = await postgres.createDatabase();
    const database = empty.slice(empty.lastIndexOf("/") + 1);
    writeFileSync(inPlace("damaged"), "no backup at all");
    const damaged = await migrate(inPlace("damaged"), empty);
    expect(damaged).toMatchObject({ code: 1, stdout: "" });
    expect(damaged.stderr).toMatch(/^tertulia: .*and nothing was moved: use another backup\.\n$/);
    const [rows] = await postgres.query("select count(*)::int as events from events", database);
    expect(rows).toEqual({ events: 0 });
    const without = await run(["migrate", inPlace("damaged")]);
    expect(without).toMatchObject({ code: 2, stdout: "" });
    expect(without.stderr).toContain("No engine is named");
    const server = "('server_1234abcd', 'tcp://127.0.0.1:1', 0, 0, now())";
    await postgres.query(`insert into servers values ${server}`, database);
    const running = await migrate(inPlace("damaged"), empty);
    expect(running.stderr).toContain("Servers use the schema public of the engine: stop them");
  }, 60_000);

  test("waits for a standby that is missing, says so, and ends at SIGTERM without having moved anything", async () => {
    await using without = await startPostgres({ standby: true });
    const engine = await without.createDatabase();
    await without.standby.kill();
    using moving = new CliProcess(["migrate", inPlace("missing"), "--engine", engine]);
    await moving.saw("PostgreSQL confirms no commit: its standby may be missing.");
    moving.child.kill("SIGTERM");
    const ended = await moving.end();
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toContain("The move was stopped, and nothing was moved");
  }, 60_000);
});
