import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Session } from "../../src/client/session.ts";
import type { Process, Wiring } from "../../src/cluster/supervisor.ts";
import { type ChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { type Disturbance, Relay } from "../../src/trials/relay.ts";
import { type HttpAsk, HttpProxy, type ProxyName } from "../support/http-proxy.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

export const channel = "geral" as ChannelName;
const password = "a long password of this person";

/** Leads each gateway to the brokers through a relay, and all other processes directly. */
class GatewayWiring implements Wiring {
  readonly #relay: Relay;
  readonly #ends = new Map<string, string>();

  constructor(relay: Relay) {
    this.#relay = relay;
  }

  between(from: Process, to: Process, target: string): string {
    if (from.role !== "gateway" || to.role !== "broker") return target;
    const end =
      this.#ends.get(from.label) ?? this.#relay.add({ from: from.label, to: to.label, target });
    this.#ends.set(from.label, end);
    return end;
  }

  peerLink() {
    return { bind: "tcp://127.0.0.1:*", advertise: "127.0.0.1" };
  }
}

/** A real cluster with two gateways behind a real proxy. */
export class ProxiedScene implements AsyncDisposable {
  readonly cluster: LocalCluster;
  readonly proxy: HttpProxy;
  /** A session at the cluster itself, behind no gateway. */
  readonly founder: Session;
  readonly #relay: Relay;
  readonly #folder: TemporaryFolder;
  #asked = 0;

  private constructor(
    cluster: LocalCluster,
    proxy: HttpProxy,
    more: { readonly founder: Session; readonly relay: Relay; readonly folder: TemporaryFolder },
  ) {
    this.cluster = cluster;
    this.proxy = proxy;
    this.founder = more.founder;
    this.#relay = more.relay;
    this.#folder = more.folder;
  }

  static async start(name: ProxyName): Promise<ProxiedScene> {
    const folder = await temporaryFolder();
    const relay = await Relay.open(2);
    process.env.TERTULIA_TRUSTED_PROXIES = "127.0.0.1";
    const wiring = new GatewayWiring(relay);
    const cluster = await LocalCluster.start({ servers: 2, gateways: 2, auth: "required", wiring });
    const gateways = cluster.endpoints.http.split(",").map((url) => url.replace("http://", ""));
    const work = join(folder.path, name);
    await mkdir(work);
    const proxy = await HttpProxy.start(name, work, gateways);
    const founder = cluster.client();
    await founder.register(parseUserName("founder"), password);
    await founder.login(parseUserName("founder"), password);
    await founder.createChannel(channel);
    return new ProxiedScene(cluster, proxy, { founder, relay, folder });
  }

  /** Registers a user, and logs them in. @returns the token */
  async enter(user: string): Promise<string> {
    const account = { user, password };
    await this.proxy.ask("/api/v1/accounts", { method: "POST", body: account });
    const reply = await this.proxy.ask("/api/v1/session", { method: "POST", body: account });
    return JSON.parse(reply.body).token;
  }

  /**
   * Makes a request of a session.
   * @returns the reply, and the number (0 or 1) of the gateway that has answered
   */
  async ask(token: string, path: string, ask: HttpAsk = {}) {
    this.#asked += 1;
    const mark = `${path}?ask=${this.#asked}&`;
    const headers = { authorization: `Bearer ${token}`, ...ask.headers };
    const reply = await this.proxy.ask(mark, { ...ask, headers });
    // The proxy may write its log after its reply.
    await until(() => this.proxy.answeredBy(mark).length > 0, "the log tells the request");
    return { ...reply, gateway: this.proxy.answeredBy(mark)[0] ?? -1 };
  }

  /** Writes a message to the channel. */
  publish(token: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    const path = `/api/v1/channels/${channel}/messages`;
    return this.ask(token, path, { method: "POST", body: { message }, headers });
  }

  /** Returns how many messages of the channel have this text, as the servers know it. */
  async copies(message: string): Promise<number> {
    const { entries } = await this.founder.history({ channel }, { limit: 1_000 });
    return entries.filter((entry) => entry.message === message).length;
  }

  gateway(number: number) {
    const child = this.cluster.of("gateway")[number];
    if (child === undefined) throw new Error(`there is no gateway ${number}`);
    return child;
  }

  /** Resolves when both gateways can serve, and the proxy knows it. */
  async ready(): Promise<void> {
    const tokens = Array.from({ length: 20 }, (_, number) => `invalid${number}`);
    const areReady = async () => {
      const replies = await Promise.all(tokens.map((token) => this.ask(token, "/api/v1/session")));
      if (replies.some(({ status }) => status !== 401)) return false;
      return new Set(replies.map(({ gateway }) => gateway)).size === 2;
    };
    await until(areReady, "both gateways answer", 60_000);
  }

  /** Keeps all bytes between a gateway and the broker, in one direction or both. */
  cut(number: number, ways: "replies" | "both"): Disturbance {
    const from = this.gateway(number).label;
    const to = "broker 1";
    const back = { from: to, to: from };
    return this.#relay.cut(ways === "replies" ? [back] : [{ from, to }, back]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.cluster[Symbol.asyncDispose]();
    await this.#relay[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}
