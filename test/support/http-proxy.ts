import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../../src/trials/free-ports.ts";
import { until } from "./until.ts";

export const configurations = {
  nginx: readFileSync("ops/nginx/tertulia.conf", "utf8"),
  haproxy: readFileSync("ops/haproxy/haproxy.cfg", "utf8"),
} as const;

export type ProxyName = keyof typeof configurations;

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpAsk {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** The address of this machine from which the request comes. */
  readonly from?: string;
}

/** Sends a request over a connection of its own. */
async function askHttp(url: string, ask: HttpAsk = {}): Promise<HttpReply> {
  const { method = "GET", headers = {}, body, from } = ask;
  const sent = request(url, {
    method,
    agent: false,
    headers: { ...(body && { "content-type": "application/json" }), ...headers },
    ...(from && { localAddress: from }),
  });
  sent.end(body && JSON.stringify(body));
  const [response] = await once(sent, "response");
  let text = "";
  for await (const part of response.setEncoding("utf8")) text += part;
  return { status: response.statusCode, headers: response.headers, body: text };
}

/** A running Nginx or HAProxy with the project's configuration, at a free port. */
export class HttpProxy implements AsyncDisposable {
  readonly url: string;
  readonly #log: () => string;
  readonly #places: readonly string[];
  readonly #end: () => Promise<void>;

  private constructor(
    port: number,
    { log, places, end }: { log: () => string; places: readonly string[]; end(): Promise<void> },
  ) {
    this.url = `http://127.0.0.1:${port}`;
    this.#log = log;
    this.#places = places;
    this.#end = end;
  }

  /**
   * @param folder an empty folder for the program's files
   * @param gateways the gateways' addresses, as `127.0.0.1:port`
   */
  static async start(
    name: ProxyName,
    folder: string,
    gateways: readonly string[],
  ): Promise<HttpProxy> {
    const port = await freePort();
    const begin = { nginx: beginNginx, haproxy: beginHaproxy }[name];
    const { command, places } = await begin(folder, port, gateways);
    const [program = "", ...args] = command;
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    const exited = once(child, "exit");
    let printed = "";
    child.stdout.on("data", (data) => {
      printed += data;
    });
    const log = () =>
      name === "nginx" ? readFileSync(join(folder, "access.log"), "utf8") : printed;
    const end = async () => {
      child.kill("SIGTERM");
      await exited;
    };
    const proxy = new HttpProxy(port, { log, places, end });
    const answers = () => askHttp(proxy.url).then(Boolean, () => false);
    await until(answers, `${name} answers`, 30_000);
    return proxy;
  }

  ask(path: string, ask?: HttpAsk): Promise<HttpReply> {
    return askHttp(this.url + path, ask);
  }

  /**
   * Returns the numbers (0, 1 …) of the gateways that have answered the requests whose URL has this
   * text, in order. A request that several gateways got counts for the last of them.
   */
  answeredBy(text: string): number[] {
    const lines = this.#log()
      .split("\n")
      .filter((line) => line.includes(text));
    return lines.map((line) => {
      const found = this.#places.map((place) => line.lastIndexOf(place));
      return found.indexOf(Math.max(...found));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }
}

async function beginNginx(folder: string, port: number, gateways: readonly string[]) {
  const servers = gateways.map((gateway) => `server ${gateway} max_fails=1 fail_timeout=2s;`);
  const site = replaced(configurations.nginx, [
    [/server gateway:8080 max_fails=1 fail_timeout=2s;/, servers.join("\n  ")],
    [/listen 8080;/, `listen 127.0.0.1:${port};`],
    [/\/var\/log\/nginx\/access\.log/, join(folder, "access.log")],
  ]);
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const paths = kinds.map((kind) => `${kind}_temp_path ${join(folder, kind)};`);
  await writeFile(join(folder, "tertulia.conf"), site);
  const main = [
    process.getuid?.() === 0 ? "user root root;" : "",
    `daemon off; worker_processes 2; pid ${join(folder, "pid")}; error_log ${join(folder, "error.log")};`,
    "events { worker_connections 1024; }",
    `http { ${paths.join(" ")} include ${join(folder, "tertulia.conf")}; }`,
  ];
  const path = join(folder, "nginx.conf");
  await writeFile(path, main.join("\n"));
  return { command: ["nginx", "-c", path, "-e", join(folder, "error.log")], places: gateways };
}

async function beginHaproxy(folder: string, port: number, gateways: readonly string[]) {
  await mkdir(folder, { recursive: true });
  const [first = "", second = ""] = gateways;
  const config = replaced(configurations.haproxy, [
    [/gateway-1:8080/, first],
    [/gateway-2:8080/, second],
    [/bind :8080/, `bind 127.0.0.1:${port}`],
  ]);
  const path = join(folder, "haproxy.cfg");
  await writeFile(path, config);
  // The program's own check: it must have no warning either.
  await promisify(execFile)("haproxy", ["-c", "-q", "-dW", "-f", path]);
  return { command: ["haproxy", "-db", "-f", path], places: ["/gateway1 ", "/gateway2 "] };
}

/** Replaces each pattern once. @throws Error if the text does not have it */
function replaced(text: string, changes: readonly (readonly [RegExp, string])[]): string {
  let result = text;
  for (const [pattern, by] of changes) {
    if (!pattern.test(result)) throw new Error(`the configuration has no ${pattern}`);
    result = result.replace(pattern, by);
  }
  return result;
}
