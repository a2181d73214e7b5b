import type { Membership } from "../net/membership.ts";
import type { ReferenceLink } from "../net/reference-link.ts";
import type { Responder } from "../net/responder.ts";
import { now, pause } from "../platform/clock.ts";
import { processId } from "../platform/host.ts";
import type { Log } from "../platform/log.ts";
import { PasswordThread } from "../platform/password-thread.ts";
import { crash } from "../platform/run-process.ts";
import type { ServerName } from "../protocol/ids.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { durations } from "../protocol/limits.ts";
import { parseHeartbeatReply } from "../protocol/parse-reference.ts";
import type { CoordinationAnswer } from "../protocol/peer-messages.ts";
import type { ClockFile } from "../storage/clock-file.ts";
import { fetchSnapshot, type Place } from "../storage/fetch-snapshot.ts";
import type { Slot } from "../storage/slot-lock.ts";
import type { Store } from "../storage/store.ts";
import type { Bus } from "./bus.ts";
import type { ClientWire } from "./client-wire.ts";
import type { ServerConfig } from "./config.ts";
import type { Effect, Input } from "./core/effects.ts";
import type { ServerCore } from "./core/step.ts";
import type { PeerLinks } from "./peer-links.ts";
import type { PeerWire } from "./peer-wire.ts";
import { RepairWatch } from "./repair-watch.ts";

/** What a server stands on before it has any socket of its own. */
export interface Foundation {
  readonly config: ServerConfig;
  readonly clock: LamportClock;
  readonly clockFile: ClockFile;
  readonly membership: Membership;
  readonly link: ReferenceLink;
  readonly slot: Slot;
  readonly name: ServerName;
  readonly log: Log;
}

export interface ShellParts extends Foundation {
  readonly address: string;
  readonly responder: Responder;
  readonly disk: Store;
  readonly peerWire: PeerWire;
  readonly bus: Bus;
  readonly clients: ClientWire;
  readonly peers: PeerLinks;
  newCore(): ServerCore;
}

/** Hands the core what happens, and performs what it asks for. */
export class Shell {
  readonly address: string;
  readonly firstServing: Promise<void>;
  readonly #parts: ShellParts;
  readonly #log: Log;
  readonly #disk: Store;
  readonly #repair = new RepairWatch(() => {
    if (this.#disk.isDamaged) crash(this.#disk.way);
  });
  /** None while a saved state is being taken up. */
  #core: ServerCore | undefined;
  readonly #fetching = new AbortController();
  readonly #passwords = new PasswordThread();
  readonly #ticker: NodeJS.Timeout;
  #isStopping = false;
  #isStopped = false;
  #onFirstServing: () => void = () => {};
  #onStopped: () => void = () => {};

  constructor(parts: ShellParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#disk = parts.disk;
    this.address = parts.address;
    this.firstServing = new Promise((resolve) => {
      this.#onFirstServing = resolve;
    });
    this.#ticker = setInterval(() => this.dispatch({ type: "tick" }), durations.tickMs);
  }

  start(core: ServerCore): void {
    const { clients, responder, slot } = this.#parts;
    this.#run(core);
    // Only now is there something to answer with.
    clients.start();
    responder.start();
    void this.#askRank();
    const { address } = this;
    this.#log.info({ event: "started", folder: slot.folder, address }, "Started");
  }

  /** Begins, or begins anew, with what is on disk. */
  #run(core: ServerCore): void {
    this.#core = core;
    this.dispatch({ type: "recovered" });
    // A new core has to know what is subscribed to already.
    for (const topic of this.#parts.bus.topics) {
      this.dispatch({ type: "subscription", topic, active: true });
    }
    if (this.#isStopping) this.#dispatchStop();
    this.#disk.checkpointIfDue(core);
    if (this.#disk.isDamaged) this.#repair.progress();
  }

  async #askRank(): Promise<void> {
    const { link, name } = this.#parts;
    for (;;) {
      try {
        const { rank } = await link.ask("rank", { user: name, address: this.address });
        this.#log.info({ rank }, "Has a rank");
        return;
      } catch {
        if (this.#isStopped) return;
        await pause(durations.heartbeatMs);
      }
    }
  }

  /** Drains, settles with the peers, leaves the view if told to, writes the files (R11). */
  async stop(): Promise<void> {
    const { clockFile, link, slot, bus, clients, responder, peers } = this.#parts;
    const stopped = new Promise<void>((resolve) => {
      this.#onStopped = resolve;
    });
    this.#isStopping = true;
    this.#fetching.abort();
    this.#dispatchStop();
    await stopped;
    await clients.close();
    clearInterval(this.#ticker);
    this.#isStopped = true;
    await bus.close();
    await responder.close();
    peers.close();
    await this.#passwords.close();
    link.close();
    this.#repair.end();
    await this.#disk.close(this.#core);
    await clockFile[Symbol.asyncDispose]();
    slot[Symbol.dispose]();
    this.#log.info("Stopped");
  }

  #dispatchStop(): void {
    this.dispatch({ type: "stop", leave: this.#parts.config.leaveOnStop });
  }

  dispatch(input: Input): void {
    // Between two cores nobody is served; whoever asks will ask again.
    if (this.#core === undefined) return;
    for (const effect of this.#core.step(input, now())) this.#perform(effect);
  }

  onFlushed(count: number): void {
    this.dispatch({ type: "flushed", count });
    if (this.#core !== undefined) this.#disk.checkpointIfDue(this.#core);
  }

  /** Why no client is served, if so. */
  get unready(): string | undefined {
    if (this.#core?.isServing === true) return undefined;
    return `its phase is ${this.#core?.catchUp.phase ?? "backfill"}`;
  }

  /** The cluster's time. */
  get correctedMs(): number {
    return this.#core?.clockSync.correctedMs(now()) ?? now().wallMs;
  }

  #perform(effect: Effect): void {
    const { bus, clients, peerWire, peers } = this.#parts;
    switch (effect.type) {
      case "append":
        if (this.#disk.isMissing(effect.lines)) this.#repair.progress();
        return this.#disk.append(effect.lines);
      case "saveView":
        void this.#saveView(effect);
        return;
      case "savePromise":
        void this.#savePromise(effect);
        return;
      case "reply":
        return clients.reply(effect);
      case "rotation":
        clients.rotate(effect.joined);
        if (effect.joined) this.#onFirstServing();
        return;
      case "broadcast":
        return bus.broadcast(effect.message);
      case "publish":
        return bus.publish(effect);
      case "answerPeer":
        return peerWire.answer(effect);
      case "answerSync":
        return peerWire.answerSync(effect);
      case "askSync":
        void this.#askSync(effect);
        return;
      case "askPeer":
        void this.#askPeer(effect);
        return;
      case "watchPeer": {
        const { peer, address } = effect;
        return peers.watch(peer, address, () => this.dispatch({ type: "peerLost", from: peer }));
      }
      case "password":
        void this.#work(effect);
        return;
      case "heartbeat":
        void this.#heartbeat(effect);
        return;
      case "leave":
        void this.#leave();
        return;
      case "stopped":
        return this.#onStopped();
      case "fetchSnapshot":
        void this.#fetchSnapshot(effect);
        return;
      case "repaired":
        this.#repair.end();
        void this.#disk.repaired().catch((error) => this.#promisesFailed(error));
        return;
      case "log":
        this.#log[effect.level](effect.fields ?? {}, effect.text);
        return;
      default:
        effect satisfies never;
    }
  }

  async #saveView({ view }: Effect & { type: "saveView" }): Promise<void> {
    await this.#disk.saveView(view).catch((error: Error) => this.#promisesFailed(error));
    this.dispatch({ type: "viewSaved", number: view.number });
  }

  async #savePromise({ ballot }: Effect & { type: "savePromise" }): Promise<void> {
    await this.#disk.savePromise(ballot).catch((error: Error) => this.#promisesFailed(error));
    this.dispatch({ type: "promiseSaved", ballot });
  }

  #promisesFailed({ message }: Error): never {
    crash(`${this.#parts.slot.folder}/promises.json can't be written (${message}).`);
  }

  async #askPeer(effect: Effect & { type: "askPeer" }): Promise<void> {
    const { peer: from, address, request } = effect;
    let answer: CoordinationAnswer | undefined;
    try {
      answer = await this.#parts.peers.coordinate(from, address, effect);
    } catch {
      // Not in time, or nonsense: the core asks again if it still matters.
    }
    this.dispatch({ type: "coordinationAnswer", from, request, answer });
  }

  async #askSync({ peer, address, request }: Effect & { type: "askSync" }): Promise<void> {
    try {
      const answer = await this.#parts.peers.sync(peer, address, request);
      this.dispatch({ type: "syncAnswer", from: peer, answer });
    } catch {
      this.dispatch({ type: "syncFailed", from: peer });
    }
  }

  async #work({ number, ...work }: Effect & { type: "password" }): Promise<void> {
    const core = this.#core;
    const result = await this.#passwords.work(work).catch((error: Error) => {
      this.#log.error(`A password could not be worked on: ${error.message}`);
      return undefined;
    });
    // A core that took its place counts its own.
    if (this.#core === core) this.dispatch({ type: "passwordDone", number, result });
  }

  async #heartbeat({ report }: Effect & { type: "heartbeat" }): Promise<void> {
    const { peers, link } = this.#parts;
    peers.keep((name) => this.#core?.replication.peers.has(name) === true);
    try {
      const data = { ...report, pid: processId };
      const fields = await link.ask("heartbeat", data, durations.viewAnswerMs);
      this.dispatch({ type: "referenceReply", reply: parseHeartbeatReply(fields) });
    } catch {
      // The cluster goes on with the members it knows while the reference is down.
    }
  }

  async #leave(): Promise<void> {
    try {
      await this.#parts.link.ask("leave", { user: this.#parts.name });
      this.dispatch({ type: "left" });
    } catch {
      // Not yet, or the reference is down: the core asks again.
    }
  }

  /** Copies the peer's saved state to disk, then begins anew with it. */
  async #fetchSnapshot({ peer, address }: Effect & { type: "fetchSnapshot" }): Promise<void> {
    const { clock, slot, peers, newCore } = this.#parts;
    const started = now().steadyMs;
    const ask = async (place: Place) => {
      const request = { service: "snapshot", clock: clock.tick(), ...place } as const;
      const page = await peers.snapshot(peer, address, request);
      clock.receive(page.clock);
      if (this.#disk.isDamaged) this.#repair.progress();
      return page;
    };
    try {
      await this.#disk.readyForState();
      await fetchSnapshot(slot.folder, ask, this.#fetching.signal);
    } catch (error) {
      this.#log.warn(`The saved state of ${peer} did not come: ${(error as Error).message}`);
      return this.dispatch({ type: "snapshotFailed", from: peer });
    }
    const ms = Math.round(now().steadyMs - started);
    this.#log.info({ ms }, `Has the saved state of ${peer}`);
    this.#core = undefined;
    try {
      this.#run(await this.#disk.reload(newCore));
    } catch (error) {
      crash((error as Error).message);
    }
  }
}
