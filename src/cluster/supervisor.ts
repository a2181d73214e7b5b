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
  readonly brokers: number;
  readonly proxies: number;
  readonly data: string;
  /** The file of the secret, if it is not in the data folder; never the secret itself. */
  readonly secretFile?: string | undefined;
  readonly cluster?: string;
  /** The first of five ports; 0 for any free ones. */
  readonly port: number;
  readonly logLevel: LogLevel;
  readonly auth?: "open" | "required";
  /** The cluster's public key, if all connections are encrypted. */
  readonly serverKey?: string | undefined;
  readonly guestServers?: boolean;
  /** Whether the logs go to files below the data folder instead of stderr. */
  readonly logFiles: boolean;
  /** More environment variables of a server, such as its settings. */
  readonly settings?: (server: Process) => Readonly<Record<string, string>>;
  /** Without it the processes reach each other directly. */
  readonly wiring?: Wiring;
}

/** Puts something, such as a relay, between the processes. */
export interface Wiring {
  /** The endpoint at which `from` reaches what `to` has bound at `endpoint`. */
  between(from: Process, to: Process, endpoint: string): string;
  /** The endpoint where a server binds its peer link, and the one where others reach it. */
  peerLink(server: Process): { readonly bind: string; readonly advertise: string };
}

/** A process by its label: `server 1`. */
export type Process = Pick<Child, "role" | "number" | "label">;

/** Comma-separated lists, as the settings of the same names take them. */
export type Endpoints = Supervisor["endpoints"];

/** Ports of the second broker and proxy are ten above those of the first. */
const portStep = 10;

/** The highest first port that leaves all other ports within 65,535. */
export function lastFirstPort(brokers: number, proxies: number): number {
  const offsets = [4, portStep * (brokers - 1) + 1, portStep * (proxies - 1) + 3];
  return 65_535 - Math.max(...offsets);
}

/** Together less than the 10 s in which `up` must end. */
const stopBotsMs = 2_300;
const stopServersMs = 5_500;
const stopOthersMs = 1_500;

/** The whole cluster as processes of this machine, which are started again when they die. */
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

  /** Starts all processes and waits until they serve. @throws Problem */
  async start(): Promise<void> {
    const { brokers, proxies, servers, bots } = this.#config;
    await this.#add("reference", 1);
    await Promise.all([this.#add("broker", brokers), this.#add("proxy", proxies)]);
    await this.#add("server", servers);
    await this.#add("bot", bots);
  }

  /** Starts one more server. */
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
    };
  }

  /** Stops first the bots, then the servers, and last the processes that servers need (R11). */
  [Symbol.asyncDispose](): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    for (const child of this.children) child.letEnd();
    const stopAll = (children: Child[], graceMs: number) =>
      Promise.all(children.map((child) => child.stop(graceMs)));
    await stopAll(this.of("bot"), stopBotsMs);
    await stopAll(this.of("server"), stopServersMs);
    await stopAll(
      this.children.filter(({ role }) => role !== "bot" && role !== "server"),
      stopOthersMs,
    );
    for (const close of this.#closers) close();
  }

  async #add(role: Child["role"], count: number): Promise<void> {
    // A process that becomes ready during a stop must not make others start.
    if (this.#stopped !== undefined) throw new Problem("The cluster is being stopped.");
    const present = this.of(role).length;
    const added: Child[] = [];
    for (let number = present + 1; number <= present + count; number += 1) {
      const child: Child = new Child({
        role,
        number,
        environment: () => this.#environment(child),
        flags: role === "bot" ? this.#config.botFlags : undefined,
        stderr: this.#stderrOf(`${role}-${number}`),
        logPath: this.#config.logFiles ? this.#logPath(`${role}-${number}`) : undefined,
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
    const { data, logLevel, cluster, secretFile, auth, serverKey } = this.#config;
    const common = {
      TERTULIA_DATA: data,
      TERTULIA_LOG_LEVEL: logLevel,
      ...(auth === undefined ? {} : { TERTULIA_AUTH: auth }),
      ...(serverKey === undefined ? {} : { TERTULIA_CURVE: "true" }),
      ...(cluster === undefined ? {} : { TERTULIA_CLUSTER: cluster }),
      // The file has priority over a secret in the environment.
      ...(secretFile === undefined
        ? {}
        : { TERTULIA_SECRET_FILE: secretFile, TERTULIA_SECRET: "" }),
    };
    // A child that is started again gets the same ports, which the others know.
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
          ...(role === "server"
            ? { ...this.#config.settings?.(child), ...this.#peerLink(child) }
            : // The person's own password is not a bot's.
              { TERTULIA_PASSWORD_FILE: "" }),
          TERTULIA_BROKER: this.#list("broker", "front", child),
          TERTULIA_BROKER_BACK: this.#list("broker", "back", child),
          TERTULIA_PROXY_IN: this.#list("proxy", "front", child),
          TERTULIA_PROXY: this.#list("proxy", "back", child),
          TERTULIA_REFERENCE: this.#list("reference", "bind", child),
        };
    }
  }

  /** The endpoints of a role, as the process `from` reaches them; without it, as clients do. */
  #list(role: Child["role"], use: string, from?: Process): string {
    const { wiring } = this.#config;
    const endpoints = this.of(role).flatMap((to) => {
      const endpoint = to.ready?.endpoints[use];
      if (endpoint === undefined) return [];
      return from && wiring ? wiring.between(from, to, endpoint) : endpoint;
    });
    return endpoints.join(",");
  }

  /** With the cluster's key: only processes know it from the secret. */
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
