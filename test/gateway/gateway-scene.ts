import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect } from "vitest";
import { Sessions } from "../../src/net/sessions.ts";
import { LocalCluster, type LocalClusterOptions } from "../../src/trials/local-cluster.ts";
import { secretIn } from "../support/members-door.ts";
import { until } from "../support/until.ts";
import { type Answer, send } from "./http-ask.ts";

export const passwordOf = (user: string) => `the long password of ${user}`;

export interface Asked {
  readonly token?: string | undefined;
  /** Values for the `{…}` of the path. */
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown;
  /** Another gateway than the scene's. */
  readonly at?: string | undefined;
}

interface ApiDocument {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          { readonly responses: Readonly<Record<string, { readonly content?: object }>> }
        >
      >
    >
  >;
}

/**
 * A cluster of one server with a gateway that believes `X-Forwarded-For`. By default each request
 * comes from an address of its own, so that no request counts for the pace of another one.
 */
export class GatewayScene {
  cluster!: LocalCluster;
  /** What the gateway says of itself. */
  document!: ApiDocument;
  readonly tokens = new Map<string, string>();
  readonly #ajv = new Ajv2020({ strict: false });
  #requests = 0;

  async begin(options: LocalClusterOptions): Promise<void> {
    this.cluster = await LocalCluster.start({
      servers: 1,
      gateways: 1,
      ...options,
      settings: (process) => ({
        TERTULIA_TRUSTED_PROXIES: "127.0.0.1",
        ...options.settings?.(process),
      }),
    });
    await this.ready();
    const address = `${this.cluster.http()}/api/v1/openapi.json`;
    this.document = (await send({ method: "GET", url: address })).json;
    this.#ajv.addSchema(this.document, "api");
  }

  /** Waits until the gateway serves. */
  async ready(): Promise<void> {
    const url = `${this.cluster.http()}/readyz`;
    const isReady = async () => (await send({ method: "GET", url })).status === 200;
    await until(isReady, "the gateway is ready", 30_000);
  }

  /** Returns a token with which a holder of the secret administers. */
  operator(): string {
    return new Sessions(secretIn(this.cluster.folder).deriveKeys("token")).giveOperator(Date.now());
  }

  /**
   * Logs a user in, and returns the token; registers the account at the first call. A busy machine may
   * need several tries.
   */
  async enter(user: string): Promise<string> {
    const body = { user, password: passwordOf(user) };
    const isServed = async (operation: string) => {
      const { status, json } = await this.ask(operation, { body });
      if (json?.token !== undefined) this.tokens.set(user, json.token);
      return status !== 503;
    };
    for (const operation of ["POST /api/v1/accounts", "POST /api/v1/session"]) {
      await until(() => isServed(operation), `${operation} is served`, 30_000);
    }
    return this.tokens.get(user) as string;
  }

  /** Creates a channel; a busy machine may need several tries. */
  async createChannel(channel: string, token: string | undefined): Promise<void> {
    const isThere = async () => {
      const { status } = await this.ask("POST /api/v1/channels", { token, body: { channel } });
      return status === 201 || status === 409;
    };
    await until(isThere, `#${channel} exists`, 30_000);
  }

  /** Makes a request, and checks the reply against the document. @param operation such as `GET /x` */
  async ask(operation: string, asked: Asked = {}): Promise<Answer> {
    const [method = "", route = ""] = operation.split(" ");
    const { token, query = "", headers = {}, body, at = this.cluster.http() } = asked;
    const path = route.replace(/\{(\w+)\}/g, (_, field) => {
      return encodeURIComponent(asked.path?.[field] ?? "");
    });
    this.#requests += 1;
    const isText = body === undefined || typeof body === "string";
    const answer = await send({
      method,
      url: `${at}${path}${query}`,
      headers: {
        "x-forwarded-for": `192.0.${this.#requests >> 8}.${this.#requests & 255}`,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: isText ? body : JSON.stringify(body),
    });
    this.#check(method, route, answer);
    return answer;
  }

  #check(method: string, route: string, { status, headers, json }: Answer): void {
    const documented = this.document.paths[route]?.[method.toLowerCase()]?.responses[status];
    expect(documented, `${method} ${route} documents ${status}`).toBeDefined();
    if (status >= 400) {
      expect(headers["content-type"]).toMatch(/^application\/problem\+json/);
      expect(json).toMatchObject({ type: "about:blank", status });
      expect(headers["retry-after"] !== undefined).toBe(json.retry);
    }
    const type = Object.keys(documented?.content ?? {})[0];
    if (type?.endsWith("json") !== true) return;
    const place = ["paths", route, method.toLowerCase(), "responses", status, "content", type];
    const pointer = [...place, "schema"].map((one) => encodeURIComponent(escaped(String(one))));
    const isValid = this.#ajv.validate(`api#/${pointer.join("/")}`, json);
    expect(isValid, `${method} ${route} ${status}: ${this.#ajv.errorsText()}`).toBe(true);
  }
}

/** A step of a JSON pointer (RFC 6901). */
function escaped(step: string): string {
  return step.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** A scene that starts before the tests of a file and stops after them. */
export function gatewayScene(options: LocalClusterOptions): GatewayScene {
  const made = new GatewayScene();
  beforeAll(() => made.begin(options), 60_000);
  afterAll(() => made.cluster?.[Symbol.asyncDispose](), 30_000);
  return made;
}
