import { ProtocolError } from "../../protocol/errors.ts";
import type { Digest, EventLine } from "../../protocol/event.ts";
import type { ServerName } from "../../protocol/ids.ts";
import type { LamportClock } from "../../protocol/lamport-clock.ts";
import { durations, limits } from "../../protocol/limits.ts";
import type {
  HeartbeatReport,
  Incoming,
  Listed,
  ReplicationMessage,
  Standing,
  SyncAnswer,
  View,
} from "../../protocol/messages.ts";
import {
  covers,
  lag,
  type MutableVector,
  raise,
  sorted,
  type Vector,
} from "../../protocol/vector.ts";
import { CatchUp } from "./catch-up.ts";
import { ChatState } from "./chat-state.ts";
import type { Effect, Input, Now, ReplyTo } from "./effects.ts";
import { stateFiles } from "./files.ts";
import { decide, isRefused, type Services, type WaitingCover } from "./handle-request.ts";
import { Ledger } from "./ledger.ts";
import { Outbox } from "./outbox.ts";
import { type Peer, Replication } from "./replication.ts";
import { type Answer, PayloadReply, type Pending } from "./requests.ts";
import { WaitingWrites } from "./waiting-writes.ts";

export interface CoreOptions {
  readonly name: ServerName;
  readonly clock: LamportClock;
  readonly digest: Digest;
  /** Where the peers reach this server's peer link. */
  readonly address: string;
}

/** What a stopping server waits for a moment with nothing open before it refuses what is new. */
const patienceMs = 250;

/** What a stopping server has heard since it finished what it took in. */
interface Stop {
  readonly leave: boolean;
  readonly sinceMs: number;
  settledMs?: number;
  readonly heard: Set<ServerName>;
  /** What those heard had on disk then: it leaves with all of it. */
  readonly target: MutableVector;
}

/**
 * One server, without its sockets, files and timers: inputs in, effects out. The shell and the
 * simulation both drive it: performed in the order given, nothing is spoken before it is durable.
 */
export class ServerCore {
  readonly name: ServerName;
  readonly clock: LamportClock;
  readonly state = new ChatState();
  readonly ledger: Ledger;
  readonly replication: Replication;
  readonly catchUp: CatchUp;
  /** Requests whose clock was missing, no integer or too far ahead (W4). */
  disbelievedClocks = 0;
  served = 0;
  readonly #address: string;
  readonly #writes: WaitingWrites;
  readonly #outbox: Outbox;
  readonly #services: Services;
  #covers: WaitingCover[] = [];
  #effects: Effect[] = [];
  /** In the rotation: the way back to clients is there. */
  #joined = false;
  /** In the rotation only until the open requests are answered. */
  #refuses = false;
  #list: readonly Listed[] = [];
  #firstViewAllowed = false;
  #stop: Stop | undefined;
  #stopped = false;
  #leaveAskedMs = Number.NEGATIVE_INFINITY;
  #heartbeatMs = Number.NEGATIVE_INFINITY;
  #rate = 0;
  #rateMark = { served: 0, steadyMs: 0 };
  #diverged = new Set<ServerName>();
  #aloneSince: number | undefined;

  constructor({ name, clock, digest, address }: CoreOptions) {
    this.name = name;
    this.clock = clock;
    this.#address = address;
    this.ledger = new Ledger(name, this.clock, digest, this.state);
    this.replication = new Replication(name, this.ledger);
    this.catchUp = new CatchUp(name, this.ledger, this.replication);
    this.#outbox = new Outbox(name, this.state);
    this.#writes = new WaitingWrites(name, this.replication);
    this.#services = {
      name,
      state: this.state,
      ledger: this.ledger,
      replication: this.replication,
      status: (now) => this.#status(now),
      correctedMs: (now) => now.wallMs,
    };
  }

  /** Takes over what the disk held when the process began, before the first step. */
  recoverEvent(line: EventLine): void {
    this.ledger.recover(line);
    this.clock.receive(line.event.clock);
  }

  recoverView(view: View): void {
    this.replication.view = view;
  }

  /** The state's files as of now, and what they stand for. */
  checkpoint() {
    const { held, heldChains, highestClock } = this.ledger;
    const mark = { vector: sorted(held), chains: sortedKeys(heldChains), clock: highestClock };
    return { files: stateFiles(this.state), mark };
  }

  /** Whether the server takes clients' requests. */
  get isServing(): boolean {
    return this.#joined && !this.#refuses;
  }

  step(input: Input, now: Now): readonly Effect[] {
    this.#effects = [];
    this.#take(input, now);
    this.#advance(now);
    const lines = this.ledger.takeAppended();
    return lines.length === 0 ? this.#effects : [{ type: "append", lines }, ...this.#effects];
  }

  #take(input: Input, now: Now): void {
    switch (input.type) {
      case "requests":
        return this.#onRequests(input.to, input.batch, input.requests, now);
      case "flushed":
        return this.#onFlushed(input.count);
      case "viewSaved":
        return this.#onViewSaved(input.number, now);
      case "replication":
        return this.#onReplication(input.message, now);
      case "syncRequest":
        this.#hear(input.request, now);
        this.#effects.push({
          type: "answerSync",
          to: input.to,
          standing: this.#standing(),
          since: input.request.durable,
        });
        return;
      case "syncAnswer":
        return this.#onSyncAnswer(input.from, input.answer, now);
      case "syncFailed":
        return this.catchUp.failed(input.from);
      case "referenceReply":
        this.clock.receive(input.clock);
        this.#list = input.reply.list;
        this.#firstViewAllowed = !input.reply.waiting;
        this.#seeView(input.reply.view);
        return this.#meet(input.reply.list);
      case "left":
        return this.#finish();
      case "subscription":
        return this.#outbox.subscribe(input.topic, input.active);
      case "stop":
        return this.#onStop(input.leave, now);
      case "tick":
        return;
      default:
        input satisfies never;
    }
  }

  // ---- clients --------------------------------------------------------------------------------

  #onRequests(to: ReplyTo, batch: boolean, requests: readonly Incoming[], now: Now): void {
    let clock = 0;
    for (const request of requests) {
      if (request.clock === undefined) this.disbelievedClocks += 1;
      else if (request.clock > this.clock.value + limits.clockAhead) this.disbelievedClocks += 1;
      else clock = Math.max(clock, request.clock);
    }
    this.clock.receiveFromClient(clock);
    this.served += requests.length;
    const payload = new PayloadReply(to, batch, requests, this.name);
    for (const [index, request] of requests.entries()) {
      if (isRefused(request)) {
        const { code, description } = request.refused;
        payload.refuse(index, new ProtocolError(code, description));
      } else {
        this.#decide({ payload, index }, request, now, false);
      }
    }
    if (payload.isComplete) this.#effects.push(payload.effect(this.clock, now.wallMs));
  }

  #decide(
    pending: Pending,
    request: Incoming & { refused?: never },
    now: Now,
    waited: boolean,
  ): void {
    const { payload, index } = pending;
    const obstacle = request.service === "status" ? undefined : this.#whyNotServing();
    if (obstacle !== undefined) {
      return payload.refuse(index, new ProtocolError("unavailable", obstacle));
    }
    const decision = decide(this.#services, request, now, { waited, room: payload.room });
    switch (decision.next) {
      case "answer":
        return payload.answer(index, decision.answer);
      case "refuse":
        return payload.refuse(index, decision.error);
      case "wait": {
        const patienceMs = request.after === undefined ? durations.allMembersMs : durations.coverMs;
        const deadlineMs = now.steadyMs + patienceMs;
        this.#covers.push({ ...pending, request, until: decision.until, deadlineMs });
        return;
      }
      case "commit": {
        const { server, seq } = decision.event;
        if (decision.made) this.#outbox.add(decision.event, request);
        this.#writes.add({
          ...pending,
          server,
          seq,
          plain: request.after === undefined,
          deadlineMs: now.steadyMs + durations.commitMs,
          answer: decision.answer,
        });
        return;
      }
      default:
        decision satisfies never;
    }
  }

  /** Why no client can be served, if so: a sentence for the error reply. */
  #whyNotServing(): string | undefined {
    if (!this.isServing) {
      return this.#stop === undefined
        ? "This server has no quorum to serve with at the moment."
        : "This server is stopping.";
    }
    return this.#open < limits.pendingRequests
      ? undefined
      : "This server has too many open requests.";
  }

  get #open(): number {
    return this.#writes.size + this.#covers.length;
  }

  // ---- disk -----------------------------------------------------------------------------------

  /** Speaks of what is on disk now: own events to all, and how far this disk is. */
  #onFlushed(count: number): void {
    const own: string[] = [];
    for (const { event, line } of this.ledger.flushed(count)) {
      if (event.server === this.name) own.push(line);
    }
    if (own.length === 0) {
      this.#broadcast({ ...this.#standing(), type: "ack" });
      return;
    }
    for (const lines of inPages(own)) {
      this.#broadcast({ ...this.#standing(), type: "events", lines });
    }
  }

  #onViewSaved(number: number, now: Now): void {
    if (!this.replication.adopt(number)) return;
    const { view } = this.replication;
    this.#log("info", `View ${number}: ${view.members.join(", ")}`, { view });
    // Outside the view, being ready is to be earned anew, by what this view's members have.
    if (!this.replication.isMember) this.catchUp.restart();
    for (const peer of this.replication.peers.values()) {
      if (this.replication.isLive(peer.name, now.steadyMs)) this.catchUp.hear(peer);
    }
    this.#heartbeatMs = Number.NEGATIVE_INFINITY;
  }

  // ---- peers ----------------------------------------------------------------------------------

  #standing(): Standing {
    return {
      server: this.name,
      clock: this.clock.tick(),
      view: this.replication.view,
      durable: this.ledger.snapshot(),
    };
  }

  #broadcast(message: ReplicationMessage): void {
    this.#effects.push({ type: "broadcast", message });
  }

  /** A higher view is seen before the vector that came with it is counted. */
  #hear(standing: Standing, now: Now): Peer {
    this.clock.receive(standing.clock);
    this.#seeView(standing.view);
    const peer = this.replication.hear(standing, now.steadyMs);
    this.catchUp.hear(peer);
    if (this.#stop?.settledMs !== undefined && !this.#stop.heard.has(peer.name)) {
      this.#stop.heard.add(peer.name);
      raise(this.#stop.target, peer.durable);
    }
    return peer;
  }

  #seeView(view: View): void {
    if (this.replication.see(view)) this.#effects.push({ type: "saveView", view });
  }

  /** Learns where listed servers are. */
  #meet(list: readonly Listed[]): void {
    for (const { name, role, address } of list) {
      if (role !== "server" || name === this.name) continue;
      this.replication.peer(name as ServerName).address = address;
    }
  }

  #onReplication(message: ReplicationMessage, now: Now): void {
    if (message.server === this.name) return;
    const peer = this.#hear(message, now);
    peer.broadcastMs = now.steadyMs;
    if (message.type === "events") this.#receive(peer.name, message.lines);
    if (message.type !== "heartbeat") return;
    // Who stops waits for a word of everybody: it comes at once.
    const stops = message.phase === "draining" || message.phase === "settled";
    if (stops && peer.phase !== message.phase) this.#heartbeatMs = Number.NEGATIVE_INFINITY;
    peer.address = message.address;
    peer.phase = message.phase;
    peer.rate = message.rate;
    const diverged = this.replication.divergence(message);
    if (diverged === undefined || this.#diverged.has(diverged)) return;
    this.#diverged.add(diverged);
    this.#log("error", `The events of ${diverged} differ from those that ${peer.name} holds`, {
      seq: message.durable[diverged],
      ours: this.ledger.durableChains[diverged],
      theirs: message.chains[diverged],
    });
  }

  #onSyncAnswer(from: ServerName, answer: SyncAnswer, now: Now): void {
    this.#hear(answer, now);
    this.#receive(from, answer.lines);
    this.catchUp.answered(from, answer.lines.length, answer.more);
  }

  #receive(from: ServerName, lines: readonly string[]): void {
    for (const line of lines) {
      const { outcome, problem } = this.ledger.receive(line);
      if (outcome === "gap") {
        this.catchUp.sawGap(from);
        return;
      }
      if (outcome === "broken") {
        this.#log("error", `A line from ${from} was refused: ${problem}`);
        return;
      }
    }
  }

  // ---- after every step -----------------------------------------------------------------------

  #advance(now: Now): void {
    if (this.replication.count()) {
      for (const effect of this.#outbox.publish(this.replication.committed)) {
        this.#effects.push(effect);
      }
    }
    this.#answerWrites(now);
    if (this.#covers.length > 0) this.#answerCovered(now);
    this.#advancePhase(now);
    for (const peer of this.catchUp.due(now.steadyMs)) {
      this.#effects.push({
        type: "askSync",
        peer: peer.name,
        address: peer.address,
        request: { service: "sync", ...this.#standing() },
      });
    }
    if (now.steadyMs - this.#heartbeatMs >= durations.heartbeatMs) this.#heartbeat(now);
    if (this.#stop !== undefined) this.#advanceStop(now);
  }

  #answerWrites(now: Now): void {
    for (const write of this.#writes.due(now.steadyMs)) {
      const { payload, index } = write;
      if (write.committed) payload.answer(index, write.answer());
      else payload.refuse(index, noQuorum());
      if (payload.isComplete) this.#effects.push(payload.effect(this.clock, now.wallMs));
    }
  }

  #answerCovered(now: Now): void {
    const open = this.#covers;
    this.#covers = [];
    for (const waiting of open) {
      const covered = covers(this.replication.committed, waiting.until);
      if (!covered && now.steadyMs < waiting.deadlineMs) {
        this.#covers.push(waiting);
        continue;
      }
      this.#decide(waiting, waiting.request, now, true);
      const { payload } = waiting;
      if (payload.isComplete) this.#effects.push(payload.effect(this.clock, now.wallMs));
    }
  }

  /** Steps into the rotation and out of it. */
  #advancePhase(now: Now): void {
    const { replication, catchUp } = this;
    const quorum = replication.view.number > 0 && replication.hasLiveQuorum(now.steadyMs);
    if (catchUp.phase === "live" && replication.view.number > 0 && !quorum) {
      this.#log("warn", "No quorum was heard for 1.5 s: out of the rotation", {
        missing: this.#missing(now),
      });
      catchUp.restart();
    }
    this.#nameMissing(quorum, now);
    const blocked = replication.view.number === 0 ? !this.#firstViewAllowed : !quorum;
    if (!blocked && catchUp.advance()) {
      this.#outbox.begin(replication.committed);
      this.#heartbeatMs = Number.NEGATIVE_INFINITY;
    }
    const wanted =
      catchUp.phase === "live" && replication.isMember && quorum && this.#stop === undefined;
    // A server that stops goes at the first moment with nothing open; under load it makes one.
    const patient = this.#stop !== undefined && now.steadyMs - this.#stop.sinceMs < patienceMs;
    this.#refuses = !wanted && !patient;
    const joined = wanted || (this.#joined && this.#open > 0);
    if (joined === this.#joined) return;
    this.#joined = joined;
    this.#effects.push({ type: "rotation", joined });
    this.#log("info", joined ? "In the rotation" : "Out of the rotation");
  }

  #missing(now: Now): ServerName[] {
    const { view } = this.replication;
    return view.members.filter((member) => !this.replication.isLive(member, now.steadyMs));
  }

  /** Says once who must come back before the cluster serves. */
  #nameMissing(quorum: boolean, now: Now): void {
    if (quorum || this.replication.view.number === 0) {
      this.#aloneSince = undefined;
      return;
    }
    this.#aloneSince ??= now.steadyMs;
    if (now.steadyMs - this.#aloneSince < durations.commitMs) return;
    this.#aloneSince = Number.POSITIVE_INFINITY;
    this.#log("warn", `No quorum: waiting for ${this.#missing(now).join(", ")}`);
  }

  #heartbeat(now: Now): void {
    this.#heartbeatMs = now.steadyMs;
    const elapsedMs = now.steadyMs - this.#rateMark.steadyMs;
    if (elapsedMs >= 1_000) {
      this.#rate = Math.round(((this.served - this.#rateMark.served) * 1_000) / elapsedMs);
      this.#rateMark = { served: this.served, steadyMs: now.steadyMs };
    }
    this.#broadcast({
      ...this.#standing(),
      type: "heartbeat",
      address: this.#address,
      phase: this.catchUp.phase,
      chains: { ...this.ledger.durableChains },
      rate: this.#rate,
    });
    const report: HeartbeatReport = {
      user: this.name,
      address: this.#address,
      role: "server",
      view: this.replication.view,
      durable: this.ledger.snapshot(),
      ready: this.catchUp.phase === "live" && !this.#stop?.leave,
    };
    this.#effects.push({ type: "heartbeat", report, clock: this.clock.tick() });
  }

  // ---- the end (R11) ----------------------------------------------------------------------------

  #onStop(leave: boolean, now: Now): void {
    if (this.#stop !== undefined) return;
    this.#stop = { leave, sinceMs: now.steadyMs, heard: new Set(), target: {} };
    this.catchUp.phase = "draining";
    this.#heartbeatMs = Number.NEGATIVE_INFINITY;
    this.#log("info", "Stopping: finishing what was taken in");
  }

  #advanceStop(now: Now): void {
    const stop = this.#stop;
    if (stop === undefined || this.#stopped) return;
    const open = this.#joined || this.#open > 0 || !this.ledger.allDurable;
    const drained = !open || now.steadyMs - stop.sinceMs > durations.drainMs;
    if (this.catchUp.phase === "draining" && drained) {
      this.catchUp.phase = "settled";
      stop.settledMs = now.steadyMs;
      this.#heartbeat(now);
    }
    if (stop.settledMs === undefined) return;
    const tired = now.steadyMs - stop.settledMs > durations.settleMs;
    if (!tired && !this.#isSettledWithPeers(stop, now)) return;
    // The last member never leaves: it is who must come back.
    const { members } = this.replication.view;
    if (!stop.leave || members.every((member) => member === this.name)) return this.#finish();
    if (now.steadyMs - stop.settledMs > durations.leaveMs) {
      this.#log("warn", "Still in the view: the reference gave no leave in time");
      return this.#finish();
    }
    if (now.steadyMs - this.#leaveAskedMs < 2 * durations.pollMs) return;
    this.#leaveAskedMs = now.steadyMs;
    this.#effects.push({ type: "leave", clock: this.clock.tick() });
  }

  /**
   * Whether each live member has been heard, they have all that this server has, and it has what
   * they had when heard; from those that stop too, all that they will ever have. Then the files of
   * a cluster that is stopped as a whole are equal.
   */
  #isSettledWithPeers({ heard, target }: Stop, now: Now): boolean {
    const { durable } = this.ledger;
    return this.replication.liveMembers(now.steadyMs).every((member) => {
      if (member === this.name) return covers(durable, target);
      const peer = this.replication.peer(member);
      if (!heard.has(member) || peer.phase === "draining") return false;
      if (peer.phase === "settled" && !covers(durable, peer.durable)) return false;
      return covers(peer.durable, durable);
    });
  }

  #finish(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#effects.push({ type: "stopped" });
  }

  // ---- what a person asks ------------------------------------------------------------------------

  #status(now: Now): Answer {
    const { replication } = this;
    const all: Vector = this.#everything();
    const known = new Map(this.#list.map((listed) => [listed.name, listed]));
    const names = new Set<ServerName>([this.name, ...replication.peers.keys()]);
    const members = [...names].sort().map((name) => {
      const peer = replication.peers.get(name);
      const own = name === this.name;
      return {
        name,
        rank: known.get(name)?.rank ?? null,
        address: own ? this.#address : (peer?.address ?? ""),
        member: replication.view.members.includes(name),
        live: replication.isLive(name, now.steadyMs),
        phase: own ? this.catchUp.phase : peer?.phase,
        lag: lag(replication.durableOf(name), all),
        durable: replication.durableOf(name),
        clock: own ? this.clock.value : peer?.clock,
        offsetMs: 0,
        rate: own ? this.#rate : peer?.rate,
      };
    });
    return {
      members,
      processes: this.#list,
      coordinator: null,
      epoch: null,
      view: replication.view,
      committed: { ...replication.committed },
      disbelievedClocks: this.disbelievedClocks,
    };
  }

  /** The join of all that anybody is known to have. */
  #everything(): Vector {
    const all = { ...this.ledger.durable };
    for (const peer of this.replication.peers.values()) raise(all, peer.durable);
    return all;
  }

  #log(
    level: "info" | "warn" | "error",
    text: string,
    fields?: Readonly<Record<string, unknown>>,
  ): void {
    this.#effects.push({ type: "log", level, text, ...(fields ? { fields } : {}) });
  }
}

function noQuorum(): ProtocolError {
  return new ProtocolError(
    "unavailable",
    `No majority of the servers had it on disk within ${durations.commitMs} ms; it may still spread.`,
  );
}

function sortedKeys<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Splits lines so that each message stays well below a frame. */
function* inPages(lines: string[]): Generator<string[]> {
  let page: string[] = [];
  let bytes = 0;
  for (const line of lines) {
    page.push(line);
    bytes += 3 * line.length;
    if (bytes < limits.pageBytes) continue;
    yield page;
    page = [];
    bytes = 0;
  }
  if (page.length > 0) yield page;
}
