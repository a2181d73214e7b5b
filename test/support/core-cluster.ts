import { digest } from "../../src/platform/digest.ts";
import { type Random, seededRandom } from "../../src/platform/random.ts";
import type { ReplyData, Request, Session } from "../../src/protocol/client-messages.ts";
import { encode } from "../../src/protocol/codec.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import { parsePayload } from "../../src/protocol/parse-message.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import type { Registry } from "../../src/reference/core/registry.ts";
import type { Input } from "../../src/server/core/effects.ts";
import { ownTables } from "../../src/server/core/services.ts";
import { Shell } from "../../src/server/shell.ts";
import { type ClusterChecks, PromiseChecks } from "./check-promises.ts";
import { Question } from "./question.ts";
import { VirtualNetwork } from "./virtual-network.ts";
import { VirtualProcess } from "./virtual-process.ts";
import { VirtualReference } from "./virtual-reference.ts";
import { type ServerOptions, VirtualServer } from "./virtual-server.ts";
import { VirtualStore } from "./virtual-store.ts";
import { virtualSurroundings } from "./virtual-surroundings.ts";
import { VirtualTime } from "./virtual-time.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface CoreClusterOptions extends Partial<ServerOptions> {
  readonly servers: number;
  readonly seed?: number;
  /** Whether every message goes through the codec and the gates, as on real wires. */
  readonly encodes?: boolean;
}

/**
 * Servers in virtual time: each has the shipped shell and core. The reference has its shipped core.
 * Disks are in memory, and the network can be cut. The same seed gives the same run.
 */
export class CoreCluster {
  readonly time = new VirtualTime();
  /** Sessions by token; tokens are not signed here. */
  readonly sessions = new Map<string, Session>();
  readonly network: VirtualNetwork;
  readonly servers: VirtualServer[] = [];
  readonly random: Random;
  readonly reference: VirtualReference;
  /** The topics that are subscribed to. */
  readonly topics = new Set<string>();
  /** Checks each step; throws if a promise is broken. */
  checks: ClusterChecks = new PromiseChecks();
  readonly #options: ServerOptions;

  constructor({ servers, seed = 1, encodes = true, ...options }: CoreClusterOptions) {
    this.random = seededRandom(seed);
    this.#options = { digest, ...options };
    this.network = new VirtualNetwork(this.time, this.random, encodes);
    this.reference = new VirtualReference(this);
    for (let number = 1; number <= servers; number += 1) this.addServer();
  }

  addServer(): VirtualServer {
    const server = new VirtualServer(this.servers.length + 1, this.#options);
    server.onLoad = () => this.checks.onStart(this, server);
    server.observer = {
      onInput: ({ type }) => {
        server.handling = type;
      },
      onEffect: (effect) => this.checks.onEffect(this, server, effect),
      onStep: () => this.checks.onStep(this, server),
    };
    this.servers.push(server);
    this.start(server);
    return server;
  }

  /** The server of this number, from 1. */
  server(number: number): VirtualServer {
    const server = this.servers[number - 1];
    if (server === undefined) throw new Error(`there is no server ${number}`);
    return server;
  }

  find(name: ServerName): VirtualServer | undefined {
    return this.servers.find((server) => server.name === name);
  }

  /** Starts a new process of the server, which loads the server's disk. */
  start(server: VirtualServer): void {
    server.begin();
    const process = new VirtualProcess(server, this.time);
    const store = new VirtualStore(process, (count) => shell.onFlushed(count));
    const { now } = process.timers;
    const recorder = server.remember(now);
    const shell = new Shell(virtualSurroundings({ cluster: this, process, store }), recorder);
    server.store = store;
    server.shell = shell;
    store.load((core) => shell.start(core));
  }

  /** Cuts the power: the process ends, and its unsynced lines are lost. */
  crash(server: VirtualServer): void {
    this.kill(server);
    server.disk.loseUnsynced(0);
  }

  /**
   * Kills the process; written lines stay. With `keepsView`, a view or promise that is being saved
   * reaches the disk.
   */
  kill(server: VirtualServer, keepsView = false): void {
    if (keepsView) server.store?.landWrites();
    this.#end(server);
    server.disk.die();
  }

  /** Stops the process (SIGSTOP): whatever reaches it waits. */
  freeze(server: VirtualServer): void {
    server.freeze();
  }

  /** Continues the process (SIGCONT). */
  thaw(server: VirtualServer): void {
    server.thaw();
  }

  stop(server: VirtualServer, { leave = false } = {}): void {
    server.take(() => {
      server.isToldToStop = true;
      server.shell?.stop({ leave, onStopped: () => this.#end(server) });
    });
  }

  #end(server: VirtualServer): void {
    const { life, name } = server;
    server.end();
    for (const { watched, name: watcher } of this.servers) {
      if (watched?.peer !== server || watched.life !== life) continue;
      this.network.send({ wire: "peer", from: name, to: watcher }, () => watched.onLost());
    }
  }

  /** Saves the server's state, a few lines each millisecond. */
  save(server: VirtualServer, how: { linesAtOnce?: number; kept?: number } = {}): void {
    if (server.isRunning) server.store?.save(server.core, how);
  }

  hand(server: VirtualServer, input: Input): void {
    server.deliver(input);
  }

  subscribe(topic: string, active = true): void {
    if (active) this.topics.add(topic);
    else this.topics.delete(topic);
    for (const server of this.servers) server.deliver({ type: "subscription", topic, active });
  }

  correctedMs(server: VirtualServer): number {
    const now = server.nowAt(this.time.nowMs);
    return now.wallMs + server.core.clockSync.offsetMs(now);
  }

  /** Hands one request to a server, without waiting for the reply. */
  ask(server: VirtualServer, service: string, data: Fields = {}): Question {
    return this.askPayload(server, { service, data });
  }

  askPayload(server: VirtualServer, payload: unknown, connection = "one"): Question {
    const question = new Question(server.inRotation);
    const { tables = ownTables } = this.#options;
    const { batch, requests } = parsePayload(encode(payload), tables.services);
    const proven = requests.map((request) =>
      "token" in request && request.token !== undefined
        ? { ...request, session: this.sessions.get(request.token) }
        : request,
    );
    server.deliver({ type: "requests", to: question, batch, requests: proven, connection });
    return question;
  }

  /** Hands an already parsed request to a server, past the gate. */
  askParsed(server: VirtualServer, request: Request, onReply: (data: ReplyData) => void): void {
    const to = new Question(server.inRotation, onReply);
    const requests = [request];
    server.deliver({ type: "requests", to, batch: false, requests, connection: "one" });
  }

  /** Hands one request to a server, and runs virtual time until the reply comes. */
  request(server: VirtualServer, service: string, data: Fields = {}): ReplyData {
    const question = this.ask(server, service, data);
    this.runUntil(() => question.reply !== undefined, `a reply to ${service}`);
    return question.reply as ReplyData;
  }

  runFor(durationMs: number): void {
    this.time.runFor(durationMs);
  }

  runUntil(condition: () => boolean, what: string, limitMs?: number): void {
    this.time.runUntil(condition, what, limitMs);
  }

  /** Runs until all running servers are members of the present view and in the rotation. */
  runUntilServing(): void {
    const running = this.servers.filter(({ isRunning }) => isRunning);
    this.runUntil(() => {
      const { number, members } = this.registry.view;
      return running.every(({ name, disk, inRotation }) => {
        return inRotation && members.includes(name) && disk.view.number === number;
      });
    }, "all servers are members and serve");
  }

  /**
   * Runs until all running servers hold the same events, have them on disk, and count them as
   * committed.
   */
  runUntilEqual(limitMs?: number): void {
    const running = this.servers.filter(({ isRunning }) => isRunning);
    const vectors = () =>
      running.flatMap(({ core, disk }) => {
        return [core.ledger.held, disk.durable, core.replication.committed].map(sortedText);
      });
    this.runUntil(() => new Set(vectors()).size === 1, "all servers have the same", limitMs);
  }

  get registry(): Registry {
    return this.reference.registry;
  }

  get referenceIsUp(): boolean {
    return this.reference.isUp;
  }

  /** The number of the highest view that the reference ever saved. */
  get highestView(): number {
    return this.reference.highestView;
  }

  stopReference(): void {
    this.reference.isUp = false;
  }

  startReference({ lostFile = false } = {}): void {
    this.reference.start(lostFile);
  }
}

function sortedText(vector: Vector): string {
  return JSON.stringify(Object.entries(vector).sort());
}

/** A cluster in which all servers are members and serve, with two users and a channel. */
export function servingCluster(
  servers: number,
  seed = 1,
  options: Partial<ServerOptions> = {},
): CoreCluster {
  const cluster = new CoreCluster({ servers, seed, ...options });
  cluster.runUntilServing();
  const first = cluster.server(1);
  cluster.request(first, "login", { user: "ana" });
  cluster.request(first, "login", { user: "bia" });
  cluster.request(first, "channel", { channel: "geral" });
  cluster.runUntilEqual();
  return cluster;
}

/** Everything that a server would save at a clean stop, as text. */
export function checkpointText(server: Pick<VirtualServer, "core">): string {
  const { files, rows, mark } = server.core.checkpoint();
  const texts = files.map(({ name, lines }) => `${name}\n${[...lines].join("")}`);
  return `${texts.join("")}${[...rows].join("\n")}${JSON.stringify(mark)}`;
}
