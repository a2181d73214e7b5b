import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { withKey } from "../platform/endpoint.ts";
import { type Log, type LogLevel, openLog, openLogFile } from "../platform/log.ts";
import { Problem } from "../platform/problem.ts";
import type { Running } from "../platform/run-process.ts";
import { Child } from "./child.ts";

export interface ClusterConfig {
  readonly servers: number;
  readonly bots: number;
  readonly botFlags?: readonly string[];
  readonly gateways?: number;
  /** Servers of card matches. */
  readonly games?: number;
  readonly brokers: number;
  readonly proxies: number;
  readonly data: string;
  /**
   * The path of the secret's file, if it is not in the data folder. The secret itself is in none of
   * these options.
   */
  readonly secretFile?: string | undefined;
  readonly cluster?: string;
  /** The first of five ports; 0 means any free ports. */
  readonly port: number;
  readonly logLevel: LogLevel;
  readonly auth?: "open" | "required";
  /** The cluster's public key in an encrypted cluster, else undefined. */
  readonly serverKey?: string | undefined;
  readonly guestServers?: boolean;
  /** Whether each process serves its metrics, on a free port of this machine. */
  readonly hasMetrics?: boolean;
  /** Whether logs are written to files in the data folder instead of stderr. */
  readonly logFiles: boolean;
  /** Called with the reason if a process says that it waits for what it needs. */
  readonly onWaiting?: (process: Process, why: string) => void;
  /** Environment variables of all processes, unless this cluster gives them another value. */
  readonly inherited?: Readonly<Record<string, string>>;
  /** Returns further environment variables of a server or a gateway, such as its settings. */
  readonly settings?: (process: Process) => Readonly<Record<string, string>>;
  /** Returns the executable of a process, such as that of another version of this program. */
  readonly program?: (process: Process) => string | undefined;
  /**
   * Chooses the endpoints at which processes reach each other; without a wiring, processes connect
   * directly.
   */
  readonly wiring?: Wiring;
}

/** Decides at which endpoints the processes reach each other, for example through a relay. */
export interface Wiring {
  /**
   * Returns the endpoint to which `from` connects in order to reach `endpoint`, which `to` has
   * bound.
   */
  between(from: Process, to: Process, endpoint: string): string;
  /**
   * Returns the endpoint at which a server binds its peer link, and the one at which other
   * processes reach it.
   */
  peerLink(server: Process): { readonly bind: string; readonly advertise: string };
}

/** A process of the cluster; its label is, for example, `server 1`. */
export type Process = Pick<Child, "role" | "number" | "label">;

/** Comma-separated lists of endpoints, as the settings of the same names expect them. */
export type Endpoints = Supervisor["endpoints"];

type Counts = Pick<ClusterConfig, "brokers" | "proxies" | "gateways" | "games">;

/** The distance between the ports of the first and the second broker, proxy, gateway or game server. */
const portStep = 10;

/** Returns the highest first port for which no other port is above 65,535. */
export function lastFirstPort({ brokers, proxies, gateways = 0, games = 0 }: Counts): number {
  const offsets = [
    4,
    portStep * (brokers - 1) + 1,
    portStep * (proxies - 1) + 3,
    portStep * (gateways - 1) + 5,
    portStep * (games - 1) + 7,
  ];
  return 65_535 - Math.max(...offsets);
}

/**
 * For each group of processes, the most milliseconds for which `up` waits until the group has
 * stopped. `up` stops the groups one after the other, and must end within 10 s. So the sum of the
 * three times is below 10 s.
 */
const stopBotsMs = 2_300;
const stopServersMs = 5_500;
const stopOthersMs = 1_500;

/** Runs the whole cluster as processes of this machine, and restarts each process that dies. */
export class Supervisor implements Running {
  readonly #config: ClusterConfig;
  readonly #log: Log;
  readonly #closers: (() => void)[] = [];
  readonly children: Child[] = [];
  #stopped: Promise<void> | undefined;

  constructor(config: ClusterConfig) {
    this.#config = config;
    const { logLevel: level } = config;
    const stderr = this.#stderrOf("up");
    this.#log = openLog({
      level,
      role: "up",
      name: () => "up",
      clock: () => 0,
      ...(stderr === "inherit" ? {} : { fd: stderr }),
    });
  }

  of(role: Child["role"]): Child[] {
    return this.children.filter((child) => child.role === role);
  }

  /**
   * Starts all processes, and waits until they serve.
   * @throws Problem if a process can't start
   */
  async start(): Promise<void> {
    const { brokers, proxies, servers, bots, gateways = 0, games = 0 } = this.#config;
    await this.#add("reference", 1);
    await Promise.all([this.#add("broker", brokers), this.#add("proxy", proxies)]);
    await this.#add("server", servers);
    await this.#add("game", games);
    await Promise.all([this.#add("gateway", gateways), this.#add("bot", bots)]);
  }

  /** Starts one more server, and waits until it serves. */
  async addServer(): Promise<Child> {
    await this.#add("server", 1);
    return this.of("server").at(-1) as Child;
  }

  get endpoints() {
    return {
      broker: this.#listForClients("broker", "front"),
      brokerBack: this.#list("broker", "back"),
      proxyIn: this.#list("proxy", "front"),
      proxy: this.#listForClients("proxy", "back"),
      reference: this.#listForClients("reference", "bind"),
      /** The addresses of the gateways, for browsers. */
      http: this.#list("gateway", "http").replaceAll("tcp:", "http:"),
      /** The addresses of the game servers, for players, and those by MQTT. */
      game: this.#listForClients("game", "front"),
      mqtt: this.#list("game", "mqtt").replaceAll("tcp:", "mqtt:"),
    };
  }

  /** Stops first the bots, then the servers, then the processes that servers need (R11). */
  [Symbol.asyncDispose](): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    for (const child of this.children) child.letEnd();
    const stopAll = (children: Child[], graceMs: number) =>
      Promise.all(children.map((child) => child.stop(graceMs)));
    // A gateway closes its clients' connections over some seconds, and needs no server for that.
    const gateways = stopAll(this.of("gateway"), stopBotsMs + stopServersMs);
    await stopAll([...this.of("bot"), ...this.of("game")], stopBotsMs);
    await stopAll(this.of("server"), stopServersMs);
    await gateways;
    await stopAll(
      this.children.filter(({ role }) => !["bot", "gateway", "game", "server"].includes(role)),
      stopOthersMs,
    );
    for (const close of this.#closers) close();
  }

  async #add(role: Child["role"], count: number): Promise<void> {
    // A process that becomes ready while the cluster is being stopped must not let the next
    // processes start.
    if (this.#stopped !== undefined) throw new Problem("The cluster is being stopped.");
    const present = this.of(role).length;
    const added: Child[] = [];
    for (let number = present + 1; number <= present + count; number += 1) {
      const child: Child = new Child({
        role,
        number,
        environment: () => this.#environment(child),
        program: () => this.#config.program?.(child),
        flags: role === "bot" ? this.#config.botFlags : undefined,
        stderr: this.#stderrOf(`${role}-${number}`),
        logPath: this.#config.logFiles ? this.#logPath(`${role}-${number}`) : undefined,
        onWaiting: (why) => this.#config.onWaiting?.(child, why),
        log: this.#log,
      });
      added.push(child);
      this.children.push(child);
    }
    await Promise.all(added.map((child) => child.start()));
  }

  #stderrOf(name: string): number | "inherit" {
    if (!this.#config.logFiles) return "inherit";
    const path = this.#logPath(name);
    mkdirSync(dirname(path), { recursive: true });
    const file = openLogFile(path);
    this.#closers.push(() => file.close());
    return file.fd;
  }

  #logPath(name: string): string {
    return join(this.#config.data, "logs", `${name}.log`);
  }

  #environment(child: Child): Record<string, string> {
    const { role, number, ready } = child;
    const { data, logLevel, cluster, secretFile, auth, serverKey, hasMetrics } = this.#config;
    const common = {
      ...this.#config.inherited,
      // `inherited` has what a process of `up` needs of the settings file.
      TERTULIA_CONFIG: "",
      TERTULIA_DATA: data,
      TERTULIA_LOG_LEVEL: logLevel,
      // The endpoint in the environment of `up` is that of `up` itself.
      TERTULIA_METRICS: hasMetrics === true ? "tcp://127.0.0.1:*" : "",
      ...(auth === undefined ? {} : { TERTULIA_AUTH: auth }),
      ...(serverKey === undefined ? {} : { TERTULIA_CURVE: "true" }),
      ...(cluster === undefined ? {} : { TERTULIA_CLUSTER: cluster }),
      // The environment of `up` may contain a secret; it must not override the file.
      ...(secretFile === undefined
        ? {}
        : { TERTULIA_SECRET_FILE: secretFile, TERTULIA_SECRET: "" }),
    };
    // A restarted child binds the same ports as before, because other processes know them.
    const at = (use: string, offset: number) =>
      ready?.endpoints[use] ?? this.#endpoint(offset, number);
    switch (role) {
      case "reference":
        return { ...common, TERTULIA_BIND: at("bind", 4) };
      case "broker":
      case "proxy": {
        const first = role === "broker" ? 0 : 2;
        return {
          ...common,
          TERTULIA_FRONT: at("front", first),
          TERTULIA_BACK: at("back", first + 1),
          ...(this.#config.guestServers ? { TERTULIA_GUEST_SERVERS: "true" } : {}),
          TERTULIA_REFERENCE: this.#list("reference", "bind", child),
        };
      }
      default:
        return {
          ...common,
          ...(role === "bot" ? {} : this.#config.settings?.(child)),
          ...(role === "server" ? this.#peerLink(child) : {}),
          // Cleared: the password of the person who runs `up` is not a bot's password.
          ...(role === "bot" ? { TERTULIA_PASSWORD_FILE: "" } : {}),
          ...(role === "gateway"
            ? { TERTULIA_HTTP: at("http", 5), TERTULIA_GAME: this.#list("game", "front", child) }
            : {}),
          ...(role === "game"
            ? { TERTULIA_FRONT: at("front", 6), TERTULIA_MQTT: at("mqtt", 7) }
            : {}),
          TERTULIA_BROKER: this.#list("broker", "front", child),
          TERTULIA_BROKER_BACK: this.#list("broker", "back", child),
          TERTULIA_PROXY_IN: this.#list("proxy", "front", child),
          TERTULIA_PROXY: this.#list("proxy", "back", child),
          TERTULIA_REFERENCE: this.#list("reference", "bind", child),
        };
    }
  }

  /**
   * Returns the endpoints of a role as the process `from` reaches them; without `from`, the bound
   * endpoints.
   */
  #list(role: Child["role"], use: string, from?: Process): string {
    const { wiring } = this.#config;
    const endpoints = this.of(role).flatMap((to) => {
      const endpoint = to.ready?.endpoints[use];
      if (endpoint === undefined) return [];
      return from && wiring ? wiring.between(from, to, endpoint) : endpoint;
    });
    return endpoints.join(",");
  }

  /**
   * Returns the endpoints of a role with the cluster's key, because clients can't derive the key
   * from the secret.
   */
  #listForClients(role: Child["role"], use: string): string {
    return withKey(this.#list(role, use).split(","), this.#config.serverKey).join(",");
  }

  #peerLink(server: Process): Record<string, string> {
    const link = this.#config.wiring?.peerLink(server);
    return link ? { TERTULIA_BIND: link.bind, TERTULIA_ADVERTISE: link.advertise } : {};
  }

  #endpoint(offset: number, number: number): string {
    const { port } = this.#config;
    return `tcp://127.0.0.1:${port === 0 ? "*" : port + offset + portStep * (number - 1)}`;
  }
}
