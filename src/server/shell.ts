import { durations } from "../protocol/limits.ts";
import type { Effect, Input } from "./core/effects.ts";
import type { Figures } from "./core/figures.ts";
import type { ServerCore } from "./core/step.ts";
import type { StepRecorder } from "./core/steps/step-recorder.ts";
import { RepairWatch } from "./repair-watch.ts";
import type { EffectOf, EndTimer, Surroundings } from "./surroundings.ts";

interface Stop {
  /** Whether the server leaves the view when it stops. */
  readonly leave: boolean;
  onStopped(): void;
}

/** Passes inputs to the core, and performs the effects that the core returns. */
export class Shell {
  readonly #world: Surroundings;
  readonly #recorder: StepRecorder | undefined;
  readonly #repair: RepairWatch;
  #endTick: EndTimer = () => {};
  /** Whether the next tick was planned while the core was at rest. */
  #isResting = false;
  /** Undefined before the start, and while a peer's saved state is being loaded. */
  #core: ServerCore | undefined;
  #stopping: Stop | undefined;
  #isStopped = false;
  /** How often a peer's saved state has replaced this server's own. */
  fetchedStates = 0;

  /** @param recorder records the steps of events; undefined if nothing is recorded (O63) */
  constructor(world: Surroundings, recorder?: StepRecorder | undefined) {
    const { crash, store, timers } = world;
    this.#world = world;
    this.#recorder = recorder;
    this.#repair = new RepairWatch(timers, () => {
      if (store.isDamaged) crash(store.way);
    });
    this.#planTick();
  }

  start(core: ServerCore): void {
    this.#askRank();
    this.#run(core);
    // Sockets open last, because requests need a core that answers them.
    this.#world.open();
  }

  /**
   * Runs a core that was loaded from the disk: the first core, or a core loaded after a peer's
   * saved state has arrived.
   */
  #run(core: ServerCore): void {
    const { bus, store } = this.#world;
    this.#core = core;
    this.dispatch({ type: "recovered" });
    // A new core does not know the subscriptions that the bus already has.
    for (const topic of bus.topics) this.dispatch({ type: "subscription", topic, active: true });
    this.#dispatchStop();
    store.checkpointIfDue(core);
    this.#noteRepair();
  }

  #askRank(): void {
    const { reference, timers } = this.#world;
    if (this.#isStopped) return;
    reference.rank((rank) => {
      if (rank === undefined) timers.after(durations.heartbeatMs, () => this.#askRank());
      else this.#log("info", "Has a rank", { rank });
    });
  }

  /**
   * Starts the stop (R11): the server finishes open requests, settles with its peers, leaves the
   * view if `stop.leave` is set, and writes its files.
   */
  stop(stop: Stop): void {
    this.#stopping ??= stop;
    this.#world.snapshots.stop();
    this.#dispatchStop();
  }

  #dispatchStop(): void {
    if (this.#stopping === undefined) return;
    this.dispatch({ type: "stop", leave: this.#stopping.leave });
  }

  #end(): void {
    const { clients, store, close } = this.#world;
    clients.close(() => {
      this.#endTick();
      this.#isStopped = true;
      close(() => {
        this.#repair.end();
        store.close(this.#core, () => this.#stopping?.onStopped());
      });
    });
  }

  dispatch(input: Input): void {
    // Inputs that come while no core exists are dropped: clients and peers repeat their requests.
    if (this.#core === undefined) return;
    const core = this.#core;
    const now = this.#world.timers.now();
    const effects = core.step(input, now);
    const watched = this.#recorder?.watch({ core, input, now }, effects) ?? effects;
    for (const effect of watched) this.#perform(effect);
    if (this.#isResting && !this.#core?.isAtRest) this.#planTick();
  }

  #planTick(): void {
    const { timers } = this.#world;
    const pauseMs = this.#core?.untilTickMs(timers.now()) ?? durations.tickMs;
    this.#isResting = this.#core?.isAtRest === true;
    this.#endTick();
    this.#endTick = timers.after(pauseMs, () => {
      this.dispatch({ type: "tick" });
      if (!this.#isStopped) this.#planTick();
    });
  }

  onFlushed(count: number): void {
    this.dispatch({ type: "flushed", count });
    if (this.#core !== undefined) this.#world.store.checkpointIfDue(this.#core);
  }

  /** The reason why the server serves no client; undefined while the server serves clients. */
  get unready(): string | undefined {
    if (this.#core?.isServing === true) return undefined;
    return `its phase is ${this.#core?.catchUp.phase ?? "backfill"}`;
  }

  /** The cluster's time, in milliseconds since 1970. */
  get correctedMs(): number {
    const now = this.#world.timers.now();
    return this.#core?.clockSync.correctedMs(now) ?? now.wallMs;
  }

  /** What the core measures; undefined while no core exists. */
  get figures(): Figures | undefined {
    return this.#core?.figures(this.#world.timers.now());
  }

  #perform(effect: Effect): void {
    const { bus, clients, log, peers, reference, store } = this.#world;
    switch (effect.type) {
      case "append":
        if (store.isMissing(effect.lines)) this.#repair.progress();
        return store.append(effect.lines);
      case "saveView": {
        const { view } = effect;
        return store.saveView(view, () => {
          this.dispatch({ type: "viewSaved", number: view.number });
        });
      }
      case "savePromise": {
        const { ballot } = effect;
        return store.savePromise(ballot, () => this.dispatch({ type: "promiseSaved", ballot }));
      }
      case "reply":
        return clients.reply(effect);
      case "rotation":
        return clients.rotate(effect.joined);
      case "broadcast":
        return bus.broadcast(effect.message);
      case "ack":
        return peers.acknowledge(effect);
      case "publish":
        return bus.publish(effect);
      case "answerPeer":
        return peers.answer(effect);
      case "answerSync":
        return peers.answerSync(effect);
      case "askSync":
        return this.#askSync(effect);
      case "askPeer": {
        const { peer: from, request } = effect;
        return peers.askCoordination(effect, (answer) => {
          this.dispatch({ type: "coordinationAnswer", from, request, answer });
        });
      }
      case "watchPeer":
        return peers.watch(effect, () => this.dispatch({ type: "peerLost", from: effect.peer }));
      case "password":
        return this.#work(effect);
      case "heartbeat":
        return this.#heartbeat(effect);
      case "leave":
        return reference.leave(() => this.dispatch({ type: "left" }));
      case "stopped":
        return this.#end();
      case "fetchSnapshot":
        return this.#fetchSnapshot(effect);
      case "repaired":
        this.#repair.end();
        return store.repaired();
      case "log":
        return log(effect);
      default:
        effect satisfies never;
    }
  }

  #askSync(effect: EffectOf<"askSync">): void {
    const from = effect.peer;
    this.#world.peers.askSync(effect, (answer) => {
      if (answer === undefined) this.dispatch({ type: "syncFailed", from });
      else this.dispatch({ type: "syncAnswer", from, answer });
    });
  }

  #work({ number, ...work }: EffectOf<"password">): void {
    const core = this.#core;
    this.#world.work(work, (result) => {
      // A newer core uses the same numbers for other passwords, so the result would reach the wrong
      // request.
      if (this.#core === core) this.dispatch({ type: "passwordDone", number, result });
    });
  }

  #heartbeat(effect: EffectOf<"heartbeat">): void {
    const { peers, reference } = this.#world;
    peers.keep((name) => this.#core?.replication.peers.has(name) === true);
    reference.heartbeat(effect, (reply) => this.dispatch({ type: "referenceReply", reply }));
  }

  /** Copies the peer's saved state to disk, then loads a new core from the disk. */
  #fetchSnapshot({ peer, address }: EffectOf<"fetchSnapshot">): void {
    const { snapshots, store, timers } = this.#world;
    const started = timers.now().steadyMs;
    snapshots.fetch(
      { peer, address },
      {
        onPage: () => this.#noteRepair(),
        onFailed: (reason) => {
          this.#log("warn", `The saved state of ${peer} did not come: ${reason}`);
          this.dispatch({ type: "snapshotFailed", from: peer });
        },
        onDone: () => {
          const ms = Math.round(timers.now().steadyMs - started);
          this.#log("info", `Has the saved state of ${peer}`, { ms });
          this.fetchedStates += 1;
          this.#core = undefined;
          store.reload((core) => this.#run(core));
        },
      },
    );
  }

  #noteRepair(): void {
    if (this.#world.store.isDamaged) this.#repair.progress();
  }

  #log(level: "info" | "warn", text: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#world.log({ level, text, ...(fields ? { fields } : {}) });
  }
}
