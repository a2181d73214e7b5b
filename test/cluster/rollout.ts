import { askReference } from "../../src/client/commands/status.ts";
import { Connection } from "../../src/client/connection.ts";
import { clusterStatus } from "../../src/client/core/cluster-status.ts";
import { pages } from "../../src/client/pages.ts";
import type { Session } from "../../src/client/session.ts";
import type { Child } from "../../src/cluster/child.ts";
import { ReferenceLink } from "../../src/net/reference-link.ts";
import { pause } from "../../src/platform/clock.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";

const channel = parseChannelName("geral");
const writers = ["ana", "bia", "caio", "duda"].map((name) => parseUserName(name));
/** Every this many publications, a writer also sends one request of each other kind. */
const otherRequestsEvery = 50;
const killAfterMs = 10_000;
/** A restart takes long on a busy machine, so a request may wait longer than by default. */
const deadlineMs = 60_000;

/** The longest pauses in milliseconds while one process was restarted. */
export interface Pauses {
  readonly label: string;
  /** Between two receipts of the writers. */
  readonly receiptsMs: number;
  /** Between two publications at the listener. */
  readonly publicationsMs: number;
}

/** Returns all processes, in the order in which operators restart them (O60). */
export function inOrder(cluster: LocalCluster): Child[] {
  return (["server", "broker", "proxy", "reference"] as const).flatMap((role) => cluster.of(role));
}

/** What went wrong. */
interface Outcome {
  /** Labels of processes that did not end in time after SIGTERM. */
  readonly killed: readonly string[];
  /** A sentence for each request that failed. */
  readonly failed: readonly string[];
  /** Acknowledged messages that the listener has not heard, or that the history lacks. */
  readonly lost: readonly string[];
  /** Messages that the listener has heard twice, or that the history has twice. */
  readonly doubled: readonly string[];
}

/** A version of the client library. */
type Library = Pick<typeof import("../../src/client/index.ts"), "Connection">;

/** The longest time between two calls of `mark`. */
class Gap {
  #longestMs = 0;
  #lastMs = performance.now();

  mark(): void {
    const ms = performance.now();
    this.#longestMs = Math.max(this.#longestMs, ms - this.#lastMs);
    this.#lastMs = ms;
  }

  /** Returns the longest time since the last call of `take`. */
  take(): number {
    this.mark();
    const longest = this.#longestMs;
    this.#longestMs = 0;
    return Math.round(longest);
  }
}

/**
 * Several users write at an even pace through sessions of the client library, and another user
 * listens, while the processes of a cluster are restarted one after the other.
 */
export class Rollout {
  readonly cluster: LocalCluster;
  /** The texts of all publications that have a receipt. */
  readonly acknowledged = new Set<string>();
  readonly #failed: string[] = [];
  readonly #killed: string[] = [];
  readonly #heard: string[] = [];
  readonly pauses: Pauses[] = [];
  readonly #over = new AbortController();
  readonly #receipts = new Gap();
  readonly #publications = new Gap();
  readonly #connections: Connection[] = [];
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(cluster: LocalCluster) {
    this.cluster = cluster;
  }

  /**
   * Begins to write and to listen.
   * @param perSecond how many messages all writers together publish in a second
   * @param libraries the client libraries, which the writers use in turn
   */
  static async start(
    cluster: LocalCluster,
    perSecond: number,
    libraries: readonly Library[] = [{ Connection }],
  ): Promise<Rollout> {
    const rollout = new Rollout(cluster);
    const brokers = cluster.endpoints.broker.split(",");
    const sessions = writers.map((user, index) => {
      const library = libraries[index % libraries.length] ?? { Connection };
      const connection = new library.Connection({ brokers, proxies: [], deadlineMs });
      rollout.#connections.push(connection);
      return connection.session({ user });
    });
    await Promise.all(writers.map((user, index) => sessions[index]?.login(user)));
    await sessions[0]?.createChannel(channel);
    const listener = cluster.client({ user: parseUserName("eva") });
    await listener.subscribe(
      { channel },
      ({ message }) => {
        rollout.#heard.push(message);
        rollout.#publications.mark();
      },
      { since: {} },
    );
    const everyMs = (1_000 * sessions.length) / perSecond;
    rollout.#writing = Promise.all(sessions.map((session) => rollout.#write(session, everyMs)));
    return rollout;
  }

  /** Ends processes by SIGTERM, each when the process before it is back and the status is healthy. */
  async restart(children: readonly Child[]): Promise<void> {
    for (const child of children) {
      await this.#isHealthyAgain();
      this.#receipts.take();
      this.#publications.take();
      const { starts } = child;
      child.signal("SIGTERM");
      // Operators' tools, and `up` itself, kill a process that does not end within 10 s (O5).
      const timer = setTimeout(() => {
        if (child.starts > starts) return;
        this.#killed.push(child.label);
        child.signal("SIGKILL");
      }, killAfterMs);
      await until(() => child.starts > starts && child.isReady, `${child.label} is back`, 60_000);
      clearTimeout(timer);
      await this.#isHealthyAgain();
      this.pauses.push({
        label: child.label,
        receiptsMs: this.#receipts.take(),
        publicationsMs: this.#publications.take(),
      });
    }
  }

  /** Stops the load, waits until all is answered and heard, and reads the history as a new client. */
  async finish(): Promise<Outcome> {
    this.#over.abort();
    await this.#writing;
    for (const connection of this.#connections) connection.close();
    const acknowledged = this.acknowledged;
    const heard = this.#heard;
    await until(() => missing(acknowledged, heard).length === 0, "the listener hears all", 60_000);
    const reader = this.cluster.client({ proxies: [] });
    const read: string[] = [];
    for await (const { entries } of pages(reader, { channel }, { since: {} })) {
      read.push(...entries.map(({ message }) => message));
    }
    const lists = [heard, read];
    return {
      killed: this.#killed,
      failed: this.#failed,
      lost: lists.flatMap((texts) => missing(acknowledged, texts)),
      doubled: lists.flatMap(repeated),
    };
  }

  async #write(session: Session, everyMs: number): Promise<void> {
    const open = new Set<Promise<void>>();
    let dueMs = performance.now();
    for (let number = 1; !this.#over.signal.aborted; number += 1) {
      const text = `${session.user} ${number}`;
      const requests = [this.#publish(session, text)];
      if (number % otherRequestsEvery === 0) requests.push(...this.#askOthers(session));
      for (const request of requests) {
        open.add(request);
        void request.finally(() => open.delete(request));
      }
      dueMs += everyMs;
      await pause(Math.max(0, dueMs - performance.now()), this.#over.signal);
    }
    await Promise.all(open);
  }

  async #publish(session: Session, text: string): Promise<void> {
    await this.#noting(`publish ${text}`, async () => {
      await session.publish(channel, text);
      this.acknowledged.add(text);
      this.#receipts.mark();
    });
  }

  #askOthers(session: Session): Promise<void>[] {
    const [first] = writers;
    const { user } = session;
    if (first === undefined || user === undefined) return [];
    return [
      this.#noting("message", () => session.message(first, "hello")),
      this.#noting("login", () => session.login(user)),
      this.#noting("history", () => session.history({ channel }, { limit: 10 })),
      this.#noting("users", () => session.users()),
      this.#noting("presence", () => session.presence("online")),
      this.#noting("time", () => session.time()),
      this.#noting("status", () => session.status()),
    ];
  }

  async #noting(name: string, request: () => Promise<unknown>): Promise<void> {
    try {
      await request();
    } catch (error) {
      this.#failed.push(`${name}: ${(error as Error).message}`);
    }
  }

  /** Waits until `tertulia status` would find nothing wrong, and all servers in the rotation. */
  async #isHealthyAgain(): Promise<void> {
    const { reference, broker, proxy } = this.cluster.endpoints;
    const configured = { brokers: broker.split(",").length, proxies: proxy.split(",").length };
    const link = new ReferenceLink([reference], new LamportClock());
    const client = this.cluster.client({ proxies: [] });
    const isHealthy = async () => {
      const reply = await askReference(link, 2_500);
      if (reply === undefined) return false;
      const server = await client.status();
      const asked = { address: reference, reply };
      const { healthy, warnings } = clusterStatus({ server, reference: asked, configured });
      return healthy && warnings.every(({ kind }) => kind !== "memberNotReady");
    };
    await until(isHealthy, "the cluster is healthy", 60_000);
    link.close();
    client.close();
  }
}

function missing(wanted: ReadonlySet<string>, texts: readonly string[]): string[] {
  const present = new Set(texts);
  return [...wanted].filter((text) => !present.has(text));
}

function repeated(texts: readonly string[]): string[] {
  const seen = new Set<string>();
  return texts.filter((text) => seen.size === seen.add(text).size);
}
