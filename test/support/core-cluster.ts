import { digest } from "../../src/platform/digest.ts";
import { type Random, seededRandom } from "../../src/platform/random.ts";
import type { ReplyData, Request, SentReply, Session } from "../../src/protocol/client-messages.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { compareEpochs } from "../../src/protocol/epoch.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import { durations } from "../../src/protocol/limits.ts";
import { parsePayload } from "../../src/protocol/parse-message.ts";
import {
  parseCoordinationAnswer,
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
import type {
  CoordinationAnswer,
  CoordinationRequest,
  ReplicaSummary,
  ReplicationMessage,
  SyncAnswer,
} from "../../src/protocol/peer-messages.ts";
import type { ReferenceRequest } from "../../src/protocol/reference-messages.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import { handleRequest } from "../../src/reference/core/handle-request.ts";
import { Registry, type Saved } from "../../src/reference/core/registry.ts";
import type { Effect, Input, Now } from "../../src/server/core/effects.ts";
import { ownTables } from "../../src/server/core/services.ts";
import { type ClusterChecks, PromiseChecks } from "./check-promises.ts";
import type { SavedFiles } from "./virtual-disk.ts";
import { VirtualNetwork } from "./virtual-network.ts";
import { type ServerOptions, VirtualServer } from "./virtual-server.ts";
import { VirtualTime } from "./virtual-time.ts";

type Fields = Readonly<Record<string, unknown>>;
type EffectOf<Type extends Effect["type"]> = Effect & { readonly type: Type };

/** 2026-01-01, so that times in failures are easy to read. */
const startWallMs = 1_767_225_600_000;

/** A payload on its way to a server and back. */
export class Question {
  replies: readonly SentReply[] | undefined;
  /** The way back is gone: the server had disconnected from the brokers when it replied. */
  isLost = false;
  readonly cameByBroker: boolean;
  readonly #onReply: ((data: ReplyData) => void) | undefined;

  constructor(cameByBroker: boolean, onReply?: (data: ReplyData) => void) {
    this.cameByBroker = cameByBroker;
    this.#onReply = onReply;
  }

  answer(replies: readonly SentReply[], isLost: boolean): void {
    this.replies = replies;
    this.isLost = isLost;
    if (!isLost && this.reply !== undefined) this.#onReply?.(this.reply);
  }

  /** The fields of the first reply, if it has come. */
  get reply(): ReplyData | undefined {
    return this.replies?.[0]?.data;
  }
}

export interface CoreClusterOptions extends Partial<ServerOptions> {
  readonly servers: number;
  readonly seed?: number;
  /** Whether every message goes through the codec and the gates, as on real wires. */
  readonly encodes?: boolean;
}

/**
 * Server cores and a registry in virtual time, with memory for disks and a network that can be cut.
 * The same seed gives the same run.
 */
export class CoreCluster {
  readonly time = new VirtualTime();
  /** By token; nothing is signed here. */
  readonly sessions = new Map<string, Session>();
  readonly network: VirtualNetwork;
  readonly servers: VirtualServer[] = [];
  readonly random: Random;
  registry: Registry;
  referenceIsUp = true;
  /** The number of the highest view that the reference ever saved. */
  highestView = 0;
  /** Looks at each step; throws where a promise is broken. */
  checks: ClusterChecks = new PromiseChecks();
  #referenceFile: Saved | undefined;
  readonly #referenceClock = new LamportClock();
  readonly #topics = new Set<string>();
  readonly #options: ServerOptions;
  readonly #encodes: boolean;

  constructor({ servers, seed = 1, encodes = true, ...options }: CoreClusterOptions) {
    this.random = seededRandom(seed);
    this.#options = { digest, ...options };
    this.#encodes = encodes;
    this.network = new VirtualNetwork(this.time, this.random);
    this.registry = new Registry(undefined, this.time.nowMs);
    this.#advanceRegistry();
    for (let number = 1; number <= servers; number += 1) this.addServer();
  }

  // ---- servers ----------------------------------------------------------------------------------

  addServer(): VirtualServer {
    const server = new VirtualServer(this.servers.length + 1, this.#options);
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

  /** A process on what the disk holds; it counts nothing before all of it is synced again. */
  start(server: VirtualServer): void {
    const { disk } = server;
    server.life += 1;
    server.isRunning = true;
    server.isSaving = false;
    server.hasLeft = false;
    server.savingView = undefined;
    server.savingBallot = undefined;
    server.watched = undefined;
    server.core = server.newCore();
    this.checks.onStart(this, server);
    this.#askReference(
      server,
      { service: "rank", data: { user: server.name, address: server.address } },
      () => {},
    );
    const recover = () => {
      disk.sync(disk.lines.length, server.core.clock.value);
      disk.isFlushing = false;
      this.#step(server, { type: "recovered" });
      // The proxies repeat to a new process what is subscribed to.
      for (const topic of this.#topics) {
        this.#step(server, { type: "subscription", topic, active: true });
      }
      this.#flush(server);
      // A state that came from a peer, or what rot has left, is soon saved as the server's own.
      if (!disk.isWhole) this.save(server);
    };
    disk.isFlushing = true;
    if (disk.unsynced === 0) recover();
    else this.#later(server, server.syncMs, recover);
    this.#tick(server);
  }

  /** A power cut: what was not synced is gone. */
  crash(server: VirtualServer): void {
    this.kill(server);
    server.disk.loseUnsynced(0);
  }

  /** The process dies; what it had written stays, and the view perhaps that it was saving. */
  kill(server: VirtualServer, keepsView = false): void {
    if (keepsView && server.savingView !== undefined) server.disk.view = server.savingView;
    if (keepsView && server.savingBallot !== undefined) server.disk.ballot = server.savingBallot;
    this.#end(server);
    server.disk.die();
  }

  /** SIGSTOP: what comes waits for it. */
  freeze(server: VirtualServer): void {
    if (server.isRunning) server.frozen ??= [];
  }

  /** SIGCONT. */
  thaw(server: VirtualServer): void {
    const waiting = server.frozen ?? [];
    server.frozen = undefined;
    const { life } = server;
    for (const take of waiting) if (server.life === life) take();
  }

  stop(server: VirtualServer, { leave = false } = {}): void {
    this.#step(server, { type: "stop", leave });
  }

  /** Whatever might come to a server. */
  hand(server: VirtualServer, input: Input): void {
    this.#step(server, input);
  }

  subscribe(topic: string, active = true): void {
    if (active) this.#topics.add(topic);
    else this.#topics.delete(topic);
    for (const server of this.servers) {
      this.#step(server, { type: "subscription", topic, active });
    }
  }

  #end(server: VirtualServer): void {
    const { life, name } = server;
    server.isRunning = false;
    server.frozen = undefined;
    server.inRotation = false;
    server.life += 1;
    for (const watcher of this.servers) {
      const { watched } = watcher;
      if (watched?.peer !== name || watched.life !== life) continue;
      this.network.send({ wire: "peer", from: name, to: watcher.name }, () => {
        this.#step(watcher, { type: "peerLost", from: name });
      });
    }
  }

  // ---- clients ----------------------------------------------------------------------------------

  /** Hands one request, or an array of them, to a server. */
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
    this.#step(server, { type: "requests", to: question, batch, requests: proven, connection });
    return question;
  }

  /** Hands a request to a server that has passed the gate already. */
  askParsed(server: VirtualServer, request: Request, onReply: (data: ReplyData) => void): void {
    const to = new Question(server.inRotation, onReply);
    const requests = [request];
    this.#step(server, { type: "requests", to, batch: false, requests, connection: "one" });
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
      return running.every(({ name, disk, inRotation }) => {
        return inRotation && members.includes(name) && disk.view.number === number;
      });
    }, "all servers are members and serve");
  }

  /** Until all running servers hold the same, have it on disk, and count it as committed. */
  runUntilEqual(limitMs?: number): void {
    const running = this.servers.filter(({ isRunning }) => isRunning);
    const vectors = () =>
      running.flatMap(({ core, disk }) => {
        return [core.ledger.held, disk.durable, core.replication.committed].map(sortedText);
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
    if (!this.registry.takeChanged()) return;
    this.#referenceFile = this.registry.saved;
    this.highestView = Math.max(this.highestView, this.registry.view.number);
    this.checks.onView(this, this.registry.view);
  }

  #askReference(
    server: VirtualServer,
    request: { readonly service: string; readonly data: Fields },
    onReply: (fields: Fields) => void,
  ): void {
    const { life } = server;
    const asked = this.#encodes ? encode(request) : request;
    this.network.send({ wire: "reference", from: server.name, to: "reference" }, () => {
      if (!this.referenceIsUp) return;
      const parsed =
        asked instanceof Uint8Array
          ? parseReferenceRequest(decode(asked))
          : ({ service: asked.service, clock: 0, ...asked.data } as ReferenceRequest);
      const answer = this.#answerAsReference(parsed);
      const reply = this.#encodes ? encode(answer) : answer.data;
      this.network.send({ wire: "reference", from: "reference", to: server.name }, () => {
        if (!server.isRunning || server.life !== life) return;
        try {
          if (reply instanceof Uint8Array) onReply(parseReferenceReply(reply));
          else if (reply.status === "OK") onReply(reply);
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
      // As from a member, whose seal tells the clock.
      const member = "user" in request ? request.user : "operator";
      this.#referenceClock.receive(request.clock);
      const asked = { ...request, member };
      const clock = this.#referenceClock;
      answer = handleRequest(asked, { registry, clock, steadyMs: time.nowMs });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      answer = { status: "erro", code: error.code, description: error.message };
    }
    if (request.service === "heartbeat" && request.role === "server") {
      this.checks.onReport(request.user as ServerName, request.durable === undefined);
    }
    this.#saveRegistry();
    if (request.service === "leave" && answer.status === "OK") this.checks.onLeave(this);
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

  #now(server: VirtualServer): Now {
    const { nowMs } = this.time;
    const aheadMs = server.skewMs + (server.driftMs * nowMs) / 1_000;
    return { steadyMs: nowMs, wallMs: Math.round(startWallMs + nowMs + aheadMs) };
  }

  /** The time that the server would tell. */
  correctedMs(server: VirtualServer): number {
    const now = this.#now(server);
    return now.wallMs + server.core.clockSync.offsetMs(now);
  }

  #step(server: VirtualServer, input: Input): void {
    if (!server.isRunning) return;
    if (server.frozen !== undefined) {
      server.frozen.push(() => this.#step(server, input));
      return;
    }
    server.handling = input.type;
    for (const effect of server.core.step(input, this.#now(server))) {
      this.checks.onEffect(this, server, effect);
      this.#perform(server, effect);
    }
    this.checks.onStep(this, server);
  }

  #perform(server: VirtualServer, effect: Effect): void {
    switch (effect.type) {
      case "append":
        server.disk.append(effect.lines);
        return this.#flush(server);
      case "saveView":
        server.savingView = effect.view;
        return this.#later(server, server.syncMs, () => {
          if (effect.view.number > server.disk.view.number) server.disk.view = effect.view;
          this.#step(server, { type: "viewSaved", number: effect.view.number });
        });
      case "reply": {
        const question = effect.to as Question;
        return question.answer(effect.replies, question.cameByBroker && !server.inRotation);
      }
      case "broadcast":
        return this.#broadcast(server, effect.message);
      case "publish":
        server.published.push({ topic: effect.topic, payload: effect.payload });
        return;
      case "askSync":
        return this.#askSync(server, effect);
      case "askPeer":
        return this.#askPeer(server, effect);
      case "answerPeer":
        return (effect.to as AnswerPeer)(effect.answer);
      case "watchPeer": {
        const peer = this.servers.find(({ name }) => name === effect.peer);
        if (peer !== undefined) server.watched = { peer: peer.name, life: peer.life };
        return;
      }
      case "savePromise":
        server.savingBallot = effect.ballot;
        return this.#later(server, server.syncMs, () => {
          const { ballot } = effect;
          if (compareEpochs(ballot.epoch, server.disk.ballot.epoch) > 0)
            server.disk.ballot = ballot;
          this.#step(server, { type: "promiseSaved", ballot });
        });
      case "password": {
        const { number, check, hash } = effect;
        return this.#later(server, server.hashMs(hash ?? check?.password ?? ""), () => {
          const isRight = check === undefined || check.credential === hashOf(check.password);
          const credential = isRight && hash !== undefined ? hashOf(hash) : undefined;
          const result = server.hashFails ? undefined : { isRight, credential };
          this.#step(server, { type: "passwordDone", number, result });
        });
      }
      case "answerSync":
        return (effect.to as AnswerSync)(effect.summary, effect.since);
      case "heartbeat":
        return this.#heartbeat(server, effect);
      case "leave":
        return this.#askReference(server, { service: "leave", data: { user: server.name } }, () => {
          server.hasLeft = true;
          this.#step(server, { type: "left" });
        });
      case "rotation":
        server.inRotation = effect.joined;
        return;
      case "stopped":
        server.disk.close(server.core.clock.value);
        return this.#end(server);
      case "fetchSnapshot":
        return this.#fetchSnapshot(server, effect);
      case "repaired":
        server.disk.missing = {};
        server.disk.salvaged = [];
        return;
      case "log":
        server.logged.push(effect.text);
        return;
      default:
        effect satisfies never;
    }
  }

  #flush(server: VirtualServer): void {
    const { disk } = server;
    if (disk.isFlushing) return;
    const count = disk.write();
    if (count === 0) return;
    disk.isFlushing = true;
    const upTo = disk.lines.length;
    this.#later(server, server.syncMs, () => {
      disk.isFlushing = false;
      disk.sync(upTo, server.core.clock.value);
      this.#step(server, { type: "flushed", count });
      this.#flush(server);
    });
  }

  #broadcast(server: VirtualServer, message: ReplicationMessage): void {
    const sent = this.#encodes ? encodeReplication(message) : message;
    for (const peer of this.servers) {
      if (peer === server) continue;
      this.network.send({ wire: "broadcast", from: server.name, to: peer.name }, () => {
        const came = sent instanceof Uint8Array ? parseReplication(sent) : sent;
        this.#step(peer, { type: "replication", message: came });
      });
    }
  }

  #askSync(server: VirtualServer, { peer: name, request }: EffectOf<"askSync">): void {
    const { service, ...data } = request;
    const sent = this.#encodes ? encode({ service, data }) : request;
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
      const to: AnswerSync = (summary, since) => {
        const found = peer.disk.read(since, summary.durable);
        const { lines, more } = found ?? { lines: [], more: true };
        const answer = { ...summary, lines, more, compacted: found === undefined };
        const reply = this.#encodes ? encodeSyncAnswer(answer) : answer;
        this.network.send({ wire: "peer", from: name, to: server.name }, () => {
          if (server.life !== life) return;
          const came = reply instanceof Uint8Array ? parseSyncAnswer(reply) : reply;
          settle({ type: "syncAnswer", from: name, answer: came });
        });
      };
      const asked = sent instanceof Uint8Array ? parsePeerRequest(sent) : sent;
      if (asked.service === "sync") this.#step(peer, { type: "syncRequest", to, request: asked });
    });
  }

  #askPeer(server: VirtualServer, { peer: name, request, patienceMs }: EffectOf<"askPeer">): void {
    const { service, ...data } = request;
    const sent = this.#encodes ? encode({ service, data }) : request;
    const peer = this.servers.find((candidate) => candidate.name === name);
    let isOpen = true;
    const { life } = server;
    const settle = (answer: CoordinationAnswer | undefined) => {
      if (isOpen && server.life === life) {
        this.#step(server, { type: "coordinationAnswer", from: name, request, answer });
      }
      isOpen = false;
    };
    this.#later(server, patienceMs, () => settle(undefined));
    if (peer === undefined) return;
    this.network.send({ wire: "peer", from: server.name, to: name }, () => {
      const peerLife = peer.life;
      const to: AnswerPeer = (answer) => {
        if (peer.life !== peerLife) return;
        const { service: answered, ...fields } = answer;
        const reply = this.#encodes ? encode({ service: answered, data: fields }) : answer;
        this.network.send({ wire: "peer", from: name, to: server.name }, () => {
          settle(reply instanceof Uint8Array ? parseCoordinationAnswer(reply) : reply);
        });
      };
      const asked = sent instanceof Uint8Array ? parsePeerRequest(sent) : sent;
      this.#step(peer, { type: "coordinationRequest", to, request: asked as CoordinationRequest });
    });
  }

  #heartbeat(server: VirtualServer, { report, clock }: EffectOf<"heartbeat">): void {
    const { time } = this;
    const untilMs = time.nowMs + durations.viewAnswerMs;
    this.#askReference(server, { service: "heartbeat", data: { ...report, clock } }, (fields) => {
      const reply = this.#encodes ? parseHeartbeatReply(fields) : (fields as never);
      const take = () => {
        if (time.nowMs < untilMs) this.#step(server, { type: "referenceReply", reply });
      };
      if (server.frozen === undefined) take();
      else server.frozen.push(take);
    });
  }

  // ---- saved states -------------------------------------------------------------------------------

  /**
   * Saves the state as the shell does: frozen now, the journal cut at the same instant, written a few
   * lines a millisecond, in place only once all is synced.
   */
  save(server: VirtualServer, { linesAtOnce = 50, kept = 0 } = {}): void {
    if (!server.isRunning || server.isSaving) return;
    server.isSaving = true;
    const { disk } = server;
    const { files, rows, mark } = server.core.checkpoint();
    const cut = disk.appended;
    const written = new Map(files.map(({ name }) => [name, [] as string[]]));
    const savedRows: string[] = [];
    const writers = files.map(({ name, lines }) => {
      return { from: lines[Symbol.iterator](), to: written.get(name) as string[] };
    });
    writers.push({ from: rows[Symbol.iterator](), to: savedRows });
    const write = () => {
      for (let count = 0; count < linesAtOnce; count += 1) {
        const next = writers[0]?.from.next();
        if (next === undefined) return finish();
        if (next.done === true) writers.shift();
        else writers[0]?.to.push(next.value);
      }
      this.#later(server, 1, write);
    };
    const finish = () => {
      if (disk.synced < cut) return this.#later(server, 1, finish);
      this.#later(server, server.syncMs, () => {
        server.isSaving = false;
        disk.save({ mark, files: written, rows: savedRows }, cut, kept);
      });
    };
    write();
  }

  /** Page by page from one frozen state; a page that does not come three times ends it. */
  #fetchSnapshot(server: VirtualServer, { peer: name }: EffectOf<"fetchSnapshot">): void {
    const { life } = server;
    const peer = this.servers.find((candidate) => candidate.name === name);
    const fail = () => this.#step(server, { type: "snapshotFailed", from: name });
    let state: SavedFiles | undefined;
    let source: { readonly life: number } | undefined;
    const ask = (page: number, tries: number) => {
      let isOpen = true;
      const settle = (run: () => void) => {
        if (isOpen && server.life === life) run();
        isOpen = false;
      };
      this.#later(server, durations.peerRequestMs, () => {
        settle(() => (tries < 3 ? ask(page, tries + 1) : fail()));
      });
      this.network.send({ wire: "peer", from: server.name, to: name }, () => {
        if (peer?.isRunning !== true) return;
        // Files stay open as long as the process lives.
        state ??= peer.disk.givesState;
        source ??= { life: peer.life };
        const isHeld = state !== undefined && source.life === peer.life;
        this.network.send({ wire: "peer", from: name, to: server.name }, () => {
          settle(() => {
            if (!isHeld) return fail();
            if (page < snapshotPages) return ask(page + 1, 1);
            this.#later(server, server.syncMs, () => this.#install(server, state as SavedFiles));
          });
        });
      });
    };
    ask(1, 1);
  }

  /** Begins anew with what was fetched: a new core from the disk. */
  #install(server: VirtualServer, state: SavedFiles): void {
    // One that came before must first stand in the server's own.
    if (server.isSaving || !server.disk.isWhole) {
      return this.#later(server, 1, () => this.#install(server, state));
    }
    // The journal is closed before: all that was appended is in it.
    server.disk.write();
    server.disk.keepFetched(state);
    server.inRotation = false;
    this.start(server);
  }
}

const snapshotPages = 3;

type AnswerPeer = (answer: CoordinationAnswer) => void;
type AnswerSync = (summary: ReplicaSummary, since: Vector) => void;

function encodeReplication(message: ReplicationMessage): Uint8Array {
  if (message.type !== "events") return encode(message);
  const { lines, ...rest } = message;
  return encode({ ...rest, events: writeLines(lines) });
}

function encodeSyncAnswer({ lines, ...rest }: SyncAnswer): Uint8Array {
  return encode({ service: "sync", data: { ...rest, events: writeLines(lines) } });
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
export function checkpointText(server: Pick<VirtualServer, "core">): string {
  const { files, rows, mark } = server.core.checkpoint();
  const texts = files.map(({ name, lines }) => `${name}\n${[...lines].join("")}`);
  return `${texts.join("")}${[...rows].join("\n")}${JSON.stringify(mark)}`;
}

/** As a password's credential stands in an event. */
export function hashOf(password: string): string {
  return `hash of ${password}`;
}
