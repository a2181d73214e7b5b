import type { Ballot, Epoch } from "../../protocol/epoch.ts";
import type { Digest, EventLine } from "../../protocol/event.ts";
import { isServerName, type ServerName } from "../../protocol/ids.ts";
import type { LamportClock } from "../../protocol/lamport-clock.ts";
import { durations, limits } from "../../protocol/limits.ts";
import type { Heads, Mark } from "../../protocol/mark.ts";
import type {
  ClaimOutcome,
  HeartbeatReport,
  Listed,
  OfficeAnswer,
  OfficeRequest,
  Phase,
  RefusedMessages,
  ReplicationMessage,
  Standing,
  SyncAnswer,
  View,
} from "../../protocol/messages.ts";
import type { TopicKey } from "../../protocol/sealed.ts";
import { sorted } from "../../protocol/vector.ts";
import type { Auth } from "./accounts/access.ts";
import { Accounts } from "./accounts/accounts.ts";
import { Claims } from "./accounts/claims.ts";
import { Passwords } from "./accounts/passwords.ts";
import { ChatState, type Retention } from "./chat/chat-state.ts";
import { Presence } from "./chat/presence.ts";
import { Publications } from "./chat/publisher.ts";
import { Acceptor, type Proposal } from "./coordinator/acceptor.ts";
import { ClockSync } from "./coordinator/clock-sync.ts";
import { Election } from "./coordinator/election.ts";
import { Offices } from "./coordinator/offices.ts";
import type { Effect, Input, Now, ReplyTo } from "./effects.ts";
import { type EventData, factsOf } from "./facts.ts";
import { CatchUp } from "./replica/catch-up.ts";
import { Facts } from "./replica/fact.ts";
import { Ledger, type LedgerOf } from "./replica/ledger.ts";
import { Rate } from "./replica/rate.ts";
import { type Peer, Replication } from "./replica/replication.ts";
import type { FrozenState, SavedState } from "./replica/state-machine.ts";
import { describeCluster } from "./replica/status.ts";
import { Stopping } from "./replica/stopping.ts";
import { Flood, type FloodPaces } from "./serving/flood.ts";
import type { Answer } from "./serving/payload-reply.ts";
import { Serving } from "./serving/serving.ts";

export interface CoreOptions {
  readonly name: ServerName;
  readonly clock: LamportClock;
  readonly digest: Digest;
  /** Where the peers reach this server's peer link. */
  readonly address: string;
  readonly retention?: Retention;
  /** Counted by the shell, which alone sees them (X1). */
  readonly refused?: Readonly<RefusedMessages>;
  readonly auth?: Auth;
  readonly flood?: FloodPaces;
  /** The key of a sealed publication, as text (X5). */
  topicKey?(of: TopicKey): string;
  readonly publisher?: string;
}

/**
 * One server, without its sockets, files and timers: inputs in, effects out. The shell and the
 * simulation both drive it: performed in the order given, nothing is spoken before it is durable.
 */
export class ServerCore {
  readonly name: ServerName;
  readonly clock: LamportClock;
  readonly offices = new Offices();
  readonly accounts = new Accounts(this.offices);
  readonly state: ChatState;
  readonly ledger: LedgerOf<EventData> & Ledger;
  readonly replication: Replication;
  readonly catchUp: CatchUp;
  readonly election: Election;
  readonly clockSync: ClockSync;
  readonly #refused: Readonly<RefusedMessages>;
  readonly #acceptor: Acceptor;
  readonly #claims: Claims;
  readonly #passwords = new Passwords();
  readonly #address: string;
  readonly #facts: Facts;
  readonly #publications: Publications;
  readonly #serving: Serving;
  readonly #presence: Presence;
  readonly #rate = new Rate();
  #effects: Effect[] = [];
  /** In the rotation: the way back to clients is there. */
  #joined = false;
  /** In the rotation only until the open requests are answered. */
  #refuses = false;
  #list: readonly Listed[] = [];
  readonly #ranks = new Map<string, number>();
  #office: Epoch | undefined;
  #firstViewAllowed = false;
  #stopping: Stopping | undefined;
  #stopped = false;
  #heartbeatMs = Number.NEGATIVE_INFINITY;
  #diverged = new Set<ServerName>();
  #aloneSince: number | undefined;
  #isRecovered = false;
  /** Whether this disk lost what it had: then nothing is said of it (J5). */
  #owes = false;
  #snapshot: { readonly from: ServerName; isAsked: boolean } | undefined;
  #contradicted = false;

  constructor(options: CoreOptions) {
    const { name, clock, digest, address, retention, refused, auth = "open" } = options;
    const { flood = { user: undefined, connection: undefined } } = options;
    const { topicKey = () => "", publisher = "" } = options;
    this.name = name;
    this.#refused = refused ?? { forged: 0, stale: 0 };
    this.clock = clock;
    this.state = new ChatState(retention);
    this.#address = address;
    const { offices, accounts } = this;
    this.#facts = new Facts(factsOf({ offices, accounts, chat: this.state }));
    this.ledger = new Ledger(name, this.clock, digest, this.#facts);
    this.replication = new Replication(name, this.ledger);
    this.catchUp = new CatchUp(name, this.ledger, this.replication);
    this.#publications = new Publications({ name, state: this.state, accounts, auth });
    const { state, ledger, replication, catchUp } = this;
    const standing = () => this.#standing();
    this.clockSync = new ClockSync({ name, replication, standing });
    const correctedMs = (now: Now) => this.clockSync.correctedMs(now);
    this.#acceptor = new Acceptor({ name, ledger, replication, catchUp, offices });
    const parts = { name, clock, offices, accounts, ledger, replication, standing, correctedMs };
    this.election = new Election({
      ...parts,
      catchUp,
      acceptor: this.#acceptor,
      rank: (server) => this.#ranks.get(server) ?? 0,
      log: (level, text, fields) => this.#log(level, text, fields),
    });
    const passwords = this.#passwords;
    this.#claims = new Claims({ ...parts, auth, passwords, election: this.election });
    const status = (now: Now) => this.#status(now);
    this.#presence = new Presence(name);
    this.#serving = new Serving({
      services: {
        ...parts,
        state,
        presence: this.#presence,
        digest,
        auth,
        topicKey,
        publisher,
        status,
      },
      publications: this.#publications,
      claims: this.#claims,
      passwords,
      flood: new Flood(flood, auth),
    });
  }

  // Before the first step, what the disk held is taken over: saved states, then events. The first
  // input is `recovered`.

  /** @throws Error if the saved state is damaged */
  recoverState(saved: SavedState, mark: Mark): void {
    this.ledger.recoverSaved(saved, mark);
    this.clock.receive(mark.clock);
  }

  /** An event that the state has already is passed over. */
  recoverEvent(line: EventLine): void {
    const { server, seq, clock } = line.event;
    if (seq <= (this.ledger.held[server] ?? 0)) return;
    this.ledger.recover(line);
    this.clock.receive(clock);
  }

  /** What this disk once had and lost (J5), and what is still whole of it. */
  recoverOwed(heads: Heads, spare: Iterable<EventLine> = []): void {
    this.ledger.owe(heads, spare);
    this.#owes = this.ledger.owes;
  }

  /** What this server has promised: the view it adopted, and the highest epoch. */
  recoverPromises(view: View, ballot: Ballot): void {
    this.replication.view = view;
    this.#acceptor.recover(ballot);
  }

  /** The state as of now, and what it stands for. */
  checkpoint(): FrozenState & { readonly mark: Mark } {
    return { ...this.#facts.freeze(), mark: this.mark };
  }

  get mark(): Mark {
    const { held, heldChains, heldTimes, highestClock } = this.ledger;
    return {
      vector: sorted(held),
      chains: sortedKeys(heldChains),
      clock: highestClock,
      times: sortedKeys(heldTimes),
      epoch: this.offices.highestEpoch,
    };
  }

  /** The highest epoch that this server has promised, and to whom. */
  get promised(): Ballot {
    return this.#acceptor.promised;
  }

  /** Requests whose clock was not believed (W4). */
  get disbelievedClocks(): number {
    return this.#serving.disbelievedClocks;
  }

  /** Whether the server takes clients' requests. */
  get isServing(): boolean {
    return this.#joined && !this.#refuses;
  }

  step(input: Input, now: Now): readonly Effect[] {
    // What is not yet synced again is not to be spoken of (R2).
    if (!this.#isRecovered && input.type !== "recovered") return [];
    this.#effects = [];
    this.#take(input, now);
    if (this.#owes) this.ledger.takeSpare();
    this.#advance(now);
    const lines = this.ledger.takeAppended();
    return lines.length === 0 ? this.#effects : [{ type: "append", lines }, ...this.#effects];
  }

  #take(input: Input, now: Now): void {
    switch (input.type) {
      case "recovered":
        this.#isRecovered = true;
        return this.ledger.recovered();
      case "requests":
        this.#rate.add(input.requests.length);
        return this.#serving.take(input, this.#refusal(), now);
      case "flushed":
        return this.#onFlushed(input.count);
      case "viewSaved":
        return this.#onViewSaved(input.number, now);
      case "replication":
        return this.#onReplication(input.message, now);
      case "syncRequest":
        this.#hear(input.request, now);
        if (this.#owes) return;
        this.#effects.push({
          type: "answerSync",
          to: input.to,
          from: input.request.server,
          standing: this.#standing(),
          since: input.request.durable,
        });
        return;
      case "syncAnswer":
        return this.#onSyncAnswer(input.from, input.answer, now);
      case "syncFailed":
        return this.catchUp.failed(input.from);
      case "snapshotFailed":
        this.#snapshot = undefined;
        return this.catchUp.failed(input.from);
      case "officeRequest":
        return this.#onOfficeRequest(input.to, input.request, now);
      case "officeAnswer":
        return this.#onOfficeAnswer(input, now);
      case "peerLost":
        return this.#do(this.election.lost(input.from, now));
      case "promiseSaved":
        return this.#acceptor.saved(input.ballot);
      case "passwordDone":
        return this.#passwords.settle(input.number, input.result);
      case "referenceReply":
        this.#list = input.reply.list;
        this.#noteRanks();
        this.#firstViewAllowed = !input.reply.waiting;
        this.#seeView(input.reply.view);
        return this.#meet(input.reply.list, now);
      case "left":
        return this.#finish();
      case "subscription":
        return this.#publications.subscribe(input.topic, input.active);
      case "stop":
        return this.#onStop(input.leave, now);
      case "tick":
        return;
      default:
        input satisfies never;
    }
  }

  /** Why no client can be served, if so: a sentence for the error reply. */
  #refusal(): string | undefined {
    if (this.isServing) return undefined;
    return this.#stopping === undefined
      ? "This server has no quorum to serve with at the moment."
      : "This server is stopping.";
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
      office: this.election.office,
    };
  }

  #do(effects: Iterable<Effect>): void {
    for (const effect of effects) this.#effects.push(effect);
  }

  #broadcast(message: ReplicationMessage): void {
    if (this.#owes) return;
    this.#effects.push({ type: "broadcast", message });
  }

  /** A higher view is seen before the vector that came with it is counted. */
  #hear(standing: Standing, now: Now, phase?: Phase): Peer {
    this.clock.receive(standing.clock);
    this.#seeView(standing.view);
    const peer = this.replication.hear(standing, now.steadyMs);
    this.catchUp.hear(peer);
    this.#stopping?.hear(peer);
    this.election.hear(standing, phase ?? peer.phase, now);
    return peer;
  }

  /** A member may be missing in the list while the reference misses it: its rank stays known. */
  #noteRanks(): void {
    const { members } = this.replication.view;
    for (const name of this.#ranks.keys()) {
      if (!(members as readonly string[]).includes(name)) this.#ranks.delete(name);
    }
    for (const { name, rank } of this.#list) this.#ranks.set(name, rank);
  }

  #seeView(view: View): void {
    if (this.replication.see(view)) this.#effects.push({ type: "saveView", view });
    const known = this.replication.view;
    if (view.number !== known.number || sameMembers(view, known) || this.#contradicted) return;
    this.#contradicted = true;
    this.#log("error", `There are two views with the number ${view.number}`, { view, known });
  }

  /** Learns where listed servers are. */
  #meet(list: readonly Listed[], now: Now): void {
    const { members } = this.replication.adopting ?? this.replication.view;
    for (const { name, role, address, isKnown } of list) {
      if (role !== "server" || !isKnown || name === this.name || !isServerName(name)) continue;
      // Who is outside the view makes itself known on `replication`.
      if (!members.includes(name) && !this.replication.peers.has(name)) continue;
      const peer = this.replication.peer(name);
      peer.address = address;
      peer.metMs = now.steadyMs;
    }
  }

  #onReplication(message: ReplicationMessage, now: Now): void {
    if (message.server === this.name) return;
    const phase = message.type === "heartbeat" ? message.phase : undefined;
    const peer = this.#hear(message, now, phase);
    peer.broadcastMs = now.steadyMs;
    if (message.type === "events") this.#receive(peer.name, message.lines);
    if (message.type === "presence") this.#presence.learn(peer.name, message.heard, now.steadyMs);
    if (message.type !== "heartbeat") return;
    // Who stops waits for a word of everybody: it comes at once.
    const stops = message.phase === "draining" || message.phase === "settled";
    if (stops && peer.phase !== message.phase) this.#heartbeatMs = Number.NEGATIVE_INFINITY;
    if (message.phase === "live" && peer.phase !== "live") this.#presence.tellAll();
    peer.address = message.address;
    peer.phase = message.phase;
    peer.rate = message.rate;
    peer.offsetMs = message.offsetMs;
    peer.lastCorrectionMs = message.lastCorrectionMs;
    peer.clockRounds = message.clockRounds;
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
    if (answer.compacted && this.#snapshot === undefined && this.#stopping === undefined) {
      this.#log("info", `Too far behind: fetches the saved state of ${from}`);
      this.#snapshot = { from, isAsked: false };
      this.catchUp.restart();
    }
    const appended = this.#receive(from, answer.lines);
    this.catchUp.answered(from, appended, answer.more);
  }

  // ---- the office and its claims ------------------------------------------------------------------

  #onOfficeRequest(to: ReplyTo, request: OfficeRequest, now: Now): void {
    this.#hear(request, now);
    // Who lost something promises and accepts nothing.
    if (this.#owes) return;
    const answer = (fields: Unanswered) => {
      const full = { ...this.#standing(), ...fields } as OfficeAnswer;
      return { type: "answerPeer", to, answer: full } as const;
    };
    switch (request.service) {
      case "election":
        this.#do(this.election.onElection(request.epoch, now));
        // Who is answered waits: only who is in office or may come into it has a word in this.
        if (this.#stopping !== undefined || !this.election.mayLead(now)) return;
        this.#effects.push(answer({ service: "election" }));
        return;
      case "candidate":
      case "accept":
        if (!this.election.believes(request.epoch)) return;
        return this.#acceptor.ask(to, request as Proposal, now);
      case "forward":
        if (this.#claims.isFull) return;
        return this.#claims.add({
          ...request.claim,
          deadlineMs: now.steadyMs + durations.peerRequestMs,
          isForwarded: true,
          settle: ({ outcome, event, credential }) => {
            return answer({ service: "forward", outcome, seq: event?.seq, credential });
          },
        });
      case "clock": {
        // One that is no longer in office corrects nobody.
        if (this.election.leader?.name !== request.server) return;
        const isCorrected = this.clockSync.rounds > 0;
        const timeMs = this.clockSync.onRequest(request, now);
        this.#effects.push(answer({ service: "clock", timeMs, isCorrected }));
        return;
      }
      default:
        request satisfies never;
    }
  }

  #onOfficeAnswer(input: Input & { type: "officeAnswer" }, now: Now): void {
    const { from, request } = input;
    // At the address of one that is gone another may answer: it speaks for itself alone.
    const answer = input.answer?.server === from ? input.answer : undefined;
    if (answer !== undefined) this.#hear(answer, now);
    if (request.service === "forward") {
      this.#do(this.#claims.onForwarded({ from, claim: request.claim, answer }, now));
    } else if (request.service === "clock") {
      this.#do(this.clockSync.onAnswer(from, request, answer, now));
    } else {
      this.#do(this.election.onAnswer(from, request, answer, now));
    }
  }

  /** The office before the claims: they count by what it is after this very step. */
  #advanceOffice(now: Now): void {
    const { election, clockSync } = this;
    for (const { to, ...verdict } of this.#acceptor.verdicts(this.#effects, now)) {
      const promised = this.#acceptor.spoken;
      const answer = { ...this.#standing(), ...verdict, promised };
      this.#effects.push({ type: "answerPeer", to, answer });
    }
    this.#do(election.advance(now, this.#stopping !== undefined));
    if (election.office !== this.#office) {
      this.#office = election.office;
      this.#heartbeatMs = Number.NEGATIVE_INFINITY;
    }
    this.#do(this.#claims.advance(now));
    this.#do(this.#passwords.advance());
    this.#do(clockSync.advance(now, this.#office !== undefined));
  }

  /** @returns how many of the lines were new */
  #receive(from: ServerName, lines: readonly string[]): number {
    let appended = 0;
    for (const line of lines) {
      const { outcome, problem } = this.ledger.receive(line);
      if (outcome === "gap") {
        this.catchUp.sawGap(from);
        return appended;
      }
      if (outcome === "broken") {
        this.#log("error", `A line from ${from} was refused: ${problem}`);
        return appended;
      }
      if (outcome === "appended") appended += 1;
    }
    return appended;
  }

  // ---- after every step -----------------------------------------------------------------------

  #advance(now: Now): void {
    if (this.replication.count()) {
      for (const effect of this.#publications.publish(this.replication.committed)) {
        this.#effects.push(effect);
      }
    }
    this.#advanceOffice(now);
    for (const reply of this.#serving.replies(now)) this.#effects.push(reply);
    this.#advanceRepair();
    this.#advancePhase(now);
    this.#advanceSnapshot();
    for (const peer of this.catchUp.due(now.steadyMs, this.#snapshot !== undefined)) {
      this.#effects.push({
        type: "askSync",
        peer: peer.name,
        address: peer.address,
        request: { service: "sync", ...this.#standing() },
      });
    }
    for (const heard of this.#presence.due(now.steadyMs)) {
      this.#broadcast({ ...this.#standing(), type: "presence", heard });
    }
    const { heartbeatMs, officeHeartbeatMs } = durations;
    const pauseMs = this.#office === undefined ? heartbeatMs : officeHeartbeatMs;
    if (now.steadyMs - this.#heartbeatMs >= pauseMs) this.#heartbeat(now);
    this.#advanceStop(now);
  }

  #advanceRepair(): void {
    if (!this.#owes || this.ledger.owes) return;
    this.#owes = false;
    this.#heartbeatMs = Number.NEGATIVE_INFINITY;
    this.#effects.push({ type: "repaired" });
    this.#log("info", "Repaired: what this disk had lost is there again");
  }

  /** Nobody waits for this server and all is on disk: only then may a new core take its place. */
  #advanceSnapshot(): void {
    if (this.#snapshot === undefined || this.#snapshot.isAsked) return;
    if (this.#joined || this.#serving.open > 0 || !this.ledger.allDurable) return;
    this.#snapshot.isAsked = true;
    const peer = this.replication.peer(this.#snapshot.from);
    this.#effects.push({ type: "fetchSnapshot", peer: peer.name, address: peer.address });
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
    const alone = replication.view.number === 0 ? !this.#firstViewAllowed : !quorum;
    const blocked = alone || this.#snapshot !== undefined;
    if (!blocked && catchUp.advance(now.steadyMs)) {
      this.#publications.begin(replication.committed);
      this.#heartbeatMs = Number.NEGATIVE_INFINITY;
    }
    const wanted =
      catchUp.phase === "live" && replication.isMember && quorum && this.#stopping === undefined;
    this.#refuses = !wanted && this.#stopping?.refuses(now) !== false;
    const joined = wanted || (this.#joined && this.#serving.open > 0);
    if (joined === this.#joined) return;
    this.#joined = joined;
    if (joined) this.#presence.tellAll();
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
    this.replication.forget(now.steadyMs);
    this.#broadcast({
      ...this.#standing(),
      type: "heartbeat",
      address: this.#address,
      phase: this.catchUp.phase,
      chains: { ...this.ledger.durableChains },
      rate: this.#rate.look(now.steadyMs),
      offsetMs: this.clockSync.rounds === 0 ? undefined : this.clockSync.offsetMs(now),
      lastCorrectionMs: this.clockSync.lastCorrectionMs,
      clockRounds: this.clockSync.rounds,
    });
    const report: HeartbeatReport = {
      user: this.name,
      address: this.#address,
      role: "server",
      view: this.replication.view,
      // Who lost something says nothing of its disk: rule (b) must not be told too little.
      durable: this.#owes ? undefined : this.ledger.snapshot(),
      ready: this.catchUp.phase === "live" && this.#stopping?.mayBeMember !== false,
      refused: this.#refused,
      disbelievedClocks: this.disbelievedClocks,
    };
    this.#effects.push({ type: "heartbeat", report, clock: this.clock.tick() });
  }

  // ---- the end (R11) ----------------------------------------------------------------------------

  #onStop(leave: boolean, now: Now): void {
    if (this.#stopping !== undefined) return;
    if (this.#owes) return this.#finish();
    this.#stopping = new Stopping(this, leave, now);
    this.#heartbeatMs = Number.NEGATIVE_INFINITY;
    this.#log("info", "Stopping: finishing what was taken in");
  }

  #advanceStop(now: Now): void {
    if (this.#stopped) return;
    const step = this.#stopping?.next(this.#joined || this.#serving.open > 0, now);
    switch (step) {
      case undefined:
      case "wait":
        return;
      case "say that it has settled":
        return this.#heartbeat(now);
      case "ask for leave":
        this.#effects.push({ type: "leave", clock: this.clock.tick() });
        return;
      case "finish":
        if (this.#stopping?.isLate) this.#log("warn", "Still in the view: no leave came in time");
        return this.#finish();
      default:
        step satisfies never;
    }
  }

  #finish(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#effects.push({ type: "stopped" });
  }

  // ---- what a person asks ------------------------------------------------------------------------

  #status(now: Now): Answer {
    const self = {
      name: this.name,
      address: this.#address,
      phase: this.catchUp.phase,
      clock: this.clock.value,
      rate: this.#rate.perSecond,
      disbelievedClocks: this.disbelievedClocks,
      refused: this.#refused,
      offsetMs: this.clockSync.offsetMs(now),
      lastCorrectionMs: this.clockSync.lastCorrectionMs,
      clockRounds: this.clockSync.rounds,
    };
    const leader = this.election.current(now);
    return describeCluster({ self, leader, list: this.#list }, this.replication, now);
  }

  #log(
    level: "info" | "warn" | "error",
    text: string,
    fields?: Readonly<Record<string, unknown>>,
  ): void {
    this.#effects.push({ type: "log", level, text, ...(fields ? { fields } : {}) });
  }
}

type Unanswered =
  | { readonly service: "election" }
  | {
      readonly service: "forward";
      readonly outcome: ClaimOutcome;
      readonly seq: number | undefined;
      readonly credential: string | undefined;
    }
  | { readonly service: "clock"; readonly timeMs: number; readonly isCorrected: boolean };

function sameMembers(a: View, b: View): boolean {
  return a.members.length === b.members.length && a.members.every((one) => b.members.includes(one));
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
