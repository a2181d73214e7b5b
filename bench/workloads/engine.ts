import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { hasPostgres, startPostgres } from "../../src/trials/postgres.ts";
import { members, password, publish, warmUp } from "../chat-load.ts";
import { fill, memberOf, roomOf, rooms, vocabularies, wordOf } from "../filled-engine.ts";
import { measure } from "../measure.ts";
import { megabytes } from "../processes.ts";
import { limitProcessor } from "../processor-share.ts";
import { type Figure, figures, type Trial, type Workload } from "../workload.ts";

type Size = "accounts" | "messages";

/** Log-ins a second, and how many wait at once. */
const logInsPerSecond = 50;
const inFlight = 8;
/** The share of a processor of each server where more servers are to do more. */
const serverShare = 0.1;
/** The sizes of the engine that the memory of a server is compared with. */
const small = { accounts: 10_000, messages: 100_000 };

export const engine: Workload<Size> = {
  name: "engine",
  description: "servers with an engine: a full database, and publications with a standby",
  counts: { accounts: 1_000_000, messages: 10_000_000 },
  missing: () => (hasPostgres ? undefined : "it needs PostgreSQL 15."),
  async measure(trial) {
    return [...(await fullDatabase(trial)), ...(await publications(trial))];
  },
};

async function fullDatabase(trial: Trial<Size>): Promise<Figure[]> {
  const { accounts, messages } = trial.counts;
  const few = await served(trial, small);
  const many = await served(trial, { accounts, messages });
  return [
    { name: "a server's memory with many accounts, MB", value: many.memory, ceiling: few.memory },
    ...many.measured,
  ];
}

async function served(
  { note, seconds }: Pick<Trial<Size>, "note" | "seconds">,
  sizes: { readonly accounts: number; readonly messages: number },
) {
  // Nothing is lost that cannot be made again, so the database need not wait for the disk here.
  await using pg = await startPostgres({
    settings: { shared_buffers: "1GB", max_wal_size: "4GB" },
  });
  const url = await pg.createDatabase();
  const database = new URL(url.replace(/,[^/]*/, "")).pathname.slice(1);
  await using cluster = await LocalCluster.start({ engine: url, auth: "required", servers: 2 });
  note(`fills the database with ${sizes.accounts} accounts and ${sizes.messages} messages`);
  await fill((text) => pg.query(text, database), sizes);
  const sessions = Array.from({ length: 64 }, () => cluster.client({ proxies: [] }));
  const sessionOf = (index: number) => sessions[index % sessions.length] as (typeof sessions)[0];
  for (const [at, session] of sessions.entries()) await session.login(memberOf(at), password);
  const anyOf = (count: number, index: number) => (index * 48_271) % count;
  // A connection for each log-in would need more sockets than ZeroMQ gives to one process.
  const doors = Array.from({ length: inFlight }, () => cluster.connection({ proxies: [] }));
  const logIn = (index: number) =>
    (doors[index % inFlight] as (typeof doors)[0])
      .session()
      .login(memberOf(anyOf(sizes.accounts, index)), password);
  const page = (index: number) =>
    sessionOf(index).ask("history", { channel: roomOf(anyOf(rooms, index)), limit: 50 });
  const search = (index: number) => {
    const size = vocabularies[index % vocabularies.length] as number;
    const words = wordOf(size, index);
    return sessionOf(index).ask("search", { channel: roomOf(anyOf(rooms, index)), words });
  };
  const measured = [
    ...figures(
      "log-in",
      await measure(logIn, { inFlight, seconds, everyMs: 1_000 / logInsPerSecond }),
    ),
    ...figures("page of history", await measure(page, { inFlight, seconds, everyMs: 10 })),
    ...figures("search of a word", await measure(search, { inFlight, seconds, everyMs: 20 })),
  ];
  const pids = cluster.of("server").flatMap(({ pid }) => pid ?? []);
  return { memory: megabytes(pids) / pids.length, measured };
}

/** Publications whose transactions a synchronous standby confirms, by one server and by two. */
async function publications({ seconds, note }: Trial<Size>): Promise<Figure[]> {
  await using pg = await startPostgres({ standby: true });
  const rateOf = async (servers: number, share?: number) => {
    await using cluster = await LocalCluster.start({ engine: await pg.createDatabase(), servers });
    const sessions = await members(cluster, { count: 8 });
    await warmUp(sessions);
    const pids = cluster.of("server").flatMap(({ pid }) => pid ?? []);
    using limit = share === undefined ? undefined : limitProcessor(pids, share);
    if (share !== undefined && limit === undefined) return undefined;
    return await publish(sessions, { inFlight: 512, seconds });
  };
  const alone = await rateOf(1);
  const found = figures("512 publications in flight, one server", alone ?? {});
  // With all of a processor each, servers on a small machine would share it with the database.
  const one = await rateOf(1, serverShare);
  const two = await rateOf(2, serverShare);
  if (one === undefined || two === undefined) {
    note(
      "two servers are not measured: this machine lets nobody limit a process's share of a processor",
    );
    return found;
  }
  return [
    ...found,
    ...figures("one server with a tenth of a processor", one),
    ...figures("two such servers", two, one),
  ];
}
