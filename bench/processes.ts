import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The path of the built executable. */
export const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));

/** Reads `/proc`. Returns why the measurements of processes are impossible here, if they are. */
export function withoutProc(): string | undefined {
  return process.platform === "linux" ? undefined : "it reads /proc, which only Linux has.";
}

/** Seconds of processor time that the processes' threads have used so far. */
export function processorSeconds(pids: readonly number[]): number {
  const tasks = pids.flatMap((pid) => {
    return readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}/schedstat`);
  });
  return sum(tasks.map((path) => Number(readFileSync(path, "utf8").split(" ")[0]) / 1e9));
}

/**
 * Megabytes of memory of the processes together.
 * @param kind with `Pss`, memory that processes share counts once; with `Rss`, for each process
 */
export function megabytes(pids: readonly number[], kind: "Pss" | "Rss" = "Rss"): number {
  const shares = pids.map((pid) => {
    const pattern = new RegExp(`^${kind}:\\s+(\\d+) kB`, "m");
    return Number(pattern.exec(fileOf(pid, "smaps_rollup"))?.[1]) / 1_000;
  });
  return sum(shares);
}

/** How many file descriptors a process has open. */
export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(fileOf(pid, "status"))?.[1]);
}

function fileOf(pid: number, name: string): string {
  return readFileSync(`/proc/${pid}/${name}`, "utf8");
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A temporary folder, which is removed at the end, also if the bench is stopped by a signal. */
export class TemporaryFolder implements AsyncDisposable {
  readonly path: string;
  // Processes that still end may write meanwhile.
  readonly #removeAtExit = () =>
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });

  private constructor(path: string) {
    this.path = path;
    process.once("exit", this.#removeAtExit);
  }

  static async make(): Promise<TemporaryFolder> {
    // Made at once, so that no signal comes between the folder and its removal at exit.
    return new TemporaryFolder(mkdtempSync(join(tmpdir(), "tertulia-bench-")));
  }

  /** Leaves the folder for a person to look at. */
  keep(): void {
    process.off("exit", this.#removeAtExit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    // Last, because a signal may end the bench while it removes the folder.
    this.keep();
  }
}

/** Ends a process together with the bench. @returns a function that forgets the process */
export function endAtExit(child: ChildProcess, signal: NodeJS.Signals): () => void {
  const end = () => void child.kill(signal);
  process.once("exit", end);
  return () => process.off("exit", end);
}

interface Ready {
  /** Endpoints for clients, separated by commas. */
  readonly broker: string;
  readonly proxy: string;
  readonly processes: readonly {
    readonly role: string;
    readonly name: string;
    readonly pid: number;
  }[];
}

interface EmbeddedOptions {
  /** Further settings, as environment variables. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The file to which all processes log at the level info; without it, only warnings are logged. */
  readonly log?: number;
}

/** The whole cluster as `npm start` runs it: `tertulia up` and its processes. */
export class Embedded implements AsyncDisposable {
  /** Milliseconds from the start of the command to the line that says that all are ready. */
  readonly readyMs: number;
  readonly ready: Ready;
  /** All processes of the cluster, of which `up` is the first. */
  readonly pids: readonly number[];
  readonly #exited: Promise<unknown>;

  private constructor(started: Pick<Embedded, "readyMs" | "ready">, exited: Promise<unknown>) {
    this.readyMs = started.readyMs;
    this.ready = started.ready;
    const pids = this.ready.processes.map(({ pid }) => pid);
    this.pids = [parentOf(pids[0] ?? 0), ...pids];
    this.#exited = exited;
  }

  /** @param command `tertulia up` or a command that ends in it, with the first flags */
  static async start(
    [program, ...args]: readonly string[],
    data: string,
    { environment, log }: EmbeddedOptions = {},
  ): Promise<Embedded> {
    const startMs = performance.now();
    const level = log === undefined ? "warn" : "info";
    const flags = ["--json", "--port", "0", "--log-level", level, "--data", data];
    const child = spawn(program ?? "", [...args, ...flags], {
      cwd: root,
      stdio: ["ignore", "pipe", log ?? "inherit"],
      env: { ...process.env, ...environment },
    });
    const exited = once(child, "exit").then(endAtExit(child, "SIGTERM"));
    const ready = await readyLine(child);
    return new Embedded({ readyMs: performance.now() - startMs, ready }, exited);
  }

  /** Stops `up`, which stops the other processes, as a person's Ctrl-C does. */
  async [Symbol.asyncDispose](): Promise<void> {
    const [up] = this.pids;
    if (up !== undefined) process.kill(up, "SIGTERM");
    await this.#exited;
  }
}

async function readyLine(child: ChildProcess): Promise<Ready> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  for await (const line of lines) if (line.startsWith("{")) return JSON.parse(line) as Ready;
  throw new Error("the cluster ended before it was ready");
}

/** Runs a command to its end. @throws Error if the command fails */
export async function run(
  [program = "", ...args]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const env = { ...process.env, ...environment };
  const child = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${said}`);
}
