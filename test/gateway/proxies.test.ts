import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { beatMs } from "../../src/gateway/live/events.ts";
import { pingMs } from "../../src/gateway/live/live-socket.ts";
import {
  configurations,
  type HttpAsk,
  type HttpReply,
  type ProxyName,
} from "../support/http-proxy.ts";
import { until } from "../support/until.ts";
import { channel, ProxiedScene } from "./proxied-scene.ts";

const names = ["nginx", "haproxy"] as const;

describe.each(names)("%s", (name) => {
  const isMissing = spawnSync(name, ["-v"]).status !== 0;
  const why = isMissing ? ` (skipped: ${name} is not installed)` : "";
  describe.skipIf(isMissing)(`in front of two gateways${why}`, () => behind(name));

  test("[G43] time-outs of silent streams are above twice the gateway's pause between two pings", () => {
    const seconds = {
      nginx: [...configurations.nginx.matchAll(/proxy_(?:read|send)_timeout (\d+)s;/g)].slice(1),
      haproxy: [
        ...configurations.haproxy.matchAll(/(?:tunnel|client|set-timeout server) +(\d+)s/g),
      ],
    }[name].map(([, value]) => Number(value));
    expect(seconds).toHaveLength(3);
    for (const value of seconds) {
      expect(1_000 * value).toBeGreaterThan(2 * Math.max(pingMs, beatMs));
    }
  });
});

function behind(name: ProxyName): void {
  let scene: ProxiedScene;
  let token: string;
  beforeAll(async () => {
    scene = await ProxiedScene.start(name);
    token = await scene.enter("ana");
  }, 90_000);
  afterAll(() => scene?.[Symbol.asyncDispose](), 60_000);

  beforeEach(() => scene.ready(), 60_000);

  const look = (session = token) => scene.ask(session, "/api/v1/session");

  test("[G40] the same session goes to the same gateway 20 of 20 times, as a token and as a cookie, and different sessions to both gateways", async () => {
    const ofToken = await Promise.all(Array.from({ length: 20 }, () => look()));
    expect(ofToken.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(new Set(ofToken.map(({ gateway }) => gateway)).size).toBe(1);
    const cookie = { headers: { authorization: "", cookie: `other=1; tertulia=${token}` } };
    const ofCookie = await Promise.all(
      Array.from({ length: 20 }, () => scene.ask("", "/api/v1/session", cookie)),
    );
    expect(ofCookie.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(new Set(ofCookie.map(({ gateway }) => gateway)).size).toBe(1);
    const others = await Promise.all(Array.from({ length: 40 }, (_, n) => look(`invalid${n}`)));
    expect(others.map(({ status }) => status)).toEqual(Array(40).fill(401));
    expect(new Set(others.map(({ gateway }) => gateway))).toEqual(new Set([0, 1]));
  });

  test("[G41] after the death of a session's gateway, no request of the session fails, a write neither", async () => {
    const { gateway } = await look();
    const child = scene.gateway(gateway);
    const { starts } = child;
    child.signal("SIGKILL");
    const statuses = new Set<number>();
    let writes = 0;
    let last = -1;
    // Until the gateway that was started again serves the session again.
    const returned = async () => {
      writes += 1;
      statuses.add((await scene.publish(token, `${name} write ${writes}`)).status);
      const reply = await look();
      statuses.add(reply.status);
      last = reply.gateway;
      return child.starts > starts && last === gateway;
    };
    expect(await returned()).toBe(false);
    expect(last).not.toBe(gateway);
    await until(returned, "the session is back at its gateway", 60_000);
    expect(statuses).toEqual(new Set([201, 200]));
    for (let number = 1; number <= Math.min(writes, 20); number += 1) {
      expect(await scene.copies(`${name} write ${number}`)).toBe(1);
    }
  }, 90_000);

  test.each([
    ["of its own", {}],
    ["of the client", { "idempotency-key": `key of ${name}` }],
  ])(
    "[G42] a write that the proxy repeats with a key %s, because its gateway died before the reply, takes effect once",
    async (whose, headers) => {
      const { gateway } = await look();
      const child = scene.gateway(gateway);
      const text = `${name} repeats with a key ${whose}`;
      const cut = scene.cut(gateway, "replies");
      let reply: (HttpReply & { gateway: number }) | undefined;
      const writing = scene.publish(token, text, headers).then((got) => {
        reply = got;
      });
      await until(async () => (await scene.copies(text)) === 1, "the write has taken effect");
      expect(reply).toBeUndefined();
      child.signal("SIGKILL");
      await until(() => child.pid === undefined, "the gateway has ended");
      cut.heal({ reset: true });
      await writing;
      expect(reply?.status).toBe(201);
      expect(reply?.gateway).toBe(1 - gateway);
      expect(await scene.copies(text)).toBe(1);
    },
    60_000,
  );

  test("[G41] a request whose gateway dies while no other one serves gets a problem with 503", async () => {
    const { gateway } = await look();
    const [dying, other] = [scene.gateway(gateway), scene.gateway(1 - gateway)];
    const { pid } = other;
    other.signal("SIGKILL");
    // Started again, it waits: nothing listens at its address.
    await until(() => other.pid !== undefined && other.pid !== pid, "it is started again");
    other.signal("SIGSTOP");
    const isAlone = async () => {
      const tokens = Array.from({ length: 20 }, (_, number) => `invalid${number}`);
      const replies = await Promise.all(tokens.map((one) => scene.ask(one, "/api/v1/session")));
      return replies.every((reply) => reply.gateway === gateway);
    };
    await until(isAlone, "the proxy passes over the gateway that has ended", 30_000);
    const text = `${name} asks the last gateway`;
    const cut = scene.cut(gateway, "replies");
    const writing = scene.publish(token, text);
    await until(async () => (await scene.copies(text)) === 1, "the write has taken effect");
    dying.signal("SIGKILL");
    await until(() => dying.pid === undefined, "the gateway has ended");
    cut.heal({ reset: true });
    const { status, headers, body } = await writing.finally(() => other.signal("SIGCONT"));
    expect([status, headers["retry-after"]]).toEqual([503, "1"]);
    expect(JSON.parse(body)).toMatchObject({ status: 503, code: "unavailable", retry: true });
  }, 90_000);

  test("[G4] a repeated registration or change of the password gets the first one's reply", async () => {
    const user = `carla${name}`;
    const password = "a long password of carla";
    const twice = async (path: string, { headers, ...more }: HttpAsk) => {
      const key = { "idempotency-key": `${path} of ${user}` };
      const ask = () => scene.proxy.ask(path, { ...more, headers: { ...key, ...headers } });
      return [await ask(), await ask()].map(({ status }) => status);
    };
    const account = { method: "POST", body: { user, password } };
    expect(await twice("/api/v1/accounts", account)).toEqual([201, 201]);
    const { body } = await scene.proxy.ask("/api/v1/session", account);
    const change = {
      method: "PUT",
      body: { password, newPassword: "another password of carla" },
      headers: { authorization: `Bearer ${JSON.parse(body).token}` },
    };
    expect(await twice("/api/v1/accounts/me/password", change)).toEqual([200, 200]);
  }, 30_000);

  test("[G41] a gateway that reaches no broker is passed over", async () => {
    const { gateway } = await look();
    const cut = scene.cut(gateway, "both");
    const own = scene.cluster.endpoints.http.split(",")[gateway];
    await until(async () => (await fetch(`${own}/readyz`)).status === 503, "it is unready", 30_000);
    const replies = await Promise.all(Array.from({ length: 20 }, () => look()));
    cut.heal();
    expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(new Set(replies.map((reply) => reply.gateway))).toEqual(new Set([1 - gateway]));
  }, 60_000);

  test("[G41] without a quorum, each reply is a problem with 503 and Retry-After, until the quorum is back", async () => {
    using stopped = scene.cluster.withoutQuorum();
    const probe = () => scene.ask(token, "/api/v1/openapi.json");
    await until(async () => (await probe()).status === 503, "no gateway serves", 60_000);
    for (let count = 0; count < 20; count += 1) {
      const { status, headers, body } = await probe();
      expect([status, headers["retry-after"]]).toEqual([503, "1"]);
      expect(headers["content-type"]).toMatch(/^application\/problem\+json/);
      expect(JSON.parse(body)).toMatchObject({ status: 503, code: "unavailable", retry: true });
    }
    stopped[Symbol.dispose]();
    await until(async () => (await probe()).status === 200, "a gateway serves again", 60_000);
  }, 120_000);

  test("[G43] a WebSocket is upgraded, and gets the messages of other people", async () => {
    const socket = new WebSocket(`${scene.proxy.url.replace("http", "ws")}/api/v1/ws`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const frames: { type: string; entry?: { message: string } }[] = [];
    socket.on("message", (data) => frames.push(JSON.parse(String(data))));
    await once(socket, "open");
    const has = (type: string) => frames.some((frame) => frame.type === type);
    await until(() => has("connected"), "the session is accepted");
    socket.send(JSON.stringify({ type: "subscribe", conversation: `#${channel}` }));
    await until(() => has("caught_up"), "the subscription has begun");
    await scene.founder.publish(channel, `${name} to the socket`);
    const isHeard = () => frames.some(({ entry }) => entry?.message === `${name} to the socket`);
    await until(isHeard, "the message arrives");
    socket.terminate();
  }, 30_000);

  test("[G43] an event stream is not held back: the quickest of 10 events arrives within 200 ms", async () => {
    const url = `${scene.proxy.url}/api/v1/events?conversations=${encodeURIComponent(`#${channel}`)}`;
    const asked = get(url, { agent: false, headers: { authorization: `Bearer ${token}` } });
    const [stream] = (await once(asked, "response")) as [IncomingMessage];
    let text = "";
    stream.setEncoding("utf8").on("data", (part) => {
      text += part;
    });
    stream.on("error", () => {});
    await until(() => text.includes("event: caught_up"), "the stream has begun");
    const tookMs: number[] = [];
    for (let number = 0; number < 10; number += 1) {
      const begunMs = performance.now();
      const message = `${name} to the stream ${number}`;
      await scene.founder.publish(channel, message);
      await until(() => text.includes(message), "the event arrives");
      tookMs.push(performance.now() - begunMs);
    }
    asked.destroy();
    expect(Math.min(...tookMs)).toBeLessThan(200);
  }, 30_000);

  test("[G52] a hook that is made and used through the proxy has its URL, and the proxy's log has no token", async () => {
    const body = { channel, name: "deploy" };
    const made = await scene.ask(token, "/api/v1/hooks", { method: "POST", body });
    const { url, path } = JSON.parse(made.body);
    expect(url).toBe(`${scene.proxy.url}${path}`);
    const odd = path.replace("/hooks/", "/%68ooks/");
    for (const [way, status] of [
      [path, 200],
      [odd, 200],
      [`${path}x`, 404],
    ]) {
      const reply = await scene.proxy.ask(way, { method: "POST", body: { text: name } });
      expect(reply.status).toBe(status);
    }
    await until(() => scene.proxy.answeredBy("/hooks/-").length === 3, "the log tells the posts");
    expect(scene.proxy.answeredBy(path.slice("/hooks/".length))).toEqual([]);
    expect(await scene.copies(name)).toBe(2);
  });

  test("[G44] an address that has too many connections gets 429, and another address is served", async () => {
    const most = Number(
      /limit_conn \w+ (\d+)|conn_cur\(0\) gt (\d+)/
        .exec(configurations[name])
        ?.slice(1)
        .find(Boolean),
    );
    const url = `${scene.proxy.url.replace("http", "ws")}/api/v1/ws`;
    const options = { headers: { authorization: `Bearer ${token}` }, localAddress: "127.0.0.9" };
    const sockets = Array.from({ length: most }, () => new WebSocket(url, options));
    await Promise.all(sockets.map((socket) => once(socket, "open")));
    const from = (address: string) => scene.ask(token, "/api/v1/session", { from: address });
    const refused = await from("127.0.0.9");
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "5"]);
    expect(JSON.parse(refused.body)).toMatchObject({ status: 429, code: "rate_limited" });
    expect((await from("127.0.0.8")).status).toBe(200);
    for (const socket of sockets) socket.terminate();
    await until(async () => (await from("127.0.0.9")).status === 200, "the sockets are closed");
  }, 60_000);

  test("[G45] limits of log-ins count for each person's address, which a person cannot state themselves", async () => {
    const logIns = (count: number, from: string, name: string) =>
      Promise.all(
        Array.from({ length: count }, async (_, number) => {
          // Of one account each, because attempts count for their account too.
          const body = { user: `${name}${number}`, password: "a wrong password" };
          // Each request states another address, in vain.
          const headers = { "x-forwarded-for": `192.0.2.${number}` };
          const ask = { method: "POST", body, from, headers };
          return (await scene.proxy.ask("/api/v1/session", ask)).status;
        }),
      );
    // More than two servers accept from one address within the 15 s of a request.
    const [many, few] = await Promise.all([
      logIns(140, "127.0.0.2", "nobody"),
      logIns(5, "127.0.0.3", "noone"),
    ]);
    expect(many).toContain(429);
    expect(few).toEqual(Array(5).fill(401));
  }, 60_000);
}
