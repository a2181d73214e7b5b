import type { Wiring } from "../../../src/cluster/supervisor.ts";
import { Sessions } from "../../../src/net/sessions.ts";
import type { Fields } from "../../../src/protocol/fields.ts";
import { LocalCluster, type LocalClusterOptions } from "../../../src/trials/local-cluster.ts";
import { startPostgres } from "../../../src/trials/postgres.ts";
import { TrialRedis } from "../../../src/trials/redis.ts";
import { secretIn } from "../../support/members-door.ts";
import { PlainRequest } from "../../support/plain-client.ts";
import { keptMessages, type Payload, type Subject, servers } from "./subject.ts";

/** A client's time-out (B6). */
const patienceMs = 5_000;

type Backing = Pick<LocalClusterOptions, "engine" | "redis">;

/** Servers that are processes. Each has a broker of its own, so that a test can choose the server. */
export class ProcessSubject implements Subject {
  readonly #cluster: LocalCluster;
  readonly #brokers: readonly string[];

  private constructor(cluster: LocalCluster) {
    this.#cluster = cluster;
    this.#brokers = cluster.endpoints.broker.split(",");
  }

  /** @param backing an engine, perhaps with a Redis; without it the servers keep everything themselves */
  static async start(backing: Backing = {}): Promise<ProcessSubject> {
    const cluster = await LocalCluster.start({
      auth: "required",
      servers: servers.length,
      brokers: servers.length,
      wiring: ownBrokers,
      settings: () => ({ TERTULIA_KEEP_PUBLICATIONS: String(keptMessages) }),
      ...backing,
    });
    return new ProcessSubject(cluster);
  }

  get operator(): string {
    const { folder } = this.#cluster;
    return new Sessions(secretIn(folder).deriveKeys("token")).giveOperator(Date.now());
  }

  async ask(server: number, { service, data }: Payload): Promise<Fields | undefined> {
    const broker = this.#brokers[server - 1] as string;
    const reply = await new PlainRequest(broker, [service, data], patienceMs).reply;
    const { ready } = this.#cluster.server(server);
    if (reply !== undefined && reply.retry !== true && reply.server !== ready?.name) {
      throw new Error(`${reply.server} has answered in place of ${ready?.name}`);
    }
    return reply;
  }

  async restart(): Promise<void> {
    const all = this.#cluster.of("server");
    const back = all.map((server) => server.nextReady());
    for (const server of all) server.signal("SIGKILL");
    await Promise.all(back);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cluster[Symbol.asyncDispose]();
  }
}

/** Starts servers on a PostgreSQL with a synchronous standby, and with a Redis beside it. */
export async function startRedisSubject(): Promise<Subject> {
  const redis = await TrialRedis.open();
  try {
    return alsoDisposing(await startEngineSubject(redis), redis);
  } catch (error) {
    await redis[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts servers on a PostgreSQL with a synchronous standby. */
export async function startEngineSubject(redis?: TrialRedis): Promise<Subject> {
  const postgres = await startPostgres({ standby: true, settings: { max_connections: "200" } });
  try {
    const engine = await postgres.createDatabase();
    const backing = { engine, ...(redis && { redis: redis.url }) };
    return alsoDisposing(await ProcessSubject.start(backing), postgres);
  } catch (error) {
    await postgres[Symbol.asyncDispose]();
    throw error;
  }
}

/** Returns the subject, which disposes of another thing, too. */
function alsoDisposing(subject: Subject, other: AsyncDisposable): Subject {
  return {
    get operator() {
      return subject.operator;
    },
    ask: (server, payload) => subject.ask(server, payload),
    restart: () => subject.restart(),
    async [Symbol.asyncDispose]() {
      await subject[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  };
}

/** Connects each server to the broker of its own number. At the other endpoints there is nobody. */
const ownBrokers: Wiring = {
  between(from, to, endpoint) {
    const isForeign = from.role === "server" && to.role === "broker" && from.number !== to.number;
    return isForeign ? `tcp://127.0.0.1:${to.number}` : endpoint;
  },
  peerLink: () => ({ bind: "tcp://127.0.0.1:*", advertise: "127.0.0.1" }),
};
