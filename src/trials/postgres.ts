import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { now, pause } from "../platform/clock.ts";
import { Problem } from "../platform/problem.ts";
import { randomHex } from "../platform/random.ts";
import { freePort } from "./free-ports.ts";

const programs = programFolder();
export const hasPostgres =
  programs !== undefined && spawnSync("setpriv", ["--version"]).status === 0;
/** Says in titles why tests of an engine are skipped. */
export const skipNote = hasPostgres ? "" : " (skipped: PostgreSQL 15 or setpriv is missing)";

export interface PostgresOptions {
  /** Whether a standby confirms each commit. */
  readonly standby?: boolean;
  /** The password of the user `postgres`; without it, no password is asked for. */
  readonly password?: string;
  /** Settings of both servers, as in `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>;
}

const patienceMs = 30_000;

/** A primary and perhaps its synchronous standby, on free ports and in a temporary folder. */
export class Postgres implements AsyncDisposable {
  readonly #folder: string;
  readonly #options: PostgresOptions;
  readonly #nodes: PostgresNode[] = [];
  /** The index of the primary in `#nodes`. */
  #primary = 0;

  /** `startPostgres` makes and starts one. */
  constructor(folder: string, options: PostgresOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { standby, password } = this.#options;
    const primary = await this.#addNode();
    const secret = join(this.#folder, "password");
    const flags = ["-D", primary.folder, "-U", "postgres", "--no-sync", "--encoding=UTF8"];
    if (password !== undefined) {
      await writeFile(secret, password);
      if (isRoot) execFileSync("chown", ["postgres:", secret]);
    }
    const access = password === undefined ? ["-A", "trust"] : ["-A", "scram-sha-256"];
    const ask = password === undefined ? [] : [`--pwfile=${secret}`];
    await run("initdb", [...flags, "--locale=C.UTF-8", ...access, ...ask]);
    await primary.start();
    if (standby !== true) return;
    await this.#addNode();
    await this.addStandby();
  }

  async #addNode(): Promise<PostgresNode> {
    const { password, settings = {} } = this.#options;
    const folder = join(this.#folder, `node-${this.#nodes.length + 1}`);
    const node = new PostgresNode({ folder, port: await freePort(), password, settings });
    this.#nodes.push(node);
    return node;
  }

  get nodes(): readonly PostgresNode[] {
    return this.#nodes;
  }

  get primary(): PostgresNode {
    return this.#nodes[this.#primary] as PostgresNode;
  }

  get standby(): PostgresNode {
    const node = this.#nodes[1 - this.#primary];
    if (node === undefined) throw new Error("there is no standby");
    return node;
  }

  /** The address of the database `postgres`, for a user that may do everything. */
  get url(): string {
    return this.urlOf("postgres");
  }

  /** The address of a database, with all servers. */
  urlOf(database: string): string {
    const hosts = this.#nodes.map(({ port }) => `127.0.0.1:${port}`);
    return `postgres://postgres@${hosts.join(",")}/${database}`;
  }

  /** Makes an empty database. @returns its address */
  async createDatabase(): Promise<string> {
    const database = `test_${randomHex(6)}`;
    await this.query(`create database ${database}`);
    return this.urlOf(database);
  }

  /** Runs a statement at the primary, by default in the database `postgres`. */
  query<Row extends pg.QueryResultRow>(text: string, database = "postgres"): Promise<Row[]> {
    return this.primary.query<Row>(text, database);
  }

  /** Kills the primary and all its processes, as if its machine had died. */
  kill(): Promise<void> {
    return this.primary.kill();
  }

  /** Makes the standby the primary. The present primary must be down. */
  async promote(): Promise<void> {
    await this.standby.query("select pg_promote()");
    this.#primary = 1 - this.#primary;
  }

  /** Makes the server that is not the primary a new synchronous standby. */
  async addStandby(): Promise<void> {
    const { primary, standby } = this;
    const { password = "" } = this.#options;
    await standby.stop();
    await rm(standby.folder, { recursive: true, force: true });
    const place = `host=127.0.0.1 port=${primary.port} user=postgres password='${password}'`;
    const source = `${place} application_name=standby`;
    await run("pg_basebackup", ["-D", standby.folder, "-d", source, "-R", "-c", "fast"]);
    await standby.start();
    await primary.query("alter system set synchronous_standby_names = 'standby'");
    await primary.query("select pg_reload_conf()");
    await this.untilStandbyConfirms();
  }

  /** Waits until a standby confirms each commit. */
  async untilStandbyConfirms(): Promise<void> {
    const state = `select 1 from pg_stat_replication
      where sync_state = 'sync' and flush_lsn >= pg_current_wal_flush_lsn()`;
    const isSynchronous = async () => {
      return (await this.primary.query(state).catch(() => [])).length > 0;
    };
    await until(isSynchronous, "the standby confirms each commit", patienceMs);
  }

  /** Stops all servers in order. */
  async stop(): Promise<void> {
    // The standby first: a primary that stops waits for its standby.
    for (const node of [...this.#nodes].reverse()) await node.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await node.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  if (!hasPostgres) throw new Problem("PostgreSQL 15 or setpriv is missing: install them.");
  const folder = await mkdtemp(join(tmpdir(), "tertulia-postgres-"));
  if (isRoot) execFileSync("chown", ["postgres:", folder]);
  const postgres = new Postgres(folder, options);
  try {
    await postgres.start();
  } catch (error) {
    await postgres[Symbol.asyncDispose]();
    throw error;
  }
  return postgres;
}

interface NodeOptions {
  readonly folder: string;
  readonly port: number;
  readonly password: string | undefined;
  readonly settings: Readonly<Record<string, string>>;
}

/** One server of PostgreSQL. */
export class PostgresNode {
  readonly folder: string;
  readonly port: number;
  readonly #options: NodeOptions;
  #process: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();

  constructor(options: NodeOptions) {
    this.folder = options.folder;
    this.port = options.port;
    this.#options = options;
  }

  /** The process that started all the others; undefined while the server is down. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts the server unless it runs, also after it was killed, and waits until it answers. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const settings = {
      port: String(this.port),
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      // Shared memory outside of the folder would outlive a killed server.
      dynamic_shared_memory_type: "mmap",
      synchronous_commit: "on",
      ...this.#options.settings,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const log = await open(`${this.folder}.log`, "a");
    const { file, args } = command("postgres", ["-D", this.folder, ...flags]);
    const child = spawn(file, args, { stdio: ["ignore", log.fd, log.fd], cwd: "/" });
    await log.close();
    this.#process = child;
    this.#exited = once(child, "exit");
    const answers = async () => {
      if (child.exitCode !== null) throw new Error(await readFile(`${this.folder}.log`, "utf8"));
      return await this.query("select 1").then(
        () => true,
        () => false,
      );
    };
    await until(answers, "PostgreSQL answers", patienceMs);
  }

  /** Runs a statement on a connection of its own. */
  async query<Row extends pg.QueryResultRow>(text: string, database = "postgres"): Promise<Row[]> {
    const { password } = this.#options;
    const place = { host: "127.0.0.1", port: this.port, user: "postgres", database };
    const client = new pg.Client(password === undefined ? place : { ...place, password });
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** Sends a signal to all processes of the server, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void {
    for (const pid of this.#pids) sendSignal(pid, signal);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined) return;
    this.#process = undefined;
    // A stopped process starts no other one, so none is missed.
    sendSignal(child.pid, "SIGSTOP");
    const pids = [child.pid, ...childrenOf(child.pid)];
    for (const pid of pids) sendSignal(pid, "SIGKILL");
    await this.#exited;
    await until(() => !pids.some(isAlive), "PostgreSQL's processes are gone");
    this.#removeSharedMemory();
  }

  /** Stops the server as an operator does: open transactions are rolled back. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    child?.kill("SIGINT");
    await this.#exited;
  }

  get #pids(): number[] {
    const pid = this.#process?.pid;
    return pid === undefined ? [] : [pid, ...childrenOf(pid)];
  }

  /** Removes the segment that marks the folder as used, which a killed server leaves. */
  #removeSharedMemory(): void {
    const file = join(this.folder, "postmaster.pid");
    // Line 7 of postmaster.pid: the key and the id of the shared memory.
    const line = existsSync(file) ? readFileSync(file, "utf8").split("\n")[6] : undefined;
    const [, id] = line?.trim().split(/\s+/) ?? [];
    if (id !== undefined) spawnSync("ipcrm", ["-m", id]);
  }
}

const isRoot = userInfo().uid === 0;

/** Returns the folder of the newest installed PostgreSQL; undefined if all are older than 15. */
function programFolder(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).map(Number) : [];
  const newest = Math.max(...versions.filter((version) => version >= 15));
  return Number.isFinite(newest) ? join(debian, String(newest), "bin") : undefined;
}

/** Returns how a program of PostgreSQL is run: never as root, and never longer than this process. */
function command(program: string, args: readonly string[]) {
  const user = isRoot ? ["--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];
  const path = join(programs ?? "", program);
  return { file: "setpriv", args: [...user, "--pdeathsig=INT", path, ...args] };
}

async function run(program: string, flags: readonly string[]): Promise<void> {
  const { file, args } = command(program, flags);
  await promisify(execFile)(file, args, { cwd: "/" });
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

/** Whether a process runs. A zombie does not count. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has already ended.
  }
}

/** Waits for a condition; the limit only turns a hang into a failure. */
async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 10_000,
): Promise<void> {
  const giveUpMs = now().steadyMs + limitMs;
  while (!(await condition())) {
    if (now().steadyMs > giveUpMs) throw new Error(`never came true: ${what}`);
    await pause(5);
  }
}
