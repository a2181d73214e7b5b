import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { Redis as Client } from "ioredis";
import { pause } from "../platform/clock.ts";
import { Problem } from "../platform/problem.ts";
import { freePort } from "./free-ports.ts";

/** Whether the programs of Redis are installed. */
export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;
/** What the names of tests that need Redis end with if they are skipped. */
export const noRedisNote = hasRedis ? "" : " (skipped: Redis is missing)";

/** Pause between two looks whether it answers, in milliseconds. */
const lookMs = 10;

/** A Redis for trials, which keeps everything in memory: killed, it comes back empty. */
export class TrialRedis implements AsyncDisposable {
  readonly port: number;
  readonly #password: string | undefined;
  readonly #settings: readonly string[];
  #process: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();

  private constructor(port: number, password?: string, settings: readonly string[] = []) {
    this.port = port;
    this.#password = password;
    this.#settings = settings;
  }

  /** @param settings more arguments of `redis-server` */
  static async open(password?: string, settings?: readonly string[]): Promise<TrialRedis> {
    if (!hasRedis) throw new Problem("Redis is missing: install redis-server.");
    const redis = new TrialRedis(await freePort(), password, settings);
    await redis.start();
    return redis;
  }

  /** The address, as the setting `redis` expects it. */
  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  /** Undefined while it is down. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts it unless it runs, also after it was killed, and waits until it answers. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const settings = [
      "--bind",
      "127.0.0.1",
      "--port",
      String(this.port),
      "--save",
      "",
      ...this.#settings,
    ];
    const secret = this.#password === undefined ? [] : ["--requirepass", this.#password];
    // Never longer than this process.
    const args = ["--pdeathsig=KILL", "redis-server", ...settings, ...secret];
    const child = spawn("setpriv", args, { stdio: "ignore" });
    this.#process = child;
    this.#exited = once(child, "exit");
    while (!(await this.#answers())) {
      if (child.exitCode !== null) throw new Error("Redis has ended");
      await pause(lookMs);
    }
  }

  /** Runs a command on a connection of its own. */
  async call(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    const client = new Client({
      ...{ host: "127.0.0.1", port: this.port, lazyConnect: true, retryStrategy: () => null },
      ...(this.#password !== undefined && { password: this.#password }),
    });
    client.on("error", () => {});
    try {
      await client.connect();
      return await client.call(command, ...args);
    } finally {
      client.disconnect();
    }
  }

  /** Sends a signal, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    child?.kill("SIGKILL");
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #answers(): Promise<boolean> {
    return await this.call("ping").then(
      () => true,
      () => false,
    );
  }
}
