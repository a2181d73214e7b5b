import { digest } from "../../src/platform/digest.ts";
import { type Random, seededRandom } from "../../src/platform/random.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import { durations } from "../../src/protocol/limits.ts";
import {
  noView,
  type PeerRequest,
  type ReferenceRequest,
  type ReplicationMessage,
  type Reply,
  type ReplyData,
  type Standing,
  type View,
} from "../../src/protocol/messages.ts";
import { parsePayload } from "../../src/protocol/parse-message.ts";
import {
  parsePeerRequest,
  parseReplication,
  parseSyncAnswer,
  writeLines,
} from "../../src/protocol/parse-peer.ts";
import {
  parseHeartbeatReply,
  parseReferenceReply,
  parseReferenceRequest,
} from "../../src/protocol/parse-reference.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import { handleRequest } from "../../src/reference/core/handle-request.ts";
import { Registry, type Saved } from "../../src/reference/core/registry.ts";
import type { Effect, Input } from "../../src/server/core/effects.ts";
import { ServerCore } from "../../src/server/core/step.ts";
import { checkPromises } from "./check-promises.ts";
import { serverName } from "./event-lines.ts";
import { MemoryJournal } from "./memory-journal.ts";
import { VirtualNetwork } from "./virtual-network.ts";
import { VirtualTime } from "./virtual-time.ts";

type Fields = Readonly<Record<string, unknown>>;
type EffectOf<Type extends Effect["type"]> = Effect & { readonly type: Type };

/** 2026-01-01, so that times in failures are easy to read. */
const startWallMs = 1_767_225_600_000;

/** A server's process and its disk; the disk outlives the process. */
export class VirtualServer {
  readonly name: ServerName;
  readonly journal = new MemoryJournal();
  savedView: View = noView;
  /** Milliseconds that a sync takes. */
  syncMs = 1;
  /** Of the present process, or of the last one. */
  core: ServerCore;
  /** Counts processes; what was planned for an earlier one does not happen. */
  life = 0;
  isRunning = false;
  inRotation = false;
  readonly published: { readonly topic: string; readonly payload: unknown }[] = [];
  readonly logged: string[] = [];

  constructor(number: number) {
    this.name = serverName(number);
    this.core = this.newCore();
  }

  get address(): string {
    return `ipc://${this.name}`;
  }

  newCore(): ServerCore {
    const clock = new LamportClock(this.journal.clock);
    const core = new ServerCore({ name: this.name, clock, digest, address: this.address });
    core.recoverView(this.savedView);
    for (const line of this.journal.lines) core.recoverEvent(line);
    return core;
  }
}

/** A payload on its way to a server and back. */
export class Question {
  replies: readonly Reply[] | undefined;
  /** The way back is gone: the server had disconnected from the brokers when it replied. */
  isLost = false;
  readonly cameByBroker: boolean;

  constructor(cameByBroker: boolean) {
    this.cameByBroker = cameByBroker;
  }

  /** The fields of the first reply, if it has come. */
  get reply(): ReplyData | undefined {
    return this.replies?.[0]?.data;
  }
}

/**
 * Server cores and a registry in virtual time, with memory for disks and a network that can be cut.
 * The same seed gives the same run.
 */
export class CoreCluster {
  readonly time = new VirtualTime();
  readonly network: VirtualNetwork;
  readonly servers: VirtualServer[] = [];
  registry: Registry;
  referenceIsUp = true;
  #referenceFile: Saved | undefined;
  readonly #referenceClock = new LamportClock();
  readonly #random: Random;

  constructor({ servers, seed = 1 }: { readonly servers: number; readonly seed?: number }) {
    this.#random = seededRandom(seed);
    this.network = new VirtualNetwork(this.time, this.#random);
    this.registry = new Registry(undefined, this.time.nowMs);
    this.#advanceRegistry();
    for (let number = 1; number <= servers; number += 1) this.addServer();
  }

  // ---- servers ----------------------------------------------------------------------------------

  addServer(): VirtualServer {
    const server = new VirtualServer(this.servers.length + 1);
    this.servers.push(server);
    this.start(server);
    return server;
  }

  /** By number, from 1. */
  server(number: number): VirtualServer {
    const server = this.servers[number - 1];
    if (server === undefined) throw new Error(`there is no server ${number}`);
    return server;
  }

  start(server: VirtualServer): void {
    server.life += 1;
    server.isRunning = true;
    server.core = server.newCore();
    this.#askReference(
      server,
      { service: "rank", data: { user: server.name, address: server.address } },
      () => {},
    );
    this.#step(server, { type: "recovered" });
    this.#tick(server);
  }

  /** A power cut: what was not synced is gone. */
  crash(server: VirtualServer): void {
    this.#end(server);
    server.journal.loseWhatWaits();
  }

  stop(server: VirtualServer, { leave = false } = {}): void {
    this.#step(server, { type: "stop", leave });
  }

  subscribe(topic: string, active = true): void {
    for (const server of this.servers) {
      this.#step(server, { type: "subscription", topic, active });
    }
  }

  #end(server: VirtualServer): void {
    server.isRunning = false;
    server.inRotation = false;
    server.life += 1;
  }

  // ---- clients ----------------------------------------------------------------------------------

  /** Hands one request, or an array of them, to a server. */
  ask(server: VirtualServer, service: string, data: Fields = {}): Question {
    return this.askPayload(server, { service, data });
  }

  askPayload(server: VirtualServer, payload: unknown): Question {
    const question = new Question(server.inRotation);
    const { batch, requests } = parsePayload(encode(payload));
    this.#step(server, { type: "requests", to: question, batch, requests });
    return question;
  }

  /** Asks and lets time pass until the reply is there. */
  request(server: VirtualServer, service: string, data: Fields = {}): ReplyData {
    const question = this.ask(server, service, data);
    this.runUntil(() => question.reply !== undefined, `a reply to ${service}`);
    return question.reply as ReplyData;
  }

  // ---- time -------------------------------------------------------------------------------------

  runFor(durationMs: number): void {
    this.time.runFor(durationMs);
  }

  runUntil(condition: () => boolean, what: string, limitMs?: number): void {
    this.time.runUntil(condition, what, limitMs);
  }

  /** Until all running servers are members of the present view and in the rotation. */
  runUntilServing(): void {
    const running = this.servers.filter(({ isRunning }) => isRunning);
    this.runUntil(() => {
      const { number, members } = this.registry.view;
      return running.every(({ name, savedView, inRotation }) => {
        return inRotation && members.includes(name) && savedView.number === number;
      });
    }, "all servers are members and serve");
  }

  /** Until all running servers hold the same, have it on disk, and count it as committed. */
  runUntilEqual(limitMs?: number): void {
    const running = this.servers.filter(({ isRunning }) => isRunning);
    const vectors = () =>
      running.flatMap(({ core, journal }) => {
        return [core.ledger.held, journal.durable, core.replication.committed].map(sortedText);
      });
    this.runUntil(() => new Set(vectors()).size === 1, "all servers have the same", limitMs);
  }

  // ---- the reference ----------------------------------------------------------------------------

  stopReference(): void {
    this.referenceIsUp = false;
  }

  startReference({ lostFile = false } = {}): void {
    if (lostFile) this.#referenceFile = undefined;
    this.registry = new Registry(this.#referenceFile, this.time.nowMs);
    this.referenceIsUp = true;
  }

  #advanceRegistry(): void {
    if (this.referenceIsUp) {
      this.registry.advance(this.time.nowMs);
      this.#saveRegistry();
    }
    this.time.after(durations.pollMs, () => this.#advanceRegistry());
  }

  #saveRegistry(): void {
    if (this.registry.takeChanged()) this.#referenceFile = this.registry.saved;
  }

  #askReference(
    server: VirtualServer,
    request: { readonly service: string; readonly data: Fields },
    onReply: (fields: Fields) => void,
  ): void {
    const payload = encode(request);
    this.network.send({ wire: "reference", from: server.name, to: "reference" }, () => {
      if (!this.referenceIsUp) return;
      const reply = encode(this.#answerAsReference(parseReferenceRequest(decode(payload))));
      this.network.send({ wire: "reference", from: "reference", to: server.name }, () => {
        if (!server.isRunning) return;
        try {
          onReply(parseReferenceReply(reply));
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
      });
    });
  }

  #answerAsReference(request: ReferenceRequest): { service: string; data: Fields } {
    let answer: Fields;
    try {
      const { registry, time } = this;
      answer = handleRequest(registry, this.#referenceClock, request, time.nowMs);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      answer = { status: "erro", code: error.code, description: error.message };
    }
    this.#saveRegistry();
    return { service: request.service, data: { ...answer, clock: this.#referenceClock.tick() } };
  }

  // ---- the shell of each server ------------------------------------------------------------------

  #tick(server: VirtualServer): void {
    this.#step(server, { type: "tick" });
    this.#later(server, durations.tickMs, () => this.#tick(server));
  }

  /** Plans something for this process alone. */
  #later(server: VirtualServer, delayMs: number, run: () => void): void {
    const { life } = server;
    this.time.after(delayMs, () => {
      if (server.life === life) run();
    });
  }

  #step(server: VirtualServer, input: Input): void {
    if (!server.isRunning) return;
    const { nowMs } = this.time;
    const now = { steadyMs: nowMs, wallMs: startWallMs + nowMs };
    for (const effect of server.core.step(input, now)) {
      checkPromises(this, server, effect);
      this.#perform(server, effect);
    }
  }

  #perform(server: VirtualServer, effect: Effect): void {
    switch (effect.type) {
      case "append":
        server.journal.append(effect.lines);
        return this.#flush(server);
      case "saveView":
        return this.#later(server, server.syncMs, () => {
          server.savedView = effect.view;
          this.#step(server, { type: "viewSaved", number: effect.view.number });
        });
      case "reply": {
        const question = effect.to as Question;
        question.replies = effect.replies;
        question.isLost = question.cameByBroker && !server.inRotation;
        return;
      }
      case "broadcast":
        return this.#broadcast(server, effect.message);
      case "publish":
        server.published.push({ topic: effect.topic, payload: effect.payload });
        return;
      case "askSync":
        return this.#askSync(server, effect);
      case "answerSync":
        return (effect.to as AnswerSync)(effect.standing, effect.since);
      case "heartbeat":
        return this.#heartbeat(server, effect);
      case "leave":
        return this.#askReference(server, { service: "leave", data: { user: server.name } }, () => {
          this.#step(server, { type: "left" });
        });
      case "rotation":
        server.inRotation = effect.joined;
        return;
      case "stopped":
        return this.#end(server);
      case "fetchSnapshot":
      case "repaired":
        throw new Error(`${effect.type}: nothing is ever compacted or lost here`);
      case "log":
        server.logged.push(effect.text);
        return;
      default:
        effect satisfies never;
    }
  }

  #flush(server: VirtualServer): void {
    const { journal } = server;
    if (journal.isFlushing) return;
    const batch = journal.takeBatch();
    if (batch.length === 0) return;
    journal.isFlushing = true;
    this.#later(server, server.syncMs, () => {
      journal.isFlushing = false;
      journal.sync(batch, server.core.clock.value);
      this.#step(server, { type: "flushed", count: batch.length });
      this.#flush(server);
    });
  }

  #broadcast(server: VirtualServer, message: ReplicationMessage): void {
    const payload = encodeReplication(message);
    for (const peer of this.servers) {
      if (peer === server) continue;
      this.network.send({ wire: "broadcast", from: server.name, to: peer.name }, () => {
        this.#step(peer, { type: "replication", message: parseReplication(payload) });
      });
    }
  }

  #askSync(server: VirtualServer, { peer: name, request }: EffectOf<"askSync">): void {
    const { service, ...data } = request;
    const payload = encode({ service, data });
    const peer = this.servers.find((candidate) => candidate.name === name);
    let isOpen = true;
    const settle = (input: Input) => {
      if (isOpen) this.#step(server, input);
      isOpen = false;
    };
    const { life } = server;
    this.#later(server, durations.peerRequestMs, () => settle({ type: "syncFailed", from: name }));
    if (peer === undefined) return;
    this.network.send({ wire: "peer", from: server.name, to: name }, () => {
      const to: AnswerSync = (standing, since) => {
        const { lines, more } = peer.journal.read(since, standing.durable);
        const answer = encode({ service, data: { ...standing, events: writeLines(lines), more } });
        this.network.send({ wire: "peer", from: name, to: server.name }, () => {
          if (server.life !== life) return;
          settle({ type: "syncAnswer", from: name, answer: parseSyncAnswer(answer) });
        });
      };
      const asked = parsePeerRequest(payload) as PeerRequest & { service: "sync" };
      this.#step(peer, { type: "syncRequest", to, request: asked });
    });
  }

  #heartbeat(server: VirtualServer, { report, clock }: EffectOf<"heartbeat">): void {
    const { life } = server;
    this.#askReference(server, { service: "heartbeat", data: { ...report, clock } }, (fields) => {
      if (server.life !== life) return;
      const reply = parseHeartbeatReply(fields);
      this.#step(server, { type: "referenceReply", reply });
    });
  }
}

type AnswerSync = (standing: Standing, since: Vector) => void;

function encodeReplication(message: ReplicationMessage): Uint8Array {
  if (message.type !== "events") return encode(message);
  const { lines, ...rest } = message;
  return encode({ ...rest, events: writeLines(lines) });
}

function sortedText(vector: Vector): string {
  return JSON.stringify(Object.entries(vector).sort());
}

/** A cluster in which all servers are members and serve, with two users and a channel. */
export function servingCluster(servers: number, seed = 1): CoreCluster {
  const cluster = new CoreCluster({ servers, seed });
  cluster.runUntilServing();
  const first = cluster.server(1);
  cluster.request(first, "login", { user: "ana" });
  cluster.request(first, "login", { user: "bia" });
  cluster.request(first, "channel", { channel: "geral" });
  cluster.runUntilEqual();
  return cluster;
}

/** All that a server would write at a clean stop, as text. */
export function checkpointText(server: VirtualServer): string {
  const { files, rows, mark } = server.core.checkpoint();
  const texts = files.map(({ name, lines }) => `${name}\n${[...lines].join("")}`);
  return `${texts.join("")}${[...rows].join("\n")}${JSON.stringify(mark)}`;
}
