import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Session } from "../../src/client/session.ts";
import type { Child } from "../../src/cluster/child.ts";
import { Publisher } from "../../src/net/publisher.ts";
import { curveKeys, memberKey } from "../../src/platform/curve.ts";
import { splitKey, withKey } from "../../src/platform/endpoint.ts";
import { Secret } from "../../src/platform/secret.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { CliProcess, type Ended } from "../terminal/cli-process.ts";
import { logOf } from "./folders.ts";

/** How long a step may wait for a process. A busy machine needs most of this time. */
const patienceMs = 120_000;
const channel = parseChannelName("geral");

/** The secrets that `tertulia status` reports: a list if all processes have the same ones. */
interface Warning {
  readonly kind: string;
  readonly secrets?: readonly string[];
}

/** What had the cluster's secret before a change of the secret. */
interface Former {
  readonly secret: string;
  /** Undefined in an open cluster. */
  readonly token: string | undefined;
  readonly brokers: readonly string[];
}

/** One user who writes at a steady pace, and one who listens, while the secret is changed. */
export class SecretChange implements Disposable {
  readonly cluster: LocalCluster;
  readonly #writeEveryMs: number;
  readonly heard: string[] = [];
  readonly written = new Set<string>();
  readonly failed: unknown[] = [];
  /** The longest time from a message to its receipt, and between two heard messages. */
  longestMs = { receipt: 0, silence: 0 };
  readonly tokens = new Map<string, string>();
  readonly #open = new Set<Promise<void>>();
  #writer!: Session;
  #listener!: Session;
  #heardMs = Number.NaN;
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  /** @param writeEveryMs the time between two messages */
  constructor(cluster: LocalCluster, { writeEveryMs }: { readonly writeEveryMs: number }) {
    this.cluster = cluster;
    this.#writeEveryMs = writeEveryMs;
  }

  /** The endpoints of brokers and proxies with the present public key of the cluster. */
  get endpoints() {
    const text = readFileSync(join(this.cluster.folder, "public", "server.key"), "utf8").trim();
    const key = text === "none" ? undefined : text;
    const keyed = (list: string) => {
      return withKey(
        list.split(",").map((one) => splitKey(one).address),
        key,
      );
    };
    const { broker, proxy, reference } = this.cluster.endpoints;
    return { brokers: keyed(broker), proxies: keyed(proxy), reference: keyed(reference) };
  }

  async begin(): Promise<void> {
    const ana = this.#client("ana");
    const bia = this.#client("bia");
    for (const [session, user] of [
      [ana, "ana"],
      [bia, "bia"],
    ] as const) {
      await session.register(parseUserName(user), `the long password of ${user}`);
      await session.login(parseUserName(user), `the long password of ${user}`);
    }
    await ana.createChannel(channel);
    await this.#listen(bia);
    this.#writer = ana;
    this.#timer = setInterval(() => this.#write(), this.#writeEveryMs);
  }

  /** Restarts both clients with the present public key, as people do before the last step. */
  async renewClients(): Promise<void> {
    const [before, heardBy] = [this.#writer, this.#listener];
    this.#writer = this.#client("ana");
    await this.#settled();
    const since = this.#vector();
    before.close();
    heardBy.close();
    await this.#listen(this.#client("bia"), since);
  }

  /** Does one step: changes the file, restarts every process, and waits until `status` says so. */
  async step(action: "add" | "switch" | "drop"): Promise<readonly string[]> {
    const ended = await this.command("secret", action, "--json");
    const { secrets } = JSON.parse(ended.stdout) as { secrets: readonly string[] };
    const { cluster } = this;
    const roles = ["reference", "broker", "proxy", "server", "game"] as const;
    for (const child of roles.flatMap((role) => cluster.of(role))) await restart(child);
    const wanted = secrets.length > 1 ? [{ kind: "severalSecrets", secrets }] : [];
    await until(
      async () => JSON.stringify(await this.secretWarnings()) === JSON.stringify(wanted),
      `all processes have the secrets of the step ${action}`,
      patienceMs,
    );
    return secrets;
  }

  async secretWarnings(): Promise<Warning[]> {
    const { stdout } = await this.command("status", "--json");
    const { warnings } = JSON.parse(stdout) as { warnings: Warning[] };
    return warnings.filter(({ kind }) => /secrets/i.test(kind));
  }

  command(...args: readonly string[]): Promise<Ended> {
    const { brokers, proxies, reference } = this.endpoints;
    return new CliProcess(args, {
      TERTULIA_DATA: this.cluster.folder,
      TERTULIA_BROKER: brokers.join(","),
      TERTULIA_PROXY: proxies.join(","),
      TERTULIA_REFERENCE: reference.join(","),
    }).end();
  }

  /** What has the present secret; `formerGetIn` tries it after a change. */
  present(): Former {
    const secret = readFileSync(join(this.cluster.folder, "secret"), "utf8").trim();
    return { secret, token: this.tokens.get("ana"), brokers: this.endpoints.brokers };
  }

  /**
   * Tries to get in with what had the secret before the change.
   * @returns what got in, and what of the present does not get in any more: nothing, if all is well
   */
  async formerGetIn({ secret, token, brokers }: Former): Promise<string[]> {
    const found: string[] = [];
    const { cluster, endpoints } = this;
    const isEncrypted = splitKey(brokers[0] ?? "").key !== undefined;
    const { brokerBack, proxyIn } = cluster.endpoints;
    // With the present public key, the old secret alone decides.
    using stranger = new CliProcess(["server"], {
      TERTULIA_DATA: join(cluster.folder, "stranger"),
      TERTULIA_SECRET: secret,
      TERTULIA_AUTH: token === undefined ? "open" : "required",
      TERTULIA_CURVE: String(isEncrypted),
      TERTULIA_REFERENCE: endpoints.reference.join(","),
      TERTULIA_BROKER_BACK: brokerBack,
      TERTULIA_PROXY_IN: proxyIn,
      TERTULIA_PROXY: endpoints.proxies.join(","),
    });
    void stranger.end();
    await this.#logsSay("reference", /its secret differs/);
    if (stranger.stdout.includes("ready")) found.push("a server");
    const source = { text: secret, path: "", isDefault: true, cluster: "tertulia" };
    const former = new Secret(secret, source);
    const key = memberKey(former, isEncrypted ? curveKeys(former) : undefined);
    const publisher = new Publisher(withKey([proxyIn], key), () => {});
    const refusal = isEncrypted ? /has another key than this/ : /is no member of this cluster/;
    await this.#logsSay("proxy", refusal);
    await publisher.close();
    return isEncrypted ? [...found, ...(await this.#formerClients(token, brokers))] : found;
  }

  async #formerClients(token: string | undefined, brokers: readonly string[]): Promise<string[]> {
    const options = { brokers: this.endpoints.brokers, proxies: [], deadlineMs: 10_000 };
    using known = this.cluster.client({ ...options, token: this.tokens.get("ana") });
    using ended = this.cluster.client({ ...options, token });
    using late = this.cluster.client({ ...options, brokers });
    const reasonOf = (asked: Promise<unknown>) =>
      asked.then(
        () => "none",
        (error: { reason?: string; code?: string }) => error.reason ?? error.code ?? "unknown",
      );
    const tried = {
      "the present token": [await reasonOf(known.users()), "none"],
      "the former token": [await reasonOf(ended.users()), "session_unknown"],
      "the former public key": [await reasonOf(late.time()), "unavailable"],
      "the refusal of that key": [late.connection.refusal, "otherKey"],
    };
    return Object.entries(tried)
      .filter(([, [got, wanted]]) => got !== wanted)
      .map(([what, [got]]) => `${what}: ${got}`);
  }

  #logsSay(role: Child["role"], text: RegExp): Promise<void> {
    const { cluster } = this;
    const saysSo = () => cluster.of(role).some((one) => text.test(logOf(cluster, one)));
    return until(saysSo, `the log of the ${role} has ${text}`, 60_000);
  }

  /** Stops writing, and waits until all receipts have come and all messages are heard. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#settled();
    await until(() => this.heard.length >= this.written.size, "all messages are heard", patienceMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#open);
  }

  #vector = (): Readonly<Record<string, number>> => ({});

  #client(user: string): Session {
    const { brokers, proxies } = this.endpoints;
    return this.cluster.client({
      ...{ brokers, proxies, deadlineMs: 60_000, user: parseUserName(user) },
      token: this.tokens.get(user),
      onToken: (token) => this.tokens.set(user, token),
    });
  }

  async #listen(session: Session, since?: Readonly<Record<string, number>>): Promise<void> {
    this.#listener = session;
    const subscription = await session.subscribe(
      { channel },
      ({ message }) => {
        const atMs = performance.now();
        const { longestMs } = this;
        longestMs.silence = Math.max(longestMs.silence, atMs - this.#heardMs || 0);
        this.#heardMs = atMs;
        this.heard.push(message);
      },
      { since },
    );
    this.#vector = () => subscription.vector;
  }

  #write(): void {
    this.#count += 1;
    const text = `message ${this.#count}`;
    const atMs = performance.now();
    const sent: Promise<void> = this.#writer
      .publish(channel, text)
      .then(() => {
        this.written.add(text);
        const { longestMs } = this;
        longestMs.receipt = Math.max(longestMs.receipt, performance.now() - atMs);
      })
      .catch((error: unknown) => void this.failed.push(error))
      .finally(() => this.#open.delete(sent));
    this.#open.add(sent);
  }
}

async function restart(child: Child): Promise<void> {
  let isBack = false;
  void child.nextReady().then(() => {
    isBack = true;
  });
  child.signal("SIGTERM");
  await until(() => isBack, `the ${child.label} serves again`, patienceMs);
}
