import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { Session } from "../../src/client/session.ts";
import { gatewayConfig } from "../../src/gateway/config.ts";
import { openToken } from "../../src/gateway/credentials.ts";
import { startGateway } from "../../src/gateway/gateway.ts";
import { Settings } from "../../src/platform/settings.ts";
import { type ChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster, type LocalClusterOptions } from "../../src/trials/local-cluster.ts";
import { LiveClient } from "../support/live-client.ts";
import { until } from "../support/until.ts";

export const geral = "geral" as ChannelName;
export const passwordOf = (user: string) => `the long password of ${user}`;

/** A cluster with gateways and the channel #geral. */
export class LiveScene {
  cluster!: LocalCluster;
  founder!: Session;
  readonly #options: LocalClusterOptions;
  readonly #tokens = new Map<string, string>();

  constructor(options: LocalClusterOptions) {
    this.#options = options;
  }

  async begin(): Promise<void> {
    this.cluster = await LocalCluster.start({ gateways: 2, ...this.#options });
    this.founder = await this.enter("founder");
    await this.founder.createChannel(geral);
  }

  /** The addresses of the gateways. */
  get gateways(): readonly string[] {
    return this.cluster.endpoints.http.split(",");
  }

  get first(): string {
    return this.gateways[0] ?? "";
  }

  get second(): string {
    return this.gateways[1] ?? "";
  }

  /** Logs a user in at the cluster itself; the first time, registers them. */
  async enter(user: string): Promise<Session> {
    const session = this.cluster.client({ onToken: (token) => this.#tokens.set(user, token) });
    const isClosed = this.#options.auth === "required";
    const password = isClosed ? passwordOf(user) : undefined;
    if (isClosed && !this.#tokens.has(user)) {
      await session.register(parseUserName(user), passwordOf(user));
    }
    await session.login(parseUserName(user), password);
    return session;
  }

  /** @returns a token with which the user asks at a gateway */
  async token(user: string): Promise<string> {
    await this.enter(user);
    return this.#tokens.get(user) ?? openToken(parseUserName(user));
  }

  /** Opens a user's WebSocket. */
  async open(gateway: string, user: string): Promise<LiveClient> {
    const client = new LiveClient(gateway, { token: await this.token(user) });
    await client.connected();
    return client;
  }

  /** Starts a gateway in this process, which pings its clients that often. */
  async gateway(pingMs: number) {
    const { broker, proxy, reference } = this.cluster.endpoints;
    const data = this.cluster.folder;
    const http = "tcp://127.0.0.1:*";
    const metrics = http;
    const flags = { data, broker, proxy, reference, http, metrics, logLevel: "silent" };
    const gateway = await startGateway(
      { ...gatewayConfig(new Settings(flags, {})), slots: join(data, "more-gateways") },
      { pingMs },
    );
    const address = gateway.http.replace("tcp:", "http:");
    const isReady = async () => (await fetch(`${address}/readyz`)).ok;
    await until(isReady, "the gateway is ready", 20_000);
    return { ...gateway, address };
  }
}

/** A scene that starts before the tests of a file and stops after them. */
export function liveScene(options: LocalClusterOptions): LiveScene {
  const made = new LiveScene(options);
  beforeAll(() => made.begin(), 60_000);
  afterAll(() => made.cluster?.[Symbol.asyncDispose](), 30_000);
  return made;
}
