import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pause } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { Problem } from "../platform/problem.ts";
import { type ReadyMessage, supervised } from "../platform/run-process.ts";
import type { Role } from "../protocol/reference-messages.ts";

export interface ChildOptions {
  readonly role: Role;
  /** 1, 2, 3 … among those of its role. */
  readonly number: number;
  /** Settings, as environment variables; asked anew at each start. */
  readonly environment: () => Readonly<Record<string, string>>;
  /** Flags behind the role's name. */
  readonly flags?: readonly string[] | undefined;
  /** A file descriptor for its stderr, or "inherit". */
  readonly stderr: number | "inherit";
  /** The file behind that descriptor, if there is one. */
  readonly logPath?: string | undefined;
  readonly log: Log;
}

const firstBackoffMs = 200;
const longestBackoffMs = 5_000;
/** A child that ran this long starts its backoff anew. */
const steadyRunMs = 10_000;

/** The built executable, also when this file runs from its source. */
const fromSource = import.meta.url.endsWith(".ts");
const cli = fileURLToPath(new URL(fromSource ? "../../dist/cli.js" : "../cli.js", import.meta.url));

/** One process of the cluster: started, watched, started again with backoff when it dies. */
export class Child {
  readonly role: Role;
  readonly number: number;
  /** What it said when it was last ready: its own name, and where it is bound. */
  ready: ReadyMessage | undefined;
  starts = 0;
  readonly #options: ChildOptions;
  #process: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  readonly #stopping = new AbortController();
  #backoffMs = firstBackoffMs;
  #onReady: ((message: ReadyMessage) => void)[] = [];

  constructor(options: ChildOptions) {
    this.#options = options;
    this.role = options.role;
    this.number = options.number;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get label(): string {
    return `${this.role} ${this.number}`;
  }

  /**
   * Starts it and waits until it serves.
   * @throws Problem if it ends before that by a mistake that another try would only repeat
   */
  async start(): Promise<ReadyMessage> {
    const failed = this.#spawn();
    const ready = this.nextReady();
    const first = await Promise.race([ready, failed]);
    if (first !== undefined) return first;
    throw new Problem(`The ${this.label} did not start: ${this.#lastWords()}`);
  }

  /** Why it ended, in its own words where a person has not seen them. */
  #lastWords(): string {
    const { logPath } = this.#options;
    if (logPath === undefined) return "its own message above says why.";
    const last = readFileSync(logPath, "utf8").trimEnd().split("\n").at(-1) ?? "";
    return last.replace(/^tertulia: /, "");
  }

  /** Resolves when it next says that it serves. */
  nextReady(): Promise<ReadyMessage> {
    return new Promise((resolve) => this.#onReady.push(resolve));
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Whenever it ends from now on, it is not started again. */
  letEnd(): void {
    this.#stopping.abort();
  }

  /** Ends it for good: by the end of its channel, by SIGKILL if it has not ended in time. */
  async stop(graceMs: number): Promise<void> {
    this.letEnd();
    const running = this.#process;
    if (running === undefined) return;
    if (running.connected) running.disconnect();
    const timer = setTimeout(() => {
      this.#options.log.warn(`The ${this.label} did not stop in time: killed`);
      running.kill("SIGKILL");
    }, graceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  /** @returns a promise of undefined for an end before it was ever ready, by code 1 or 2 */
  #spawn(): Promise<undefined> {
    const { role, environment, flags = [], stderr, log } = this.#options;
    this.starts += 1;
    const startedMs = performance.now();
    let served = false;
    // Not `detached`: that is setsid, behind which Linux weighs priorities apart (autogroup), and the
    // work on passwords has to give way to all processes.
    const child = spawn(process.execPath, [cli, role, ...flags], {
      stdio: ["ignore", "ignore", stderr, "ipc"],
      env: { ...process.env, ...supervised, ...environment() },
    });
    this.#process = child;
    child.on("message", (message: ReadyMessage) => {
      served = true;
      this.ready = message;
      for (const resolve of this.#onReady.splice(0)) resolve(message);
    });
    return new Promise((fail) => {
      this.#exited = new Promise((exited) => {
        // A process that can't even be made ends like one that could.
        child.once("error", () => child.emit("exit", 1, null));
        child.once("exit", (code, signal) => {
          this.#process = undefined;
          exited();
          if (this.#stopping.signal.aborted) return;
          if (!served && this.starts === 1 && (code === 1 || code === 2)) return fail(undefined);
          const how = signal ?? `exit code ${code}`;
          log.warn({ signal, code }, `The ${this.label} ended (${how}): started again`);
          if (performance.now() - startedMs > steadyRunMs) this.#backoffMs = firstBackoffMs;
          void this.#again();
        });
      });
    });
  }

  async #again(): Promise<void> {
    const waitMs = this.#backoffMs;
    this.#backoffMs = Math.min(2 * waitMs, longestBackoffMs);
    await pause(waitMs, this.#stopping.signal);
    if (!this.#stopping.signal.aborted) void this.#spawn();
  }
}
