import type { ConnectionOptions } from "../client/connection.ts";
import type { Session, SessionOptions } from "../client/session.ts";
import type { Child } from "../cluster/child.ts";
import type { Process } from "../cluster/supervisor.ts";
import type { LogLevel } from "../platform/log.ts";
import { LocalCluster, type LocalClusterOptions } from "./local-cluster.ts";
import { Relay } from "./relay.ts";
import { RelayWiring, relayPorts } from "./relay-wiring.ts";

export interface RelayedClusterOptions {
  readonly servers: number;
  /** The path of an empty folder for data and logs. */
  readonly folder: string;
  readonly logLevel: LogLevel;
  /** Whether users need accounts. */
  readonly auth?: LocalClusterOptions["auth"];
  /** The servers' settings, as environment variables. */
  readonly settings?: LocalClusterOptions["settings"];
  /** The servers' engine. */
  readonly engine?: RelayedEngine | undefined;
}

export interface RelayedEngine {
  /** The address, as the setting `engine` expects it. */
  readonly url: string;
  /** The servers of PostgreSQL, in the order of the address. */
  readonly targets: readonly EngineTarget[];
  /** The Redis beside it. */
  readonly redis?: EngineTarget | undefined;
}

interface EngineTarget {
  readonly label: string;
  readonly endpoint: string;
}

/** A new cluster whose processes and clients reach each other only through a relay. */
export class RelayedCluster implements AsyncDisposable {
  readonly relay: Relay;
  readonly local: LocalCluster;
  /** The endpoints at which clients reach brokers and proxies through the relay. */
  readonly endpoints: Pick<ConnectionOptions, "brokers" | "proxies">;

  private constructor(relay: Relay, local: LocalCluster, wiring: RelayWiring) {
    this.relay = relay;
    this.local = local;
    const at = (role: "broker" | "proxy", use: string) =>
      local.of(role).map((child) => wiring.forClients(child, child.ready?.endpoints[use] ?? ""));
    this.endpoints = { brokers: at("broker", "front"), proxies: at("proxy", "back") };
  }

  static async start(options: RelayedClusterOptions) {
    const { servers, folder, logLevel, auth, settings, engine } = options;
    const stores = (engine?.targets.length ?? 0) + (engine?.redis === undefined ? 0 : 1);
    const relay = await Relay.open(relayPorts(servers, stores));
    let local: LocalCluster | undefined;
    const nodeOf = (name: string) =>
      local?.of("server").find(({ ready }) => ready?.name === name)?.label;
    const wiring = new RelayWiring({ relay, folder, nodeOf });
    const engineEnv = ({ url, targets, redis }: RelayedEngine, server: Process) => {
      const hosts = targets.map((target) => wiring.between(server, target, target.endpoint));
      const at = redis && wiring.between(server, redis, redis.endpoint).replace("tcp:", "redis:");
      return {
        TERTULIA_ENGINE: url.replace(/@.*\//, `@${hosts.join(",").replaceAll("tcp://", "")}/`),
        ...(at && { TERTULIA_REDIS: at }),
      };
    };
    try {
      local = await LocalCluster.start({
        servers,
        data: folder,
        logLevel,
        wiring,
        ...(auth && { auth }),
        ...(engine && { engine: engine.url }),
        settings: (process) => ({
          ...settings?.(process),
          ...(engine && process.role === "server" ? engineEnv(engine, process) : {}),
        }),
      });
    } catch (error) {
      await relay[Symbol.asyncDispose]();
      throw error;
    }
    return new RelayedCluster(relay, local, wiring);
  }

  /** All processes, servers first. */
  get processes(): Child[] {
    const roles = ["server", "broker", "proxy", "reference"] as const;
    return roles.flatMap((role) => this.local.of(role));
  }

  /**
   * Opens a session on a separate connection through the relay. The connection is closed with the
   * cluster.
   */
  client(options: Partial<ConnectionOptions> & SessionOptions = {}): Session {
    return this.local.client({ ...this.endpoints, ...options });
  }

  /** Stops the bots, then the servers, then all other processes. The data folder stays. */
  stop(): Promise<void> {
    return this.local.stop();
  }

  /** Stops the cluster and the relay. The caller must delete the data folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.relay[Symbol.asyncDispose]();
  }
}
