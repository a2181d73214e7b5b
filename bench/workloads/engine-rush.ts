import pino from "pino";
import type { Session } from "../../src/client/session.ts";
import { pause } from "../../src/platform/clock.ts";
import { engineAddress } from "../../src/platform/parse-engine.ts";
import { randomHex } from "../../src/platform/random.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { parseUserName, type RequestId } from "../../src/protocol/ids.ts";
import type { Engine } from "../../src/server/engine/engine.ts";
import { openPostgres } from "../../src/server/engine/postgres/postgres-engine.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { hasPostgres, type Postgres, startPostgres } from "../../src/trials/postgres.ts";
import { hasRedis, TrialRedis } from "../../src/trials/redis.ts";
import { operation } from "../../test/support/drawn-operations.ts";
import { ListeningSocket } from "../../test/support/listening-socket.ts";
import { until } from "../../test/support/until.ts";
import { channel, members } from "../chat-load.ts";
import { latencyOf, measure, percentile } from "../measure.ts";
import { none, type Trial, type Values, type Workload } from "../workload.ts";

type Size = "buyers" | "packs" | "rushes" | "kills";

/** How many connections the buyers share. */
const connections = 64;
/** Offers of cards that are decided beside the rush. */
const others = { inFlight: 4, everyMs: 10 };
/** The longest pause before a kill, so that kills fall anywhere between two looks of the keeper. */
const mostPauseMs = 1_000;

export const engineRush: Workload<Size> = {
  name: "engine-rush",
  description:
    "a rush for few packs, and a server's death, with a Redis beside the engine and without",
  counts: { buyers: 2_000, packs: 10, rushes: 5, kills: 10 },
  missing: () => (hasPostgres && hasRedis ? undefined : "it needs PostgreSQL 15 and Redis."),
  async measure(trial) {
    await using postgres = await startPostgres({
      standby: true,
      settings: { max_connections: "200" },
    });
    await using redis = await TrialRedis.open();
    const wrong: string[] = [];
    const scene = (usesRedis: boolean) => ({
      trial,
      postgres,
      redis: usesRedis ? redis : undefined,
      wrong,
    });
    const rushed = await trial.beside(
      "rush",
      () => rush(scene(true)),
      () => rush(scene(false)),
    );
    const died = await trial.beside(
      "death",
      () => die(scene(true)),
      () => die(scene(false)),
    );
    for (const text of wrong) trial.note(text);
    return [...rushed, ...died, none("violations", wrong.length)];
  },
};

interface Scene {
  readonly trial: Trial<Size>;
  readonly postgres: Postgres;
  readonly redis: TrialRedis | undefined;
  /** What breaks a promise. */
  readonly wrong: string[];
}

/** Three servers, and their engine as one of them sees it. */
async function open({ postgres, redis }: Scene) {
  const url = await postgres.createDatabase();
  const cluster = await LocalCluster.start({ engine: url, ...(redis && { redis: redis.url }) });
  const config = { address: engineAddress(url), password: undefined };
  const engine = await openPostgres(config, pino({ level: "silent" }), () => {});
  const database = url.split("/").at(-1) as string;
  return {
    cluster,
    engine,
    database,
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    },
  };
}

/** Lets all buyers buy at once, again and again, while others have offers decided. */
async function rush(scene: Scene): Promise<Values> {
  const { trial, postgres, wrong } = scene;
  const { buyers: count, packs, rushes } = trial.counts;
  await using opened = await open(scene);
  const { cluster, engine, database } = opened;
  const offering = await members(cluster, { count: others.inFlight });
  const shared = Array.from({ length: connections }, () => {
    return cluster.connection({ proxies: [], deadlineMs: 60_000 });
  });
  const buyers = await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const user = parseUserName(`buyer${at}`);
      const session = shared[at % connections]?.session() as Session;
      await session.login(user);
      return { user, session };
    }),
  );
  const over = new AbortController();
  const besides = () =>
    measure((_, lane) => offer(offering[lane] as Session, lane), { ...others, until: over.signal });
  const rowsOfPurchases = async () => {
    const [rows] = await postgres.query<{ count: string }>(
      "select count(*) from operations where operation::json->>'kind' = 'buy'",
      database,
    );
    return Number(rows?.count);
  };
  let beside: Promise<Values> | undefined;
  let rowsBefore = 0;
  let rushingMs = 0;
  let refused = 0;
  // In the first rush, processes compile their code.
  for (let round = 0; round <= rushes; round += 1) {
    await supply(engine, packs, round);
    if (round === 1) {
      [rushingMs, refused] = [0, 0];
      rowsBefore = await rowsOfPurchases();
      beside = besides();
    }
    const startMs = performance.now();
    const bought = await Promise.all(buyers.map(({ user, session }) => buy(session, user)));
    rushingMs += performance.now() - startMs;
    const sold = bought.filter(Boolean).length;
    refused += count - sold;
    if (sold !== packs) {
      const how = scene.redis === undefined ? "without Redis" : "with Redis";
      wrong.push(`${sold} packs were sold, and not ${packs}, in rush ${round} ${how}`);
    }
  }
  over.abort();
  const { "p50 ms": p50, "p99 ms": p99 } = (await beside) ?? {};
  return {
    "refusals per s": (1_000 * refused) / rushingMs,
    "ms until all are answered": rushingMs / rushes,
    "other operations' p50 ms": p50 as number,
    "other operations' p99 ms": p99 as number,
    "rows of purchases for each rush": ((await rowsOfPurchases()) - rowsBefore) / rushes,
  };
}

async function supply(engine: Engine, left: number, round: number): Promise<void> {
  const fields = { id: `supply ${round}`, pack: "basic", left };
  await engine.decide([operation("supply", "root", fields)], Date.now());
}

async function buy(session: Session, user: string): Promise<boolean> {
  try {
    await session.ask("buy", { user: parseUserName(user), pack: "basic" });
    return true;
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "sold_out") return false;
    throw error;
  }
}

/** An offer of a card that its user does not have: it is decided, and refused. */
async function offer(session: Session, lane: number): Promise<void> {
  const [user, to] = [lane, lane + 1].map((at) => parseUserName(`user${at % others.inFlight}`));
  const cards = { give: ["wolf-common-1"], want: ["wolf-common-2"] };
  await session.ask("offer", { user, to, ...cards } as never).catch((error: unknown) => {
    if (!(error instanceof ProtocolError) || error.code !== "card_not_owned") throw error;
  });
}

/** Kills servers after they have appended a message and before they publish it. */
async function die(scene: Scene): Promise<Values> {
  const { kills } = scene.trial.counts;
  await using opened = await open(scene);
  const { cluster, engine } = opened;
  const [writer] = await members(cluster);
  const heard = new Set<string>();
  const proxies = cluster.endpoints.proxy.split(",");
  // A client would ask for what it missed.
  using _socket = new ListeningSocket(proxies, channel, (message) => heard.add(message));
  await until(async () => {
    await writer?.publish(channel, "is anybody there?");
    return heard.size > 0;
  }, "the subscription is there");
  const latencies: number[] = [];
  for (let kill = 1; kill <= kills; kill += 1) {
    await pause((mostPauseMs * (kill - 1)) / kills);
    const victim = cluster.server(1 + (kill % 3));
    const back = victim.nextReady();
    const message = `last words ${kill}`;
    const data = { user: parseUserName("user0"), channel, message };
    const id = randomHex(16) as RequestId;
    await engine.append([{ kind: "publication", data, id, clock: 0, timeMs: Date.now() }]);
    const startMs = performance.now();
    victim.signal("SIGKILL");
    await until(() => heard.has(message), "it is published", 10_000);
    latencies.push(performance.now() - startMs);
    await back;
    await writer?.publish(channel, `it is back ${kill}`);
  }
  const { "p50 ms": p50 } = latencyOf(latencies);
  return {
    "ms until its message is published, p50": p50 as number,
    "ms until its message is published, longest": percentile(latencies, 1),
  };
}
