import { setTimeout as pause } from "node:timers/promises";
import { splitKey, withKey } from "../../src/platform/endpoint.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { durations } from "../../src/protocol/limits.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { type Fields, PlainRequest } from "../support/plain-client.ts";
import { until } from "../support/until.ts";

export interface ReceiversOptions {
  readonly brokers: number;
  readonly curve: boolean;
  /**
   * With SIGSTOP, the broker hangs until its servers and clients have disconnected, and is then
   * resumed.
   */
  readonly signal: "SIGKILL" | "SIGTERM" | "SIGSTOP";
  /** How often a broker is restarted or hangs. */
  readonly restarts: number;
  /** How many users log in before each fault. */
  readonly logins: number;
}

export interface ReceiversResult {
  /** How many logins were unanswered when the broker got its signal. */
  inFlight: number;
  /** How many clients connected to the new broker, and how many of them were answered. */
  newcomers: number;
  answered: number;
  /** A sentence for each reply that reached a client whose request it does not answer. */
  wrong: string[];
}

const passwordOf = (user: string) => `the long password of ${user}`;
const patienceMs = 15_000;

/**
 * Users log in by plain REQ sockets while a broker is ended again and again, and other clients
 * connect to the restarted broker. Each reply is compared with its client's request.
 */
export async function raceForReplies(options: ReceiversOptions): Promise<ReceiversResult> {
  const { brokers, curve } = options;
  await using cluster = await LocalCluster.start({ auth: "required", brokers, curve });
  const race = new Race(options, cluster);
  await race.register();
  for (let number = 1; number <= options.restarts; number += 1) await race.restart(number);
  return race.result;
}

class Race {
  readonly result: ReceiversResult = { inFlight: 0, newcomers: 0, answered: 0, wrong: [] };
  readonly #options: ReceiversOptions;
  readonly #cluster: LocalCluster;
  readonly #users: string[];

  constructor(options: ReceiversOptions, cluster: LocalCluster) {
    this.#options = options;
    this.#cluster = cluster;
    this.#users = Array.from({ length: options.logins }, (_, number) => `user${number}`);
  }

  async register(): Promise<void> {
    const client = this.#cluster.client({ proxies: [], deadlineMs: 60_000 });
    await Promise.all(
      this.#users.map((user) => client.register(parseUserName(user), passwordOf(user))),
    );
    await client.close();
  }

  async restart(number: number): Promise<void> {
    const brokers = this.#cluster.of("broker");
    const victim = brokers[number % brokers.length];
    if (victim?.ready === undefined) throw new Error("there is no broker");
    const endpoint = this.#keyed(victim.ready.endpoints.front ?? "");
    let answered = 0;
    const logins = this.#users.map((user) => this.#logIn(endpoint, user, `${number} ${user}`));
    for (const { reply } of logins) void reply.then(() => (answered += 1));
    await until(() => answered > 0, "the first log-in is answered", 60_000);
    this.result.inFlight += logins.length - answered;
    const back = victim.nextReady();
    victim.signal(this.#options.signal);
    // Some clients connect before the new broker is bound, some as soon as it is bound, some 50 ms
    // later.
    const others = this.#newcomers(endpoint, `${number} early`);
    if (this.#options.signal === "SIGSTOP") {
      await pause(2 * durations.zmtpTimeoutMs);
      victim.signal("SIGCONT");
    } else await back;
    others.push(...this.#newcomers(endpoint, `${number} at once`));
    await pause(50);
    others.push(...this.#newcomers(endpoint, `${number} later`));
    const replies = await Promise.all(others.map(({ reply }) => reply));
    this.result.newcomers += replies.length;
    this.result.answered += replies.filter((reply) => reply !== undefined).length;
    for (const login of logins) login[Symbol.dispose]();
    await Promise.all(logins.map(({ reply }) => reply));
  }

  #newcomers(endpoint: string, round: string): PlainRequest[] {
    const count = Math.ceil(this.#options.logins / 3);
    return Array.from({ length: count }, (_, number) => {
      // Every fifth newcomer logs in, because its reply could be mistaken for an earlier client's
      // reply.
      const user = this.#users[number * 3];
      if (number % 5 === 0 && user !== undefined) {
        return this.#logIn(endpoint, user, `${round} ${user}`);
      }
      const id = `${round} ${number}`;
      return this.#watch(id, new PlainRequest(endpoint, ["time", { id }], patienceMs));
    });
  }

  #logIn(endpoint: string, user: string, id: string): PlainRequest {
    const data = { user, password: passwordOf(user), id };
    return this.#watch(id, new PlainRequest(endpoint, ["login", data], patienceMs), user);
  }

  #watch(id: string, request: PlainRequest, user?: string): PlainRequest {
    void request.reply.then((reply) => {
      if (reply === undefined) return;
      const subject = subjectOf(reply);
      if (reply.id === id && (subject === undefined || subject === user)) return;
      const whose = subject === undefined ? "" : `, with the session of ${subject}`;
      this.result.wrong.push(`"${id}" got the reply to "${reply.id}"${whose}`);
    });
    return request;
  }

  #keyed(endpoint: string): string {
    const { key } = splitKey(this.#cluster.endpoints.broker.split(",")[0] ?? "");
    return withKey([endpoint], key)[0] ?? "";
  }
}

/** The user of the token in a reply; undefined if the reply has no token. */
function subjectOf({ token }: Fields): string | undefined {
  if (typeof token !== "string") return undefined;
  const [, claims = ""] = token.split(".");
  return JSON.parse(Buffer.from(claims, "base64url").toString()).sub;
}
