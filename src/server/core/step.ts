import type { Ballot, Epoch } from "../../protocol/epoch.ts";
import type { Digest, EventLine } from "../../protocol/event.ts";
import { type Chain, emptyChain, type ServerName } from "../../protocol/ids.ts";
import type { LamportClock } from "../../protocol/lamport-clock.ts";
import { durations } from "../../protocol/limits.ts";
import type { Heads, Mark } from "../../protocol/mark.ts";
import type { ReplicationMessage } from "../../protocol/peer-messages.ts";
import type { SelfReport } from "../../protocol/reference-messages.ts";
import type { View } from "../../protocol/view.ts";
import type { Auth } from "./accounts/access.ts";
import type { Accounts } from "./accounts/accounts.ts";
import { Passwords } from "./accounts/passwords.ts";
import type { ChatState, Retention } from "./chat/chat-state.ts";
import { Presence } from "./chat/presence.ts";
import { Publications } from "./chat/publications.ts";
import { Coordination } from "./coordination.ts";
import { Acceptor } from "./coordinator/acceptor.ts";
import { ClockSync } from "./coordinator/clock-sync.ts";
import type { CoordinatorTerms } from "./coordinator/coordinator-terms.ts";
import { Election } from "./coordinator/election.ts";
import { Deciding } from "./deciding.ts";
import type { DecisionLog } from "./decisions/decision-log.ts";
import { type Effect, Effects, type Input, type Now } from "./effects.ts";
import { type EventData, machineOf, newContent } from "./facts.ts";
import { type Figures, figuresOf } from "./figures.ts";
import type { CatchUp } from "./replica/catch-up.ts";
import type { Facts } from "./replica/fact.ts";
import type { Ledger, LedgerOf } from "./replica/ledger.ts";
import { Replica } from "./replica/replica.ts";
import type { Replication } from "./replica/replication.ts";
import { Rotation } from "./replica/rotation.ts";
import type { FrozenState, SavedState } from "./replica/state-machine.ts";
import { Reports } from "./reports.ts";
import { ownTables, type Tables } from "./services.ts";
import type { TopicKeySource } from "./serving/decision.ts";
import { Flood, type FloodPaces } from "./serving/flood.ts";
import { Serving } from "./serving/serving.ts";
import { replicaWaits } from "./serving/serving-parts.ts";
import { type StepMemory, Traces } from "./serving/traces.ts";

export interface CoreOptions {
  readonly name: ServerName;
  readonly clock: LamportClock;
  readonly digest: Digest;
  /** Random, and known to nobody else; a core that gets no requests needs none (Q18). */
  readonly chance?: Chain;
  /** The address at which the peers reach this server's peer link. */
  readonly address: string;
  readonly retention?: Retention;
  /**
   * What the shell tells about the process, such as how many messages were refused: the core never
   * sees these messages (X1).
   */
  readonly self?: SelfReport;
  readonly auth?: Auth;
  readonly flood?: FloodPaces;
  /** The keys that the service `keys` gives in a cluster with accounts. */
  readonly topicKeys?: readonly TopicKeySource[];
  /** What the shell remembers of this server's steps; undefined if it remembers none. */
  readonly memory?: StepMemory | undefined;
  readonly tables?: Tables;
}

/**
 * One server without its sockets, files and timers: a step turns an input into effects. The shell
 * performs the effects in the order given, so that nothing is sent before it is durable (R2).
 */
export class ServerCore {
  readonly name: ServerName;
  readonly clock: LamportClock;
  readonly terms: CoordinatorTerms;
  readonly accounts: Accounts;
  readonly log: DecisionLog;
  readonly chat: ChatState;
  readonly ledger: LedgerOf<EventData> & Ledger;
  readonly replication: Replication;
  readonly catchUp: CatchUp;
  readonly election: Election;
  readonly clockSync: ClockSync;
  readonly #effects = new Effects();
  readonly #facts: Facts;
  readonly #replica: Replica;
  readonly #rotation: Rotation;
  readonly #acceptor: Acceptor;
  readonly #deciding: Deciding;
  readonly #coordination: Coordination;
  readonly #passwords = new Passwords();
  readonly #publications: Publications;
  readonly #serving: Serving;
  readonly #presence: Presence;
  readonly #reports: Reports;
  /**
   * This server's epoch as coordinator, as of the last step. After each change, a heartbeat reports
   * the new epoch to the peers.
   */
  #toldEpoch: Epoch | undefined;
  #isRecovered = false;

  constructor(options: CoreOptions) {
    const { name, clock, digest, address, retention, auth = "open" } = options;
    const { chance = emptyChain, topicKeys = [], tables = ownTables, memory } = options;
    const effects = this.#effects;
    const passwords = this.#passwords;
    const content = newContent(digest, retention);
    const { terms, log, accounts, shop, matches, chat } = content;
    this.#facts = machineOf(tables.facts(content), content);
    const replica = new Replica({
      ...{ name, clock, digest, machine: this.#facts, effects },
      ownEpoch: () => this.election.ownEpoch,
      slot: () => log.applied,
      heard: (summary, now) => {
        this.#rotation.hear(summary.peer);
        this.election.hear(summary, now);
      },
    });
    const { ledger, replication, catchUp } = replica;
    const clockSync = new ClockSync(replica);
    const acceptor = new Acceptor(replica, terms);
    const election = new Election({ replica, terms, acceptor, clockSync });
    const deciding = new Deciding({ replica, content, election, clockSync });
    const { decisions, reads } = deciding;
    const traces = new Traces({ replica, clockSync, memory });
    const presence = new Presence(name);
    const publications = new Publications({ name, chat, accounts, auth });
    const serving = new Serving({
      services: {
        ...{ name, clock, digest, auth, topicKeys, chat, accounts, shop, chance },
        ...{ matches, log, ledger, replication, presence, publications },
        status: (now) => this.#reports.status(now),
        correctedMs: (now) => clockSync.correctedMs(now),
        submit: (operation, now) => decisions.submit(operation, now),
      },
      ...{ table: tables.services, ...replicaWaits({ name, log }, replication) },
      ...{ decisions, reads, passwords, traces },
      flood: new Flood(options.flood ?? { user: undefined, connection: undefined }, auth),
    });
    const rotation = new Rotation({
      replica,
      open: () => serving.open,
      caughtUp: () => publications.begin(replication.committed),
      entered: () => presence.tellAll(),
    });
    this.name = name;
    this.clock = clock;
    this.terms = terms;
    this.accounts = accounts;
    this.chat = chat;
    this.ledger = ledger;
    this.replication = replication;
    this.catchUp = catchUp;
    this.election = election;
    this.clockSync = clockSync;
    this.#replica = replica;
    this.#rotation = rotation;
    this.#acceptor = acceptor;
    this.log = log;
    this.#deciding = deciding;
    this.#publications = publications;
    this.#serving = serving;
    this.#presence = presence;
    const parts = { replica, rotation, log, deciding, election, clockSync };
    this.#coordination = new Coordination({ ...parts, acceptor, traces });
    this.#reports = new Reports({ ...parts, serving, address, self: options.self });
  }

  // Before the first step, the core is loaded from the disk: saved states first, then events. The
  // first input is `recovered`.

  /** @throws Error if the saved state is damaged */
  recoverState(saved: SavedState, mark: Mark): void {
    this.ledger.recoverSaved(saved, mark);
  }

  /** Loads an event of the journal. Skips events that the state has already. */
  recoverEvent(line: EventLine): void {
    const { server, seq } = line.event;
    if (seq > (this.ledger.held[server] ?? 0)) this.ledger.recover(line);
  }

  /**
   * Records the events that this disk once had and lost (J5), and their undamaged lines
   * (`salvaged`).
   */
  recoverMissing(heads: Heads, salvaged: Iterable<EventLine> = []): void {
    this.#replica.recoverMissing(heads, salvaged);
  }

  /**
   * Loads this server's promises: the view that it adopted, and the highest ballot that it
   * promised.
   */
  recoverPromises(view: View, ballot: Ballot): void {
    this.replication.view = view;
    this.#acceptor.recover(ballot);
  }

  /** Returns a copy of the present state, with its mark. */
  checkpoint(): FrozenState & { readonly mark: Mark } {
    return { ...this.#facts.freeze(), mark: this.mark };
  }

  get hasFormerAccounts(): boolean {
    return this.accounts.hasFormer;
  }

  get mark(): Mark {
    return { ...this.#replica.mark, epoch: this.terms.highestEpoch };
  }

  figures(now: Now): Figures {
    const parts = {
      ...{ replica: this.#replica, rotation: this.#rotation, election: this.election },
      ...{ clockSync: this.clockSync, serving: this.#serving, deciding: this.#deciding },
      ...{ passwords: this.#passwords, presence: this.#presence },
    };
    return figuresOf({ ...parts, publications: this.#publications }, now);
  }

  get promised(): Ballot {
    return this.#acceptor.promised;
  }

  get isServing(): boolean {
    return this.#rotation.isServing;
  }

  /** Whether nothing is open. Ticks are then needed only for heartbeats and silent peers. */
  get isAtRest(): boolean {
    return (
      this.#rotation.isServing &&
      !this.#rotation.isStopping &&
      this.#serving.open === 0 &&
      !this.#deciding.decisions.isAnyOpen &&
      this.election.isAtRest &&
      !this.#presence.hasNews
    );
  }

  /** The most milliseconds until the next tick. */
  untilTickMs({ steadyMs }: Now): number {
    const { tickMs, restTickMs } = durations;
    if (!this.isAtRest) return tickMs;
    return Math.max(tickMs, Math.min(restTickMs, Math.ceil(this.#heartbeatDueMs - steadyMs)));
  }

  get #heartbeatDueMs(): number {
    const { heartbeatMs, coordinatorHeartbeatMs } = durations;
    const pauseMs = this.#toldEpoch === undefined ? heartbeatMs : coordinatorHeartbeatMs;
    return this.#replica.heartbeatAtMs + pauseMs;
  }

  step(input: Input, now: Now): Iterable<Effect> {
    // Only the input `recovered` says that the lines loaded from the disk are synced again. Before
    // `recovered`, these lines must not be sent to anybody (R2).
    if (!this.#isRecovered && input.type !== "recovered") return [];
    this.#take(input, now);
    if (this.#replica.missesEvents) this.ledger.takeSalvaged();
    this.#advance(now);
    const effects = this.#effects.take();
    const lines = this.ledger.takeAppended();
    return lines.length === 0 ? effects : [{ type: "append", lines }, ...effects];
  }

  #take(input: Input, now: Now): void {
    switch (input.type) {
      case "recovered":
        this.#isRecovered = true;
        return this.ledger.recovered();
      case "requests":
        this.#reports.rate.add(input.requests.length);
        return this.#serving.take(input, this.#rotation.refusal, now);
      case "flushed":
        return this.#replica.onFlushed(input.count, now);
      case "viewSaved":
        return this.#replica.onViewSaved(input.number, now);
      case "replication":
        return this.#onReplication(input.message, now);
      case "ack":
        this.#replica.hear(input.summary, now);
        return;
      case "syncRequest":
        return this.#replica.onSyncRequest(input, now);
      case "syncAnswer":
        return this.#replica.onSyncAnswer(input.from, input.answer, now);
      case "syncFailed":
        return this.catchUp.failed(input.from);
      case "snapshotFailed":
        return this.#replica.onSnapshotFailed(input.from);
      case "coordinationRequest":
        return this.#coordination.onRequest(input.to, input.request, now);
      case "coordinationAnswer":
        return this.#coordination.onAnswer(input, now);
      case "peerLost":
        return this.election.lost(input.from, now);
      case "promiseSaved":
        return this.#acceptor.saved(input.ballot);
      case "passwordDone":
        return this.#passwords.settle(input.number, input.result);
      case "referenceReply":
        return this.#replica.onReferenceReply(input.reply, now);
      case "left":
        return this.#rotation.finish();
      case "subscription":
        return this.#publications.outlet.subscribe(input.topic, input.active);
      case "stop":
        return this.#rotation.stop(input.leave, now);
      case "tick":
        return;
      default:
        input satisfies never;
    }
  }

  #onReplication(message: ReplicationMessage, now: Now): void {
    const before = this.#replica.onReplication(message, now);
    if (before === undefined) return;
    if (message.type === "heartbeat") this.#deciding.hear(message);
    if (message.type === "presence") {
      this.#presence.learn(message.server, message.heard, now.steadyMs);
    }
    const isBack = message.type === "heartbeat" && message.phase === "live" && before !== "live";
    if (isBack) this.#presence.tellAll();
  }

  #advance(now: Now): void {
    const replica = this.#replica;
    const effects = this.#effects;
    const hasRisen = this.replication.count();
    this.#advanceCoordinator(now);
    // Replies leave first, because clients wait for them.
    this.#serving.advance(now, effects);
    if (hasRisen) this.#publications.publish(this.replication.committed, effects);
    replica.noteRepair();
    this.#rotation.advance(now);
    replica.askState(this.#rotation.isBusy);
    replica.askPeers(now);
    for (const heard of this.#presence.due(now.steadyMs)) {
      replica.broadcast({ ...replica.summary(), type: "presence", heard });
    }
    if (now.steadyMs >= this.#heartbeatDueMs) this.#reports.heartbeat(now);
    this.#rotation.advanceStop(now, () => this.#reports.heartbeat(now));
  }

  /** Advances the election before the decisions, which need the election's new state. */
  #advanceCoordinator(now: Now): void {
    const { election } = this;
    this.#acceptor.advance(now);
    election.advance(now, this.#rotation.isStopping);
    if (election.ownEpoch !== this.#toldEpoch) {
      this.#toldEpoch = election.ownEpoch;
      this.#replica.heartbeatSoon();
    }
    this.#deciding.advance(now);
    this.#passwords.advance(this.#effects);
    this.clockSync.advance(now, this.#toldEpoch !== undefined);
  }
}
