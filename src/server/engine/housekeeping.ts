import type { ReferenceLink } from "../../net/reference-link.ts";
import { now } from "../../platform/clock.ts";
import { processId } from "../../platform/host.ts";
import type { Log } from "../../platform/log.ts";
import type { ServerName } from "../../protocol/ids.ts";
import type { LamportClock } from "../../protocol/lamport-clock.ts";
import { durations } from "../../protocol/limits.ts";
import type { SelfReport } from "../../protocol/reference-messages.ts";
import { emptyVector } from "../../protocol/vector.ts";
import { noView } from "../../protocol/view.ts";
import type { Bus } from "../bus.ts";
import type { ClientWire } from "../client-wire.ts";
import type { Presence } from "../core/chat/presence.ts";
import { Rate } from "../core/replica/rate.ts";
import type { ClusterView } from "./cluster-view.ts";
import { type Engine, EngineUnavailable, silenceMs } from "./engine.ts";
import type { EngineCore } from "./engine-core.ts";
import type { KeptPresence } from "./redis/kept-presence.ts";

interface Parts {
  readonly engine: Engine;
  readonly core: EngineCore;
  readonly clients: ClientWire;
  readonly bus: Bus;
  readonly presence: Presence;
  readonly view: ClusterView;
  readonly clock: LamportClock;
  readonly link: ReferenceLink;
  readonly name: ServerName;
  readonly address: string;
  readonly self: SelfReport;
  readonly log: Log;
  /** Keeps presence, if the server has a Redis. */
  readonly keptPresence?: Pick<KeptPresence, "keep" | "recall"> | undefined;
  /** Called when the server enters the rotation. */
  onServing(): void;
}

/**
 * After so many milliseconds on disk without a word that they are published, messages are published
 * again (K4): by the keeper, and a little later by any server, because the keeper may have died.
 */
const republishAfterMs = { byKeeper: 1_000, byAny: 1_500 };
/**
 * For `forMs` after a server fell silent, messages are published again once they are `olderThanMs` old.
 * By then a live server has mostly marked its own as published.
 */
const afterLoss = { olderThanMs: 200, forMs: 1_000 };
/** Pause between two searches for such messages, in milliseconds. */
const republishEveryMs = 400;
const mostRepublished = 500;
/** Pause between two looks whether a stopping server has answered all, in milliseconds. */
const drainCheckMs = 5;
/** Why a server is not ready at first. */
export const notYet = "it has not reached its database yet";

/** Why a server leaves the rotation: for `/readyz`, and for the log. */
interface Reason {
  readonly short: string;
  readonly sentence: string;
}

const silent: Reason = {
  short: "its database does not answer",
  sentence: "The database does not answer: no client is served until it does",
};
/** Clients would find two clusters behind one broker. */
const besideReplicas: Reason = {
  short: "other servers have no engine",
  sentence:
    "Other servers of this cluster have no --engine: no client is served until they are stopped",
};

/** What a server with an engine does from time to time, besides answering requests. */
export class Housekeeping {
  readonly rate = new Rate();
  readonly #parts: Parts;
  readonly #timers: NodeJS.Timeout[] = [];
  /** Steady time of the last answer of the engine. */
  #heardMs = Number.NEGATIVE_INFINITY;
  /** Steady time until which messages of a server that fell silent are looked for. */
  #afterLossUntilMs = Number.NEGATIVE_INFINITY;
  #isReporting = false;
  #isPublishing = false;
  #isServing = false;
  #isStopping = false;
  #hasRank = false;
  /** Whether the reference was asked for other servers, and has answered or was silent. */
  #hasAsked = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.core.whyNotServing = notYet;
  }

  start(): void {
    const every = (ms: number, run: () => void) => void this.#timers.push(setInterval(run, ms));
    every(durations.tickMs, () => this.#tick());
    every(durations.heartbeatMs, () => this.#beat());
    every(republishEveryMs, () => void this.#publishAgain());
    this.#beat();
  }

  /**
   * Answers all open requests, then leaves the rotation. In this order, because a server outside the
   * rotation can't send replies. After a while it refuses new requests, so that a busy server comes to
   * its end (R11).
   */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const { core, clients } = this.#parts;
    const begunMs = now().steadyMs;
    await new Promise<void>((resolve) => {
      const look = setInterval(() => {
        const lastsMs = now().steadyMs - begunMs;
        core.isStopping = lastsMs >= durations.patienceMs;
        if (!core.isIdle && lastsMs < durations.drainMs) return;
        clearInterval(look);
        resolve();
      }, drainCheckMs);
    });
    if (this.#isServing) clients.rotate(false);
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Publishes what a server has left that has just fallen silent, without waiting for the next look. */
  publishLeft(): void {
    this.#afterLossUntilMs = now().steadyMs + afterLoss.forMs;
    void this.#publishAgain();
  }

  #tick(): void {
    const { core, bus, presence, name, clock, keptPresence } = this.#parts;
    if (core.serving.open > 0) core.wake();
    for (const heard of presence.due(now().steadyMs)) {
      const sender = { server: name, clock: clock.tick(), view: noView, durable: emptyVector };
      bus.broadcast({ ...sender, office: undefined, slot: undefined, type: "presence", heard });
      void keptPresence?.keep(heard);
    }
    if (now().steadyMs - this.#heardMs >= silenceMs) this.#leave(silent);
  }

  #beat(): void {
    const { link, name, address, self, core, view, log } = this.#parts;
    void this.#report();
    if (!this.#hasRank) {
      link.ask("rank", { user: name, address }).then(
        ({ rank }) => {
          this.#hasRank = true;
          log.info({ rank }, "Has a rank");
        },
        () => {},
      );
    }
    const { disbelievedClocks } = core.serving;
    const told = { ...self, hasEngine: true, disbelievedClocks, pid: processId };
    const report = { user: name, address, role: "server", ...told };
    link.ask("heartbeat", report, durations.viewAnswerMs).catch(() => {});
    // The reply to a heartbeat has the list only if the sender has a view.
    const asked = link.ask("list", {}, durations.viewAnswerMs).then((reply) => view.hear(reply));
    // While the reference is down, the last list is told.
    void asked
      .catch(() => {})
      .then(() => {
        this.#hasAsked = true;
        if (view.hasReplicas) this.#leave(besideReplicas);
      });
  }

  /** Tells the engine that this server lives, and hears from it who else does. */
  async #report(): Promise<void> {
    if (this.#isReporting) return;
    this.#isReporting = true;
    const { engine, core, view, name, address, clock, log } = this.#parts;
    const before = now();
    try {
      const rate = this.rate.look(before.steadyMs);
      const standing = await engine.report({ name, address, clock: clock.value, rate });
      const after = now();
      view.learn(standing, (before.wallMs + after.wallMs) / 2);
      view.committed = core.committed;
      // A client comes with the clock of another server, which is believed only if it is near (W4).
      if (standing.clock > clock.value) clock.receive(standing.clock);
      core.holders = standing.holders;
      this.#heardMs = after.steadyMs;
      this.#enter();
    } catch (error) {
      if (!(error instanceof EngineUnavailable)) throw error;
      log.debug(`The database does not answer: ${error.message}`);
    }
    this.#isReporting = false;
  }

  #enter(): void {
    const { core, clients, presence, view, log, keptPresence, onServing } = this.#parts;
    if (this.#isServing || this.#isStopping || !this.#hasAsked || view.hasReplicas) return;
    this.#isServing = true;
    core.whyNotServing = undefined;
    // The ages of kept reports are computed from the cluster's time, which the engine's first answer
    // tells. Redis may have answered before it.
    void keptPresence?.recall();
    clients.rotate(true);
    presence.tellAll();
    log.info("Serves clients");
    onServing();
  }

  #leave(why: Reason): void {
    const { core, clients, log } = this.#parts;
    if (this.#isStopping || core.whyNotServing === why.short) return;
    // A server that has not begun to serve says what it waits for already, but for a wrong setting.
    if (!this.#isServing && why === silent) return;
    if (this.#isServing) clients.rotate(false);
    this.#isServing = false;
    core.whyNotServing = why.short;
    log.warn(why.sentence);
  }

  /** Publishes what a server has appended that then died, or was cut off. */
  async #publishAgain(): Promise<void> {
    const { core, engine, view } = this.#parts;
    if (this.#isPublishing) return;
    this.#isPublishing = true;
    try {
      const usualMs = view.isKeeper ? republishAfterMs.byKeeper : republishAfterMs.byAny;
      const isAfterLoss = now().steadyMs < this.#afterLossUntilMs;
      const olderThanMs = isAfterLoss ? afterLoss.olderThanMs : usualMs;
      core.publish(await engine.unpublished(olderThanMs, mostRepublished));
    } catch (error) {
      if (!(error instanceof EngineUnavailable)) throw error;
    }
    this.#isPublishing = false;
  }
}
