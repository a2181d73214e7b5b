import { createSecretKey, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { subjectOf } from "../../src/client/session-token.ts";
import { Sessions } from "../../src/net/sessions.ts";
import { pause } from "../../src/platform/clock.ts";
import { limits } from "../../src/protocol/limits.ts";
import { secretIn } from "../support/members-door.ts";
import { gatewayScene, passwordOf } from "./gateway-scene.ts";
import { send } from "./http-ask.ts";

const scene = gatewayScene({ auth: "required" });
const messages = "POST /api/v1/channels/{channel}/messages";
const path = { channel: "geral" };
let token: string;
beforeAll(async () => {
  token = await scene.enter("ana");
  await scene.createChannel("geral", token);
}, 60_000);

describe("bodies", () => {
  test.each([
    ["is empty", "", 400],
    ["is no JSON", "{message: oi}", 400],
    ["is null", "null", 400],
    ["is a list", '["oi"]', 400],
    ["is nested 30,000 deep", `${"[".repeat(30_000)}${"]".repeat(30_000)}`, 400],
    ["has the key __proto__", '{"message":"oi","__proto__":{"admin":true}}', 400],
    ["has a constructor with a prototype", '{"message":"oi","constructor":{"prototype":1}}', 400],
    ["has a number in place of a text", '{"message":1}', 400],
    ["has a list in place of a text", '{"message":["oi"]}', 400],
    ["has an empty message", '{"message":""}', 400],
    ["has a message of 4,097 characters", `{"message":"${"é".repeat(4_097)}"}`, 413],
    ["has 64 KiB and a byte", `{"message":"${"x".repeat(65_523)}"}`, 413],
  ])("[G1] a body that %s gets a problem", async (_, body, status) => {
    expect((await scene.ask(messages, { token, path, body })).status).toBe(status);
  });

  test("[G1] a message of 4,096 characters of four bytes is taken as it is", async () => {
    const message = "😀".repeat(limits.messageCharacters);
    expect((await scene.ask(messages, { token, path, body: { message } })).status).toBe(201);
    const { json } = await scene.ask("GET /api/v1/channels/{channel}/messages", {
      token,
      path,
      query: "?limit=1",
    });
    expect(json.messages[0].message).toBe(message);
  });
});

describe("names in paths", () => {
  const url = (name: string) => `${scene.cluster.http()}/api/v1/channels/${name}/messages`;
  const headers = () => ({ authorization: `Bearer ${token}` });

  test.each([
    ["a slash", "a%2Fb", 422],
    ["a zero byte", "a%00b", 422],
    ["a line break and a header", "a%0d%0aSet-Cookie:%20x=y", 422],
    ["two dots", "%2e%2e", 404],
    ["bytes that are no UTF-8", "%ff%fe", 400],
    ["half of an escape", "a%2", 400],
    ["65 characters", "x".repeat(65), 422],
    ["3,000 characters", "x".repeat(3_000), 400],
  ])("[G1] a name with %s gets a problem", async (_, name, status) => {
    const answer = await send({ method: "GET", url: url(name), headers: headers() });
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });

  test.each(["a", "é", "語", "𠀀"])(
    "[G1] a channel with 64 times %s as its name works",
    async (one) => {
      const channel = one.repeat(limits.nameCharacters);
      const made = await scene.ask("POST /api/v1/channels", { token, body: { channel } });
      expect(made.status).toBe(201);
      const body = { message: "oi" };
      expect((await scene.ask(messages, { token, path: { channel }, body })).status).toBe(201);
    },
  );
});

describe("who asks", () => {
  const whoAmI = "GET /api/v1/session";
  const key = () => secretIn(scene.cluster.folder).deriveKeys("token");

  test("[G2] a request with the cookie is refused from the page of another site, and taken from the gateway's own", async () => {
    const cookie = `tertulia=${token}`;
    const own = new URL(scene.cluster.http()).origin;
    for (const [origin, status] of [
      ["https://other.example", 403],
      ["null", 403],
      [own.replace("127.0.0.1", "localhost"), 403],
      [own, 200],
    ] as const) {
      const { status: got } = await scene.ask(whoAmI, { headers: { cookie, origin } });
      expect(got, origin).toBe(status);
    }
    expect((await scene.ask(whoAmI, { headers: { cookie } })).json).toEqual({ user: "ana" });
  });

  test("[G2] a page of another site can't log a browser in or out", async () => {
    const headers = { origin: "https://other.example" };
    const body = { user: "ana", password: passwordOf("ana") };
    for (const method of ["POST", "DELETE"]) {
      const answer = await scene.ask(`${method} /api/v1/session`, { headers, body });
      expect(answer.status).toBe(403);
      expect(answer.headers["set-cookie"]).toBeUndefined();
    }
  });

  test("[G2] a log-in gives a cookie that scripts can't read, and log-out deletes it", async () => {
    const body = { user: "ana", password: passwordOf("ana") };
    const { headers } = await scene.ask("POST /api/v1/session", { body });
    const [cookie] = headers["set-cookie"] as readonly string[];
    expect(cookie).toMatch(
      /^tertulia=[\w.-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=2592000$/,
    );
    const out = await scene.ask("DELETE /api/v1/session");
    expect(out.headers["set-cookie"]).toEqual([expect.stringMatching(/^tertulia=; .*Max-Age=0$/)]);
  });

  test("[G2] behind a trusted proxy with TLS, the cookie has the prefix __Host- and is secure", async () => {
    const body = { user: "ana", password: passwordOf("ana") };
    const headers = { "x-forwarded-proto": "https" };
    const answer = await scene.ask("POST /api/v1/session", { body, headers });
    expect(answer.headers["set-cookie"]).toEqual([
      expect.stringMatching(/^__Host-tertulia=.*; Secure$/),
    ]);
  });

  test.each([
    ["damaged", () => `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`, "session_unknown"],
    [
      "signed by another cluster",
      () => {
        return new Sessions([createSecretKey(randomBytes(32))]).give(
          { user: "ana" as never, version: "" },
          Date.now(),
        );
      },
      "session_unknown",
    ],
    [
      "expired",
      () => new Sessions(key()).give({ user: "ana" as never, version: "" }, Date.now() - 864e5),
      "session_expired",
    ],
    ["no token", () => "open.!", "session_unknown"],
  ])(
    "[G2] a token that is %s is refused, and a cookie with it is deleted",
    async (_, make, reason) => {
      const bearer = await scene.ask(whoAmI, { token: make() });
      expect(bearer.status).toBe(401);
      expect(bearer.json.reason).toBe(reason);
      expect(bearer.headers["set-cookie"]).toBeUndefined();
      const browser = await scene.ask(whoAmI, { headers: { cookie: `tertulia=${make()}` } });
      expect(browser.headers["set-cookie"]).toEqual([expect.stringMatching(/Max-Age=0/)]);
    },
  );

  test("[G2] a user whose account is locked is refused with a sentence", async () => {
    const locked = await scene.enter("bruno");
    const change = { path: { user: "bruno" }, body: { locked: true } };
    const { headers } = await scene.ask("PATCH /api/v1/accounts/{user}", {
      token: scene.operator(),
      ...change,
    });
    const after = headers["tertulia-seen"] as string;
    const answer = await scene.ask(whoAmI, {
      token: locked,
      headers: { "tertulia-after": after },
    });
    expect(answer.status).toBe(403);
    expect(answer.json).toMatchObject({
      reason: "account_locked",
      title: 'An administrator has locked the account "bruno".',
    });
  });

  test("[G2] a token stays that of its user, whatever names are in the request", async () => {
    const other = await scene.enter("carla");
    const read = "GET /api/v1/users/{user}/messages";
    expect((await scene.ask(read, { token: other, path: { user: "ana" } })).status).toBe(403);
    expect(subjectOf(other)).toBe("carla");
  });
});

describe("connections", () => {
  /** Sends raw bytes over a connection, and returns what comes back until its end. */
  async function raw(text: string): Promise<string> {
    const { hostname, port } = new URL(scene.cluster.http());
    const socket = connect(Number(port), hostname);
    const parts: Buffer[] = [];
    socket.on("data", (part) => parts.push(part));
    socket.on("error", () => {});
    socket.write(text);
    await once(socket, "close");
    return Buffer.concat(parts).toString();
  }

  test.each([
    ["that is no HTTP", "oi\r\n\r\n", 400],
    [
      "with two lengths",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      400,
    ],
    [
      "with 20,000 bytes of headers",
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
    ],
  ])("[G1] a request %s gets a problem, and its connection is closed", async (_, text, status) => {
    const answer = await raw(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain("application/problem+json");
  });

  test("[G7] a client that sends its headers too slowly is closed after 10 s", async () => {
    const begun = performance.now();
    expect(await raw("GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow")).toMatch(/^HTTP\/1.1 408 /);
    expect(performance.now() - begun).toBeGreaterThan(9_000);
  }, 30_000);

  test("[G7] a request that asks for HTTP/2 is served over HTTP/1.1, also if its body comes later", async () => {
    const { hostname, port } = new URL(scene.cluster.http());
    const socket = connect(Number(port), hostname);
    const body = JSON.stringify({ user: "ana", password: passwordOf("ana") });
    const lines = [
      "POST /api/v1/session HTTP/1.1",
      "Host: a",
      "Connection: close, Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
      "Content-Type: application/json",
      `Content-Length: ${body.length}`,
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n${body.slice(0, 9)}`);
    await pause(100);
    socket.write(body.slice(9));
    const [answer] = await once(socket, "data");
    socket.destroy();
    expect(String(answer)).toMatch(/^HTTP\/1.1 200 /);
  });

  test.each([
    ["of another protocol", "GET /nowhere", "h2c"],
    ["of a WebSocket at another path", "GET /nowhere", "websocket"],
    ["of a WebSocket without a key", "GET /api/v1/ws", "websocket"],
    ["of a WebSocket with another method", "POST /api/v1/ws", "websocket"],
    ["of a WebSocket from another site", "GET /api/v1/ws", "websocket\r\nOrigin: http://b"],
  ])("[G7] an upgrade %s is refused, and its connection closed", async (_, line, protocol) => {
    const { hostname, port } = new URL(scene.cluster.http());
    // The client never ends its own side.
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    const isGone = once(socket, "error");
    socket
      .resume()
      .write(
        `${line} HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
      );
    await once(socket, "end");
    // A connection that is closed on the other side refuses what is written to it.
    const timer = setInterval(() => socket.write("x"), 50);
    try {
      expect(await isGone).toMatchObject([{ code: expect.stringMatching(/EPIPE|ECONNRESET/) }]);
    } finally {
      clearInterval(timer);
      socket.destroy();
    }
  });

  test.each(["PUT", "OPTIONS", "TRACE"])(
    "[G1] the method %s without a route gets a problem",
    async (method) => {
      const url = `${scene.cluster.http()}/api/v1/time`;
      const { status, headers } = await send({ method, url });
      expect(status).toBe(404);
      expect(headers["content-type"]).toMatch(/^application\/problem\+json/);
    },
  );

  test("[G1] HEAD answers as GET, without a body", async () => {
    const url = `${scene.cluster.http()}/api/v1/channels`;
    const headers = { authorization: `Bearer ${token}` };
    const { status, text } = await send({ method: "HEAD", url, headers });
    expect([status, text]).toEqual([200, ""]);
  });
});
