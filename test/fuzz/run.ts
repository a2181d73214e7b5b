import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { decode } from "../../src/protocol/codec.ts";
import { replicationTopic } from "../../src/protocol/topics.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { saveJournals } from "../../src/trials/saved-states.ts";
import { withinTheDoor } from "../support/members-door.ts";
import { until } from "../support/until.ts";
import { type Auth, type Corpus, record, type SealedSample, type Sender } from "./corpus.ts";
import { Insider } from "./insider.ts";
import { eventBytes, type Grown, MemoryWatch } from "./memory.ts";
import { Mutator } from "./mutate.ts";
import { Answering, BrokerBack, isSendable, ProxyIn, ProxyOut, type Target } from "./targets.ts";
import { ValidTraffic } from "./valid-traffic.ts";
import { errorsIn, eventsOf, quiet, readDisks, type Views, viewsOf } from "./verdict.ts";

export interface FuzzOptions {
  readonly auth: Auth;
  readonly sender: Sender;
  readonly frames: number;
  readonly seed: number;
  readonly onProgress?: (sent: number) => void;
}

export interface FuzzReport {
  /** The number of frames by the socket that they were sent to. */
  readonly sent: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly memory: readonly Grown[];
  readonly refused: Readonly<Record<string, string>>;
  /** The number of valid messages that were acknowledged in the meantime. */
  readonly acknowledged: number;
  /**
   * The number of events that come neither from the preparation nor from the valid messages;
   * undefined if not checked.
   */
  readonly strange: number | undefined;
  readonly problems: readonly string[];
  /** The last changes of a message for each socket. */
  readonly lastKinds: Readonly<Record<string, string>>;
  /** The folder with data and logs, which is kept if there are problems. */
  readonly folder: string;
}

/** A socket, and the samples whose mutants are sent to it. */
interface Lane {
  readonly name: string;
  readonly target: Target;
  readonly samples: readonly SealedSample[];
  /** The lane's share of all frames, relative to the other lanes. */
  readonly weight: number;
}

/** Frames between two round trips on all sockets: far below any queue's limit. */
const roundFrames = 600;
const patienceMs = 30_000;
/**
 * The highest clock that the fuzzer sends: far below the largest safe integer, and far above any
 * clock that a run reaches by itself.
 */
const lastClock = 2 ** 48;

/**
 * Sends mutants of a fresh cluster's own messages to its sockets, while two people chat. Strangers
 * have neither a session nor the secret; users send recorded sessions; members seal the changed
 * messages. Each kind of sender may cause different effects, so the verdict differs too.
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const folder = await mkdtemp(join(tmpdir(), "tertulia-fuzz-"));
  const { auth } = options;
  const cluster = await LocalCluster.start({ auth, data: folder });
  let report: FuzzReport;
  try {
    report = await new Run(cluster, options).run();
  } finally {
    await cluster.stop();
  }
  if (report.problems.length === 0) await rm(folder, { recursive: true, force: true });
  return report;
}

class Sockets implements Disposable {
  readonly #open: Disposable[] = [];

  add<T extends Disposable>(one: T): T {
    this.#open.push(one);
    return one;
  }

  [Symbol.dispose](): void {
    for (const one of this.#open) one[Symbol.dispose]();
  }
}

class Run {
  readonly #cluster: LocalCluster;
  readonly #options: FuzzOptions;
  readonly #problems: string[] = [];
  readonly #sent: Record<string, number> = {};
  readonly #lastKinds: Record<string, string> = {};
  #lanes: readonly Lane[] = [];
  #done = 0;

  constructor(cluster: LocalCluster, options: FuzzOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  async run(): Promise<FuzzReport> {
    const cluster = this.#cluster;
    const { auth, sender, frames } = this.#options;
    const corpus = await record(cluster, this.#options);
    if (auth === "required") await this.#closeRegistration();
    const traffic = await ValidTraffic.start(cluster, auth);
    const before = await quiet(cluster, traffic.client);
    using sockets = new Sockets();
    this.#lanes = this.#lanesTo(corpus, sockets);
    using watch = new MemoryWatch(
      ["server", "broker", "proxy", "reference"].flatMap((role) => cluster.of(role as "server")),
      () => Math.min(1, this.#done / frames),
    );
    const startMs = performance.now();
    // Messages of members may stop all service, so there is no valid traffic.
    if (sender !== "members") traffic.begin();
    await this.#sendAll(corpus.insider);
    const seconds = (performance.now() - startMs) / 1_000;
    await traffic.end();
    const views = sender === "members" ? undefined : await this.#lookAtState(traffic, before);
    const events = views === undefined ? 0 : eventsOf(views) - eventsOf(before);
    if (watch.ended.length > 0) this.#problems.push(`ended: ${watch.ended.join(", ")}`);
    await cluster.stop();
    const strange = views && (await this.#lookAtDisks(traffic, events));
    const memory = watch.grown(eventBytes * events);
    for (const { label, isFlat } of memory) {
      if (!isFlat) this.#problems.push(`the memory of ${label} grows`);
    }
    return {
      sent: this.#sent,
      seconds,
      memory,
      refused: refusedBy(views),
      acknowledged: traffic.acknowledged,
      strange,
      problems: this.#problems,
      lastKinds: this.#lastKinds,
      folder: cluster.folder,
    };
  }

  /** Closes registration, so that a sender without a session can't make an account. */
  async #closeRegistration(): Promise<void> {
    const token = Insider.operatorToken(this.#cluster);
    await using client = this.#cluster.client({ proxies: [], token });
    await client.ask("registration", { mode: "closed" });
  }

  #lanesTo(corpus: Corpus, sockets: Sockets): Lane[] {
    const { broker, proxy, reference, ...forMembers } = this.#cluster.endpoints;
    const within = (endpoint: string) => withinTheDoor(this.#cluster.folder, endpoint);
    const [brokerBack, proxyIn] = [within(forMembers.brokerBack), within(forMembers.proxyIn)];
    const servers = this.#cluster.of("server");
    const answerers = servers.length;
    const front = sockets.add(new Answering("the broker", broker, { service: "time", answerers }));
    const asFront = { name: "broker, front", target: front, samples: corpus.front };
    if (this.#options.sender === "users") return [{ ...asFront, weight: 1 }];
    const peerLinks = servers.map(({ label, ready }): Lane => {
      const endpoint = ready?.endpoints.peer ?? "";
      const target = sockets.add(new Answering(label, within(endpoint)));
      const samples = corpus.peerLinks.get(ready?.name ?? "") ?? [];
      return { name: `peer link, ${label}`, target, samples, weight: 6 };
    });
    const publishing = sockets.add(new ProxyIn(proxyIn, proxy));
    const toReference = sockets.add(new Answering("the reference", reference));
    const ofMembers: Lane[] = [
      ...peerLinks,
      { name: "reference", target: toReference, samples: corpus.reference, weight: 12 },
      { name: "replication", target: publishing, samples: corpus.replication, weight: 22 },
    ];
    if (this.#options.sender === "members") return ofMembers;
    const subscribing = sockets.add(new ProxyOut(proxy, publishing));
    const { topics, subscriptions } = corpus;
    return [
      { ...asFront, weight: 30 },
      ...ofMembers,
      { name: "users' topics", target: publishing, samples: topics, weight: 10 },
      { name: "subscriptions", target: subscribing, samples: subscriptions, weight: 5 },
      {
        // The broker gives every connection here a share of all requests, so this lane comes last
        // and connects only briefly.
        name: "broker, back",
        target: sockets.add(new BrokerBack(broker, brokerBack)),
        samples: corpus.back,
        weight: 3,
      },
    ];
  }

  async #sendAll(insider: Insider): Promise<void> {
    const { frames, seed, onProgress } = this.#options;
    const total = this.#lanes.reduce((sum, { weight }) => sum + weight, 0);
    const mutators = this.#lanes.map((_, at) => new Mutator(seed * 1_000 + at));
    try {
      while (this.#done < frames) {
        const round = Math.min(roundFrames, frames - this.#done);
        for (const [at, lane] of this.#lanes.entries()) {
          const count = Math.ceil((round * lane.weight) / total);
          await this.#send(lane, count, { mutator: mutators[at] as Mutator, insider });
          this.#done += count;
        }
        for (const lane of this.#lanes) {
          await lane.target.settled();
          if (lane.target instanceof Answering) insider.clock.receive(lane.target.clock);
          if (insider.clock.value > lastClock) throw new Error("no seal counts any more");
        }
        onProgress?.(this.#done);
      }
    } catch (error) {
      this.#problems.push(`after ${this.#done} frames ${(error as Error).message}`);
    }
  }

  async #send(
    { name, target, samples }: Lane,
    count: number,
    { mutator, insider }: { mutator: Mutator; insider: Insider },
  ): Promise<void> {
    for (let sent = 0; sent < count; ) {
      const { of, frames, kinds } = mutator.mutate(samples);
      const [payload = Buffer.alloc(0)] = frames;
      if (of.seal !== undefined && endsClocks(payload)) continue;
      const message = of.seal?.(payload) ?? frames;
      const isChanged = of.seal !== undefined || !insider.isWhole(message);
      if (!isChanged || !isSendable(message)) continue;
      await target.send(message);
      sent += 1;
      this.#lastKinds[name] = kinds.join(", ");
    }
    this.#sent[name] = (this.#sent[name] ?? 0) + count;
  }

  /** Checks the servers' state once they have read every frame. */
  async #lookAtState(traffic: ValidTraffic, before: Views): Promise<Views | undefined> {
    const { published, messages, failures, client } = traffic;
    this.#problems.push(...failures.slice(0, 5).map((failure) => `a valid message: ${failure}`));
    try {
      await this.#replicationIsRead(traffic);
      const views = await quiet(this.#cluster, client);
      for (const [server, { view }] of views) {
        const was = before.get(server)?.view;
        if (JSON.stringify(view) !== JSON.stringify(was)) {
          this.#problems.push(`${server} has another view: ${JSON.stringify(view)}`);
        }
      }
      const texts = new Set((await traffic.read()).map(({ message }) => message));
      const lost = [...published, ...messages].filter((text) => !texts.has(text));
      if (lost.length > 0) this.#problems.push(`lost: ${lost.slice(0, 5).join(", ")}`);
      // With accounts, no outsider can publish anything that a client accepts (X5).
      if (this.#options.auth === "required" && !(await traffic.isHeard())) {
        this.#problems.push(`heard ${traffic.heard.length} of ${published.size}`);
      }
      return views;
    } catch (error) {
      this.#problems.push((error as Error).message);
      return undefined;
    }
  }

  /**
   * Sends ten forged messages after all others. Once exactly ten more messages are counted as
   * forged, the servers have read everything.
   */
  async #replicationIsRead({ client }: ValidTraffic): Promise<void> {
    const lane = this.#lanes.find(({ name }) => name === "replication");
    if (lane === undefined) return;
    const forged = async () =>
      [...(await viewsOf(this.#cluster, client)).values()].map(
        ({ refused }) => refused?.forged ?? 0,
      );
    let counts = await forged();
    const isStill = async () => {
      const before = counts;
      await pause(100);
      counts = await forged();
      return counts.every((count, at) => count === before[at]);
    };
    await until(isStill, "all is read", patienceMs);
    const unsealed = [replicationTopic, "nothing"].map((text) => Buffer.from(text));
    const more = 10;
    for (let sent = 0; sent < more; sent += 1) await lane.target.send(unsealed);
    const wanted = counts.map((count) => count + more);
    const isCounted = async () => {
      const now = await forged();
      return now.every((count, at) => count === wanted[at]);
    };
    await until(isCounted, "what was published last is refused", patienceMs);
  }

  /** @returns the number of events that no valid message made */
  async #lookAtDisks(traffic: ValidTraffic, events: number): Promise<number> {
    const { auth, sender } = this.#options;
    await saveJournals(this.#cluster.folder, process.env);
    const { unequal, entries } = readDisks(this.#cluster.folder);
    if (unequal.length > 0) this.#problems.push(`replicas differ in ${unequal.join(", ")}`);
    const { published, messages } = traffic;
    const valid = entries.filter(({ message }) => published.has(message) || messages.has(message));
    const strange = events - valid.length;
    if (sender !== "strangers") return strange;
    if (auth === "required" && strange !== 0) {
      this.#problems.push(`${strange} events are of no valid message`);
    }
    this.#problems.push(...errorsIn(this.#cluster.folder).slice(0, 5));
    return strange;
  }
}

/**
 * Whether the message would move a member's clock near the end of its range, so that members would
 * accept no later seal.
 */
function endsClocks(payload: Buffer): boolean {
  try {
    const value = decode(payload);
    const { clock, data } = value as { clock?: unknown; data?: { clock?: unknown } };
    return [clock, data?.clock].some((one) => typeof one === "number" && one > lastClock);
  } catch {
    return false;
  }
}

function refusedBy(views: Views | undefined): Record<string, string> {
  const all = [...(views ?? [])].map(([server, { refused }]) => {
    return [server, `${refused?.forged} forged, ${refused?.stale} stale`] as const;
  });
  return Object.fromEntries(all);
}
