import { pause } from "../../platform/clock.ts";
import { type Link, linksBetween, type Relay } from "../relay.ts";
import type { Outage } from "./core/checker.ts";
import type { NodeFault } from "./core/failovers.ts";
import { aimedAt, type Fault, type Office, type PlannedFault } from "./core/fault-plan.ts";

/** A fault of one process during a run; `toMs` is undefined while the fault lasts. */
export interface Mark extends NodeFault {
  readonly fault: Fault;
  /**
   * The time, in milliseconds since the load began, at which a killed process served again, or
   * another fault ended.
   */
  toMs: number | undefined;
}

/** What faults hit: a process of the cluster, or a server of its engine. */
export interface Target {
  readonly role: string;
  readonly label: string;
  /** Undefined while it is down. */
  readonly pid: number | undefined;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it serves again. */
  nextReady(): Promise<unknown>;
}

export interface FaultPerformerOptions {
  readonly processes: readonly Target[];
  readonly relay: Relay;
  /** Milliseconds since the load began. */
  readonly elapsedMs: () => number;
  /** Returns the label of the process that has an office; undefined while none is known to. */
  readonly holder: (office: Office) => string | undefined;
  /** Whether no write can be committed while these are stopped. */
  readonly isOutage: (stopped: readonly Target[]) => boolean;
  /** Kills the engine's primary, and promotes its standby. */
  readonly promote?: () => { readonly promoted: Promise<void> };
  readonly onFault: (fault: PlannedFault) => void;
}

/** Milliseconds after which a signal has certainly reached a process. */
const signalMs = 50;

/** Begins each planned fault when it is due, and ends it when its time is over. */
export class FaultPerformer {
  /** The faults that were performed, with the processes that they hit. */
  readonly performed: PlannedFault[] = [];
  readonly marks: Mark[] = [];
  /** The times in which so much was certainly stopped that no write could be committed. */
  readonly outages: Outage[] = [];
  /** The number of running processes that were killed. */
  kills = 0;
  readonly #options: FaultPerformerOptions;
  /** For each process, the number of faults that keep it stopped at present. */
  readonly #stops = new Map<Target, number>();
  /** The functions that end the present faults, each with the timer that will call it. */
  readonly #mending = new Map<() => void, NodeJS.Timeout>();

  constructor(options: FaultPerformerOptions) {
    this.#options = options;
  }

  /**
   * Begins the faults of a plan. Resolves after the last fault has begun, or when the signal ends
   * the run.
   */
  async perform(plan: readonly PlannedFault[], signal: AbortSignal): Promise<void> {
    const { holder, elapsedMs, onFault } = this.#options;
    for (const planned of plan) {
      await pause(planned.atMs - elapsedMs(), signal);
      if (signal.aborted) return;
      const fault = aimedAt(holder, planned);
      // The fault was planned for an office, and no process has it now.
      if (fault === undefined) continue;
      this.performed.push(fault);
      onFault(fault);
      this.#begin(fault);
    }
  }

  /** Resolves when every fault has ended by itself, or the signal ends the run. */
  async subsided(signal: AbortSignal): Promise<void> {
    while (this.#mending.size > 0 && !signal.aborted) await pause(20, signal);
  }

  /** Ends all present faults at once. */
  mend(): void {
    for (const mend of [...this.#mending.keys()]) mend();
  }

  #begin(fault: PlannedFault): void {
    switch (fault.kind) {
      case "kill":
        for (const child of this.#children(fault.targets)) this.#kill(child, fault);
        return;
      case "stop":
        return this.#stop(fault);
      case "cut": {
        const cut = this.#options.relay.cut(cutLinks(fault));
        return this.#lasting(fault, [fault.target], () => cut.heal({ reset: fault.reset }));
      }
      case "slow": {
        const slow = this.#options.relay.slow(linksOf(fault), fault.delayMs);
        return this.#lasting(fault, [fault.target], () => slow.heal());
      }
      case "reset":
        this.#options.relay.reset(linksOf(fault));
        this.#mark(fault.target, fault).toMs = this.#options.elapsedMs();
        return;
      case "promote":
        return this.#promote(fault);
      default:
        fault satisfies never;
    }
  }

  #kill(child: Target, fault: Fault): void {
    // The process is down already, and has not been restarted yet.
    if (child.pid === undefined) return;
    this.kills += 1;
    const mark = this.#mark(child.label, fault);
    child.signal("SIGKILL");
    void child.nextReady().then(() => {
      mark.toMs = this.#options.elapsedMs();
    });
  }

  #promote(fault: PlannedFault & { kind: "promote" }): void {
    for (const target of fault.targets) {
      this.kills += 1;
      const mark = this.#mark(target, fault);
      void this.#options.promote?.().promoted.then(() => {
        mark.toMs = this.#options.elapsedMs();
      });
    }
  }

  #stop(fault: PlannedFault & { kind: "stop" }): void {
    const { elapsedMs, isOutage } = this.#options;
    const children = this.#children(fault.targets);
    for (const child of children) {
      this.#stops.set(child, (this.#stops.get(child) ?? 0) + 1);
      child.signal("SIGSTOP");
    }
    const pids = children.map(({ pid }) => pid);
    const fromMs = elapsedMs() + signalMs;
    this.#lasting(fault, fault.targets, () => {
      const toMs = elapsedMs();
      const stopped = children.filter(({ pid }, at) => pid !== undefined && pid === pids[at]);
      if (isOutage(stopped)) this.outages.push({ fromMs, toMs });
      for (const child of children) this.#release(child);
    });
  }

  #release(child: Target): void {
    const left = (this.#stops.get(child) ?? 1) - 1;
    this.#stops.set(child, left);
    if (left === 0) child.signal("SIGCONT");
  }

  #lasting(
    fault: PlannedFault & { forMs: number },
    nodes: readonly string[],
    end: () => void,
  ): void {
    const marks = nodes.map((node) => this.#mark(node, fault));
    const mend = () => {
      clearTimeout(this.#mending.get(mend));
      this.#mending.delete(mend);
      end();
      for (const mark of marks) mark.toMs = this.#options.elapsedMs();
    };
    this.#mending.set(mend, setTimeout(mend, fault.forMs));
  }

  #mark(node: string, fault: Fault): Mark {
    const mark: Mark = { node, fault, fromMs: this.#options.elapsedMs(), toMs: undefined };
    this.marks.push(mark);
    return mark;
  }

  #children(labels: readonly string[]): Target[] {
    return this.#options.processes.filter(({ label }) => labels.includes(label));
  }
}

function linksOf({ target, others }: Fault & { kind: "cut" | "slow" | "reset" }): Link[] {
  return linksBetween(target, others);
}

function cutLinks(fault: Fault & { kind: "cut" }): Link[] {
  const { target, way } = fault;
  return linksOf(fault).filter(({ from }) => {
    return way === "both" || (way === "out") === (from === target);
  });
}
