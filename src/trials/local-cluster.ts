import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection, type ConnectionOptions } from "../client/connection.ts";
import type { Session, SessionOptions } from "../client/session.ts";
import type { Child } from "../cluster/child.ts";
import { type ClusterConfig, Supervisor } from "../cluster/supervisor.ts";
import { memberKeys } from "../platform/curve.ts";
import type { LogLevel } from "../platform/log.ts";
import { openSecret, secretSource } from "../platform/secret.ts";
import { Settings } from "../platform/settings.ts";
import { TrialDatabase } from "./trial-database.ts";

export interface LocalClusterOptions extends Partial<ClusterConfig> {
  readonly logLevel?: LogLevel;
  /** Whether all connections are encrypted. */
  readonly curve?: boolean;
  /**
   * The engine of the servers. By default they have none, unless the environment variable
   * `TERTULIA_TEST_ENGINE` names one: then the cluster has a database there, as long as its folder.
   */
  readonly engine?: string;
  /** The address of a Redis for servers with an engine. By default they use none. */
  readonly redis?: string;
}

/** A new cluster of real processes on free ports. By default its data is in a temporary folder. */
export class LocalCluster implements AsyncDisposable {
  /** Whether clusters have an engine if their options name none. */
  static readonly hasEngine = TrialDatabase.isConfigured;
  readonly folder: string;
  /** The engine of the servers, if they have one. */
  readonly engine: string | undefined;
  readonly #database: TrialDatabase | undefined;
  readonly #supervisor: Supervisor;
  readonly #connections: Connection[] = [];

  private constructor(folder: string, options: LocalClusterOptions, database?: TrialDatabase) {
    this.folder = folder;
    this.#database = database;
    const engine = options.engine ?? database?.url;
    this.engine = engine;
    const { secretFile, cluster, curve, redis } = options;
    const engineEnv = {
      ...(engine !== undefined && { TERTULIA_ENGINE: engine }),
      ...(redis !== undefined && { TERTULIA_REDIS: redis }),
    };
    const settings = new Settings({ data: folder, secretFile, cluster, curve }, {});
    const keys = memberKeys(settings, openSecret(secretSource(settings)));
    this.#supervisor = new Supervisor({
      servers: 3,
      bots: 0,
      brokers: 1,
      proxies: 1,
      data: folder,
      port: 0,
      logLevel: "warn",
      logFiles: true,
      serverKey: keys?.publicKey,
      ...options,
      // The rate limits are off, because they would slow down a trial's load.
      settings: (server) => ({
        TERTULIA_USER_RATE: "0",
        TERTULIA_CONNECTION_RATE: "0",
        ...(server.role === "server" ? engineEnv : {}),
        ...options.settings?.(server),
      }),
    });
  }

  static async start(options: LocalClusterOptions = {}): Promise<LocalCluster> {
    const folder = options.data ?? (await mkdtemp(join(tmpdir(), "tertulia-")));
    const database = options.engine === undefined ? await TrialDatabase.of(folder) : undefined;
    const cluster = new LocalCluster(folder, options, database);
    try {
      await cluster.#supervisor.start();
    } catch (error) {
      await cluster.#supervisor[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  get endpoints() {
    return this.#supervisor.endpoints;
  }

  /** Returns the processes of a role, in order of their start. */
  of(role: Child["role"]): Child[] {
    return this.#supervisor.of(role);
  }

  server(number: number): Child {
    const child = this.of("server")[number - 1];
    if (child === undefined) throw new Error(`there is no server ${number}`);
    return child;
  }

  /** The address of a gateway, such as `http://127.0.0.1:49152`. @param number counts from 1 */
  http(number = 1): string {
    const address = this.endpoints.http.split(",")[number - 1];
    if (!address) throw new Error(`there is no gateway ${number}`);
    return address;
  }

  /**
   * Stops servers without ending them, so that nothing can be committed until the result is disposed
   * of. With an engine each server can commit alone, so all are stopped.
   * @returns also how many servers still run
   */
  withoutQuorum(): Disposable & { readonly running: number } {
    const running = this.engine === undefined ? 1 : 0;
    const stopped = this.of("server").slice(running);
    for (const server of stopped) server.signal("SIGSTOP");
    return {
      running,
      [Symbol.dispose]: () => {
        for (const server of stopped) server.signal("SIGCONT");
      },
    };
  }

  addServer(): Promise<Child> {
    return this.#supervisor.addServer();
  }

  /** Opens a connection, which is closed with the cluster. */
  connection(options: Partial<ConnectionOptions> = {}): Connection {
    const { broker, proxy } = this.endpoints;
    const connection = new Connection({
      brokers: broker.split(","),
      proxies: proxy.split(","),
      ...options,
    });
    this.#connections.push(connection);
    return connection;
  }

  /** Opens a session on a separate connection. */
  client(options: Partial<ConnectionOptions> & SessionOptions = {}): Session {
    return this.connection(options).session(options);
  }

  /**
   * Stops the bots, then the servers, then all other processes. The data folder stays until the
   * cluster is disposed of.
   */
  async stop(): Promise<void> {
    for (const connection of this.#connections.splice(0)) connection.close();
    await this.#supervisor[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#database?.[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}
