import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pause } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { Problem } from "../platform/problem.ts";
import { type ReadyMessage, supervised, type WaitingMessage } from "../platform/run-process.ts";
import type { Role } from "../protocol/reference-messages.ts";

export interface ChildOptions {
  readonly role: Role;
  /** The number of the process among all processes of its role: 1, 2, 3 … */
  readonly number: number;
  /** Called before each start; returns the settings as environment variables. */
  readonly environment: () => Readonly<Record<string, string>>;
  /** Called before each start; returns the executable, if it is not that of this program. */
  readonly program?: (() => string | undefined) | undefined;
  /** The flags after the role's name. */
  readonly flags?: readonly string[] | undefined;
  /** The file descriptor of the process's stderr, or "inherit". */
  readonly stderr: number | "inherit";
  /** The path of the log file to which stderr is written. */
  readonly logPath?: string | undefined;
  /** Called with a reason if the process says that it waits for what it needs. */
  readonly onWaiting?: ((why: string) => void) | undefined;
  readonly log: Log;
}

const firstBackoffMs = 200;
const longestBackoffMs = 5_000;
/**
 * If the process ran for more than this many milliseconds, the pause before its next start is
 * `firstBackoffMs` again.
 */
const steadyRunMs = 10_000;

/** The path of the built executable, whether this file itself is built or runs from source. */
const fromSource = import.meta.url.endsWith(".ts");
const cli = fileURLToPath(new URL(fromSource ? "../../dist/cli.js" : "../cli.js", import.meta.url));

/**
 * A process of the cluster. If the process dies, it is started again after a pause, which grows
 * with each death.
 */
export class Child {
  readonly role: Role;
  readonly number: number;
  /** The latest message that the process is ready, with its name and bound endpoints. */
  ready: ReadyMessage | undefined;
  /** Whether the process that sent `ready` still runs. */
  isReady = false;
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
   * Starts the process and waits until it serves.
   * @throws Problem if the first start fails with an error that would also end a second start
   */
  async start(): Promise<ReadyMessage> {
    const failed = this.#spawn();
    const ready = this.nextReady();
    const first = await Promise.race([ready, failed]);
    if (first !== undefined) return first;
    throw new Problem(`The ${this.label} did not start: ${this.#lastWords()}`);
  }

  /**
   * Returns the last line of the process's log file, which nobody has seen yet. A process without a
   * log file has already written its error to stderr, so this method returns a sentence that points
   * to that error.
   */
  #lastWords(): string {
    const { logPath } = this.#options;
    if (logPath === undefined) return "its own message above says why.";
    const last = readFileSync(logPath, "utf8").trimEnd().split("\n").at(-1) ?? "";
    return last.replace(/^tertulia: /, "");
  }

  /** Resolves when the process next reports that it serves. */
  nextReady(): Promise<ReadyMessage> {
    return new Promise((resolve) => this.#onReady.push(resolve));
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** From now on, the process is not started again. */
  letEnd(): void {
    this.#stopping.abort();
  }

  /**
   * Ends the process for good: closes its channel, and kills it if it still runs after `graceMs`.
   */
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

  /**
   * Starts the process.
   * @returns a promise that resolves if the first start ends with code 1 or 2 before the process is
   * ready
   */
  #spawn(): Promise<undefined> {
    const { role, environment, program, flags = [], stderr } = this.#options;
    this.starts += 1;
    const startedMs = performance.now();
    let served = false;
    // `detached` is not set, because it would start a new session. Linux compares the priorities of
    // threads only within a session (autogroup), so password work would compete with other
    // processes as an equal.
    const child = spawn(process.execPath, [program?.() ?? cli, role, ...flags], {
      stdio: ["ignore", "ignore", stderr, "ipc"],
      env: { ...process.env, ...supervised, ...environment() },
    });
    this.#process = child;
    child.on("message", (message: ReadyMessage | WaitingMessage) => {
      if (!message.ready) return this.#options.onWaiting?.(message.why);
      served = true;
      this.ready = message;
      this.isReady = true;
      for (const resolve of this.#onReady.splice(0)) resolve(message);
    });
    return new Promise((fail) => {
      this.#exited = new Promise((exited) => {
        // A process that can't be spawned counts as ended with code 1.
        child.once("error", () => child.emit("exit", 1, null));
        child.once("exit", (code, signal) => {
          this.#process = undefined;
          this.isReady = false;
          exited();
          if (this.#stopping.signal.aborted) return;
          if (!served && this.starts === 1 && (code === 1 || code === 2)) return fail(undefined);
          if (performance.now() - startedMs > steadyRunMs) this.#backoffMs = firstBackoffMs;
          void this.#again({ code, signal });
        });
      });
    });
  }

  /**
   * Starts the process again after a pause. If a signal ends the whole group, this process may learn
   * that the child has ended before it learns of the signal.
   */
  async #again(end: { readonly code: number | null; readonly signal: string | null }) {
    const waitMs = this.#backoffMs;
    this.#backoffMs = Math.min(2 * waitMs, longestBackoffMs);
    await pause(waitMs, this.#stopping.signal);
    if (this.#stopping.signal.aborted) return;
    const how = end.signal ?? `exit code ${end.code}`;
    this.#options.log.warn(end, `The ${this.label} ended (${how}): started again`);
    void this.#spawn();
  }
}
