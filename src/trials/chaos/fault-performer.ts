import type { Child } from "../../cluster/child.ts";
import { pause } from "../../platform/clock.ts";
import { type Relay, type Road, roadsBetween } from "../relay.ts";
import type { Outage } from "./core/checker.ts";
import type { Blow } from "./core/failovers.ts";
import { aimedAt, type Fault, type PlannedFault } from "./core/fault-plan.ts";

/** A fault as it came to pass for one process; still going on without an end. */
export interface Mark {
  readonly party: string;
  readonly fault: Fault;
  readonly fromMs: number;
  /** For one that was killed: when it served again. */
  toMs: number | undefined;
}

export interface FaultPerformerOptions {
  readonly processes: readonly Child[];
  readonly relay: Relay;
  /** Milliseconds since the load began. */
  readonly elapsedMs: () => number;
  /** The label of the server in office, if there is one. */
  readonly coordinator: () => string | undefined;
  readonly onFault: (fault: PlannedFault) => void;
}

/** What a signal is given to reach a process, generously. */
const signalMs = 50;

/** Does what was planned, when it was planned, and mends it. */
export class FaultPerformer {
  /** What was done, with the processes it was done to. */
  readonly performed: PlannedFault[] = [];
  readonly marks: Mark[] = [];
  /** Times in which a majority of the servers is known to have stood still. */
  readonly outages: Outage[] = [];
  /** Processes that were there to be killed, and were. */
  kills = 0;
  readonly #options: FaultPerformerOptions;
  /** How many faults hold a process stopped. */
  readonly #stops = new Map<Child, number>();
  /** What mends the faults that go on, each with when it is due. */
  readonly #mending = new Map<() => void, NodeJS.Timeout>();

  constructor(options: FaultPerformerOptions) {
    this.#options = options;
  }

  /** The same as what may have ended a term of office. */
  get blows(): Blow[] {
    return this.marks.map(({ fault: { kind }, ...mark }) => ({ kind, ...mark }));
  }

  /** Resolves at the last fault, or when it is called off. */
  async perform(plan: readonly PlannedFault[], signal: AbortSignal): Promise<void> {
    const { coordinator, elapsedMs, onFault } = this.#options;
    for (const planned of plan) {
      await pause(planned.atMs - elapsedMs(), signal);
      if (signal.aborted) return;
      const fault = aimedAt(coordinator(), planned);
      // Planned for the coordinator, and there is none.
      if (fault === undefined) continue;
      this.performed.push(fault);
      onFault(fault);
      this.#begin(fault);
    }
  }

  /** Resolves when every fault that was to last has ended by itself, or at once when called off. */
  async subsided(signal: AbortSignal): Promise<void> {
    while (this.#mending.size > 0 && !signal.aborted) await pause(20, signal);
  }

  /** Mends at once whatever still goes on. */
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
        const cut = this.#options.relay.cut(cutRoads(fault));
        return this.#lasting(fault, [fault.target], () => cut.heal({ reset: fault.reset }));
      }
      case "slow": {
        const slow = this.#options.relay.slow(roadsOf(fault), fault.delayMs);
        return this.#lasting(fault, [fault.target], () => slow.heal());
      }
      case "reset":
        this.#options.relay.reset(roadsOf(fault));
        this.#mark(fault.target, fault).toMs = this.#options.elapsedMs();
        return;
      default:
        fault satisfies never;
    }
  }

  #kill(child: Child, fault: Fault): void {
    // One that is still to be started again can't die once more.
    if (child.pid === undefined) return;
    this.kills += 1;
    const mark = this.#mark(child.label, fault);
    child.signal("SIGKILL");
    void child.nextReady().then(() => {
      mark.toMs = this.#options.elapsedMs();
    });
  }

  #stop(fault: PlannedFault & { kind: "stop" }): void {
    const { elapsedMs, processes } = this.#options;
    const children = this.#children(fault.targets);
    for (const child of children) {
      this.#stops.set(child, (this.#stops.get(child) ?? 0) + 1);
      child.signal("SIGSTOP");
    }
    const pids = children.map(({ pid }) => pid);
    const fromMs = elapsedMs() + signalMs;
    this.#lasting(fault, fault.targets, () => {
      const toMs = elapsedMs();
      const servers = processes.filter(({ role }) => role === "server");
      const stopped = children.filter(({ role, pid }, at) => {
        return role === "server" && pid !== undefined && pid === pids[at];
      });
      if (2 * stopped.length > servers.length) this.outages.push({ fromMs, toMs });
      for (const child of children) this.#release(child);
    });
  }

  #release(child: Child): void {
    const left = (this.#stops.get(child) ?? 1) - 1;
    this.#stops.set(child, left);
    if (left === 0) child.signal("SIGCONT");
  }

  #lasting(
    fault: PlannedFault & { forMs: number },
    parties: readonly string[],
    end: () => void,
  ): void {
    const marks = parties.map((party) => this.#mark(party, fault));
    const mend = () => {
      clearTimeout(this.#mending.get(mend));
      this.#mending.delete(mend);
      end();
      for (const mark of marks) mark.toMs = this.#options.elapsedMs();
    };
    this.#mending.set(mend, setTimeout(mend, fault.forMs));
  }

  #mark(party: string, fault: Fault): Mark {
    const mark: Mark = { party, fault, fromMs: this.#options.elapsedMs(), toMs: undefined };
    this.marks.push(mark);
    return mark;
  }

  #children(labels: readonly string[]): Child[] {
    return this.#options.processes.filter(({ label }) => labels.includes(label));
  }
}

function roadsOf({ target, others }: Fault & { kind: "cut" | "slow" | "reset" }): Road[] {
  return roadsBetween(target, others);
}

function cutRoads(fault: Fault & { kind: "cut" }): Road[] {
  const { target, way } = fault;
  return roadsOf(fault).filter(({ from }) => {
    return way === "both" || (way === "out") === (from === target);
  });
}
