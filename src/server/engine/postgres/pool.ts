import { Socket } from "node:net";
import pg from "pg";
import { pause } from "../../../platform/clock.ts";
import type { Log } from "../../../platform/log.ts";
import type { EngineHost } from "../../../platform/parse-engine.ts";
import { EngineUnavailable } from "../engine.ts";
import {
  connectionOptions,
  connectPrimary,
  type EngineAccess,
  emptyCommit,
  isWritable,
  type Primary,
} from "./connect.ts";
import { FrequentNames } from "./frequent-names.ts";
import { unlessCut } from "./unless-cut.ts";

/** A statement. One with a name is parsed once for each connection. */
export interface Query {
  readonly name?: string;
  /** Whether so many statements are of this kind that only frequent ones keep their names. */
  readonly isOfMany?: true;
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** What runs statements: the pool, each by itself, or a transaction. */
export interface Queries {
  /** Values of type `bigint` come as numbers. */
  query<Row extends pg.QueryResultRow>(query: Query): Promise<{ readonly rows: Row[] }>;
}

export interface PoolOptions extends EngineAccess {
  readonly log: Log;
  /** Connections for reads. */
  readonly readers?: number;
  /** Connections for changes, which wait for the standby. */
  readonly writers?: number;
  /** The most statements and transactions of each kind that wait for a connection. */
  readonly mostWaiting?: number;
  /** Pause between two looks whether PostgreSQL is at work on a change, in milliseconds. */
  readonly lookMs?: number;
}

/** Pause between two checks of the primary, and between two searches for one, in milliseconds. */
const watchMs = 500;
/**
 * The longest wait for a connection that others use, in milliseconds: longer than anybody waits for an
 * answer. The watch ends the wait if the primary is lost.
 */
const queueMs = 15_000;
/**
 * After so many milliseconds a read without an answer is given up, and its connection: PostgreSQL itself
 * ends statements earlier. A change has no such end, because it may wait for the standby.
 */
const readMs = 15_000;
/** How many times a transaction is tried if others conflict with it. */
const mostTries = 5;

/**
 * Connections to the primary. Reads have their own, so that they go on while changes wait for the
 * standby. While there is no primary, everything is refused at once, and the pool searches for one.
 */
export class EnginePool implements AsyncDisposable {
  readonly #options: PoolOptions;
  /** Undefined while there is no primary. */
  #connected: Connections | undefined;
  readonly #closing = new AbortController();
  #watching: Promise<void> = Promise.resolve();
  readonly #names = new FrequentNames();

  private constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * Connects to the primary, and waits until it has confirmed a commit (K1), however long its standby
   * takes.
   * @param signal ends the wait
   * @throws Problem or EngineUnavailable, as `connectPrimary`; the reason of the signal
   */
  static async open(options: PoolOptions, signal?: AbortSignal): Promise<EnginePool> {
    const pool = new EnginePool(options);
    const first = await connectPrimary(options);
    const close = () => pool.#closing.abort();
    const isUp = new Promise<void>((onUp) => {
      pool.#watching = pool.#watch(first, onUp);
    });
    signal?.addEventListener("abort", close);
    if (signal?.aborted) close();
    await Promise.race([isUp, pool.#watching]);
    signal?.removeEventListener("abort", close);
    signal?.throwIfAborted();
    return pool;
  }

  /** Whether there is a primary. For tests. */
  get isUp(): boolean {
    return this.#connected !== undefined;
  }

  /** The number of statements and transactions that wait for a connection. For tests. */
  get waiting(): number {
    return this.#connected?.waiting ?? 0;
  }

  /** Runs one statement that does not wait for the standby. @throws EngineUnavailable */
  async read<Row extends pg.QueryResultRow>(query: Query): Promise<{ readonly rows: Row[] }> {
    const { name, isOfMany, ...rest } = query;
    const kept = name !== undefined && isOfMany ? this.#names.nameOf(name) : name;
    const named = kept === undefined ? rest : { ...rest, name: kept };
    return await this.#run("read", (client) => send<Row>(client, named));
  }

  /** Runs one statement that is its own transaction. @throws EngineUnavailable */
  async write<Row extends pg.QueryResultRow>(query: Query): Promise<{ readonly rows: Row[] }> {
    return await this.#run("write", (client) => send<Row>(client, query));
  }

  /**
   * Runs statements in one transaction; runs them again from the start after a serialization failure
   * or a deadlock.
   * @throws EngineUnavailable; whether the commit was made is then unknown
   */
  async transaction<T>(run: (transaction: Queries) => Promise<T>): Promise<T> {
    return await this.#run("write", (client) => transacted(client, run));
  }

  /** Runs statements; runs them again from the start after a serialization failure or a deadlock. */
  async #run<T>(kind: Kind, run: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#up.use(kind, run);
      } catch (error) {
        if (!isConflict(error) || tries === mostTries) throw error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#watching;
  }

  get #up(): Connections {
    if (this.#connected === undefined) throw new EngineUnavailable("no primary answers");
    return this.#connected;
  }

  /** Watches the primary until it is lost, then searches for the next one, until the pool is closed. */
  async #watch(first: Primary, onUp: () => void): Promise<void> {
    const { log } = this.#options;
    let closed: Promise<unknown> = Promise.resolve();
    for (let primary: Primary | undefined = first; primary !== undefined; ) {
      const { host, port } = primary.host;
      const connections = new Connections(this.#options, primary.host);
      const losing = new AbortController();
      log.info(`Waits until ${host}:${port} has confirmed a commit`);
      void this.#confirmed(connections, primary.host, losing.signal).then((isConfirmed) => {
        if (!isConfirmed) return;
        this.#connected = connections;
        log.info({ event: "engineFound", host, port }, `The primary is ${host}:${port}`);
        onUp();
      });
      const why = await lost(primary.client, this.#closing.signal);
      losing.abort();
      this.#connected = undefined;
      primary.close();
      closed = Promise.all([closed, connections.close()]);
      if (!this.#closing.signal.aborted) {
        log.warn(
          { event: "engineLost", host, port },
          `The primary ${host}:${port} is lost: ${why}`,
        );
      }
      primary = await this.#search();
    }
    await closed;
  }

  /**
   * Tries until a primary has confirmed a commit. A try fails, for example, while PostgreSQL has no room
   * for one more connection.
   * @returns false if the primary is lost
   */
  async #confirmed(connections: Connections, at: EngineHost, lost: AbortSignal): Promise<boolean> {
    let told = "";
    while (!lost.aborted) {
      const why = await connections.confirm().then(
        () => undefined,
        ({ message }: Error) => message,
      );
      if (lost.aborted) break;
      if (why === undefined) return true;
      if (why !== told) this.#options.log.warn(`${at.host}:${at.port} confirms nothing: ${why}`);
      told = why;
      await pause(watchMs, lost);
    }
    return false;
  }

  /** @returns undefined if the pool has been closed */
  async #search(): Promise<Primary | undefined> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const primary = await connectPrimary(this.#options);
        if (!signal.aborted) return primary;
        primary.close();
      } catch (error) {
        this.#options.log.debug(`No primary yet: ${(error as Error).message}`);
      }
      await pause(watchMs, signal);
    }
    return undefined;
  }
}

/** Resolves when a primary is lost, and says why, or when the signal is given. */
async function lost(client: pg.Client, signal: AbortSignal): Promise<string> {
  const ended = new Promise<string>((resolve) => {
    client.once("error", ({ message }) => resolve(message));
    client.once("end", () => resolve("it ended the connection"));
    signal.addEventListener("abort", () => resolve("the pool is closed"), { once: true });
  });
  for (let why = ""; ; ) {
    why = await Promise.race([ended, pause(watchMs, signal).then(() => "")]);
    if (why !== "") return why;
    const checked = isWritable(client).then(
      (writable) => (writable ? "" : "it is a primary no more"),
      (error: Error) => error.message,
    );
    why = await Promise.race([ended, checked]);
    if (why !== "") return why;
  }
}

type Kind = "read" | "write";

/** The connections to one primary. */
class Connections {
  readonly #mostWaiting: number;
  readonly #lookMs: number;
  readonly #pools: Readonly<Record<Kind, pg.Pool>>;
  readonly #sockets = new Set<Socket>();
  /** PostgreSQL's processes. A pooler tells other numbers when a connection begins. */
  readonly #pids = new WeakMap<pg.ClientBase, number>();
  /** Reject what waits for a connection. */
  readonly #waiting = new Set<(error: EngineUnavailable) => void>();

  constructor(options: PoolOptions, host: EngineHost) {
    const { readers = 4, writers = 8, mostWaiting = 1_000, lookMs = 5_000 } = options;
    this.#mostWaiting = mostWaiting;
    this.#lookMs = lookMs;
    const open = (max: number, more: pg.PoolConfig) => {
      const pool = new pg.Pool({
        ...connectionOptions(options, host),
        ...more,
        max,
        connectionTimeoutMillis: queueMs,
        idleTimeoutMillis: 300_000,
        stream: () => this.#openSocket(),
      });
      // The watch notices that the primary is lost.
      pool.on("error", () => {});
      pool.on("connect", (client) => client.on("error", () => {}));
      return pool;
    };
    this.#pools = {
      read: open(readers, { query_timeout: readMs }),
      write: open(writers, { onConnect: (client) => this.#learnPid(client) }),
    };
  }

  get waiting(): number {
    return this.#pools.read.waitingCount + this.#pools.write.waitingCount;
  }

  async use<T>(kind: Kind, run: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#client(kind);
    let isLost = false;
    try {
      const result = run(client);
      if (kind === "read") return await result;
      return await unlessCut(result, () => this.#isAtWork(client), this.#lookMs);
    } catch (error) {
      isLost = error instanceof EngineUnavailable;
      throw error;
    } finally {
      client.release(isLost);
    }
  }

  async #learnPid(client: pg.ClientBase): Promise<void> {
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    this.#pids.set(client, rows[0]?.pid as number);
  }

  async #isAtWork(client: pg.PoolClient): Promise<boolean> {
    const text = "select 1 from pg_stat_activity where pid = $1 and state is distinct from 'idle'";
    const query = { text, values: [this.#pids.get(client)] };
    const { rows } = await this.use("read", (reader) => send(reader, query));
    return rows.length > 0;
  }

  /**
   * Makes a commit, and resolves once the standby has confirmed it (K1). Otherwise clients could be
   * shown writes that the standby never had, and that are lost at a promotion.
   */
  async confirm(): Promise<void> {
    await this.use("write", (client) => send(client, emptyCommit));
  }

  /** Ends all connections at once. Whatever waits for an answer or a connection is rejected. */
  async close(): Promise<void> {
    const { read, write } = this.#pools;
    const ended = [read.end(), write.end()];
    for (const reject of this.#waiting) reject(new EngineUnavailable("the primary is lost"));
    // A host that does not answer would not end its side of a connection.
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(ended);
  }

  #client(kind: Kind): Promise<pg.PoolClient> {
    const pool = this.#pools[kind];
    return new Promise((resolve, reject) => {
      if (pool.waitingCount >= this.#mostWaiting) {
        return reject(new EngineUnavailable("too many requests wait for PostgreSQL"));
      }
      let isLate = false;
      const giveUp = (error: EngineUnavailable) => {
        isLate = true;
        reject(error);
      };
      this.#waiting.add(giveUp);
      pool
        .connect()
        .then(
          (client) => (isLate ? client.release(true) : resolve(client)),
          ({ message }: Error) => reject(new EngineUnavailable(message)),
        )
        .finally(() => this.#waiting.delete(giveUp));
    });
  }

  #openSocket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }
}

/** Runs a statement. @throws EngineUnavailable if its connection or the server is lost */
async function send<Row extends pg.QueryResultRow>(client: pg.PoolClient, query: Query) {
  const { values, ...rest } = query;
  try {
    return await client.query<Row>({ ...rest, ...(values && { values: [...values] }) });
  } catch (error) {
    if (!meansLoss(error)) throw error;
    throw new EngineUnavailable((error as Error).message, { cause: error });
  }
}

async function transacted<T>(
  client: pg.PoolClient,
  run: (transaction: Queries) => Promise<T>,
): Promise<T> {
  const query: Queries["query"] = (one) => send(client, one);
  await query({ text: "begin" });
  try {
    const result = await run({ query });
    await query({ text: "commit" });
    return result;
  } catch (error) {
    // Without a connection, the server rolls back by itself.
    if (!(error instanceof EngineUnavailable)) await query({ text: "rollback" });
    throw error;
  }
}

/** Whether another transaction was in the way: a serialization failure or a deadlock. */
function isConflict(error: unknown): boolean {
  return error instanceof pg.DatabaseError && ["40001", "40P01"].includes(error.code ?? "");
}

/**
 * Whether an error means that the connection is lost, or that the server can't be used: it stops,
 * crashes, starts, has no room for connections, is a standby, or took too long.
 */
function meansLoss(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return true;
  return /^(?:08|53|57)/.test(error.code ?? "") || error.code === "25006";
}
