import { pause } from "../../src/platform/clock.ts";
import type { Hosts } from "../cluster/hosts.ts";
import type { Prometheus } from "../support/prometheus.ts";
import { until } from "../support/until.ts";
import type { Fault } from "./faults.ts";

const everyMs = 500;
/** It counts over 15 minutes, so it goes on through the faults that come next. */
const lasting = "Restarts";

/** What `status` and the alerts say of a fault, and when; times are in ms since its begin. */
class Seen {
  readonly begunMs = performance.now();
  readonly #fault: Fault;
  readonly #isFiring: ReadonlySet<string>;
  readonly #hasAlerts: boolean;
  #first: { readonly ms: number; readonly kinds: string } | undefined;
  #allMs: number | undefined;
  readonly #alerts = new Map<string, number>();

  constructor(fault: Fault, firing: readonly string[] | undefined) {
    this.#fault = fault;
    this.#isFiring = new Set(firing);
    this.#hasAlerts = firing !== undefined;
  }

  /** What `status` and the alerts must name, and have not named yet. */
  get lacks(): string[] {
    const { problems, alerts } = this.#fault;
    const silent = alerts.filter((alert) => !this.#alerts.has(alert));
    return [...(this.#allMs === undefined ? problems : []), ...(this.#hasAlerts ? silent : [])];
  }

  get isAll(): boolean {
    return this.lacks.length === 0;
  }

  /** The cells of the table. */
  get cells(): string[] {
    const first = this.#first;
    return [
      first === undefined ? "healthy" : `${inSeconds(first.ms)} ${first.kinds}`,
      this.#allMs === undefined ? "–" : inSeconds(this.#allMs),
      [...this.#alerts].map(([name, ms]) => `${name} ${inSeconds(ms)}`).join(", ") || "none",
    ];
  }

  addStatus(kinds: readonly string[]): void {
    if (kinds.length === 0) return;
    const ms = performance.now() - this.begunMs;
    this.#first ??= { ms, kinds: [...new Set(kinds)].join(", ") };
    const { problems } = this.#fault;
    if (problems.length > 0 && problems.every((kind) => kinds.includes(kind))) this.#allMs ??= ms;
  }

  addAlerts(names: readonly string[]): void {
    const ms = performance.now() - this.begunMs;
    for (const name of names) {
      if (!this.#isFiring.has(name) && !this.#alerts.has(name)) this.#alerts.set(name, ms);
    }
  }
}

/** Asks `status` and Prometheus again and again, as an operator on a host of their own. */
export class Watch {
  readonly #hosts: Hosts;
  readonly #prometheus: Prometheus | undefined;
  #firing: readonly string[] | undefined;
  #over = new AbortController();
  #looking: Promise<unknown> = Promise.resolve();

  constructor(hosts: Hosts, prometheus: Prometheus | undefined) {
    this.#hosts = hosts;
    this.#prometheus = prometheus;
  }

  /** Begins to watch a fault, which begins now. */
  begin(fault: Fault): Seen {
    const seen = new Seen(fault, this.#firing);
    this.#over = new AbortController();
    const { signal } = this.#over;
    this.#looking = Promise.all([
      repeat(signal, async () => seen.addStatus(await this.#problems())),
      repeat(signal, async () => seen.addAlerts((await this.#alerts()) ?? [])),
    ]);
    // `end` throws the error.
    this.#looking.catch(() => {});
    return seen;
  }

  async end(): Promise<void> {
    this.#over.abort();
    await this.#looking;
  }

  async healthy(limitMs: number): Promise<void> {
    const isHealthy = async () => (await this.#problems()).length === 0;
    await until(isHealthy, "status finds no problem", limitMs);
  }

  /** Waits until no alert fires or is about to, or until the time is over. */
  async calm(limitMs: number): Promise<void> {
    const isCalm = async () => {
      const active = (await this.#alerts(["firing", "pending"])) ?? [];
      return active.every((name) => name === lasting);
    };
    // An alert that goes on is not among those that the next fault is seen by.
    await until(isCalm, "no alert fires", limitMs).catch(() => {});
    this.#firing = await this.#alerts();
  }

  async #problems(): Promise<string[]> {
    // Without any answer `status` prints no JSON.
    const status = await this.#hosts.status().catch(() => undefined);
    return status?.problems.map(({ kind }) => kind) ?? ["noAnswer"];
  }

  /** Returns the names of the alerts in these states; undefined without Prometheus. */
  async #alerts(states: readonly string[] = ["firing"]): Promise<string[] | undefined> {
    const rules = await this.#prometheus?.rules();
    return rules
      ?.filter(({ state }) => states.includes(state))
      .map(({ name }) => name.replace("Tertulia", ""));
  }
}

async function repeat(signal: AbortSignal, look: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await look();
    await pause(everyMs, signal);
  }
}

const inSeconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
