import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gatewayConfig } from "../../src/gateway/config.ts";
import { startGateway } from "../../src/gateway/gateway.ts";
import { Settings } from "../../src/platform/settings.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { StandInGame } from "../support/stand-in-game.ts";
import { until } from "../support/until.ts";
import { apiDocument } from "./api-document.ts";
import { duelAsked, refuseDuel } from "./duel-statuses.ts";
import { type Asked, gatewayScene, passwordOf } from "./gateway-scene.ts";
import { gatewayWithGame } from "./gateway-with-game.ts";
import { send } from "./http-ask.ts";

const committed = readFileSync(new URL("../../docs/openapi.json", import.meta.url), "utf8");

/** All pairs of an operation, such as `GET /api/v1/time`, and a documented status. */
const pairs = Object.entries(JSON.parse(committed).paths as Record<string, object>).flatMap(
  ([route, methods]) =>
    Object.entries(methods).flatMap(([method, { responses }]) =>
      Object.keys(responses).map(
        (status) => [`${method.toUpperCase()} ${route}`, Number(status)] as const,
      ),
    ),
);

const pace = 5;
const scene = gatewayScene({
  auth: "required",
  settings: () => ({ TERTULIA_CONNECTION_RATE: String(pace) }),
});
const game = await StandInGame.start(refuseDuel);
const open = gatewayScene({ auth: "open" });
let playing: Awaited<ReturnType<typeof gatewayWithGame>>;
let unready: Awaited<ReturnType<typeof startGateway>>;

beforeAll(async () => {
  const data = scene.cluster.folder;
  const nowhere = { broker: "tcp://127.0.0.1:9", proxy: "tcp://127.0.0.1:9" };
  const flags = { data, http: "tcp://127.0.0.1:*", logLevel: "silent", ...nowhere };
  unready = await startGateway(gatewayConfig(new Settings(flags, {})));
  for (const user of ["ana", "bruno", "carla", "dora"]) await scene.enter(user);
  const promotion = { path: { user: "ana" }, body: { administrator: true } };
  await scene.ask("PATCH /api/v1/accounts/{user}", { token: scene.operator(), ...promotion });
  const token = scene.tokens.get("ana");
  for (const channel of ["geral", "velho"]) {
    await scene.createChannel(channel, token);
  }
  await makeHooks();
  await makeOffer();
  playing = await gatewayWithGame(scene, game.endpoint);
}, 60_000);
afterAll(async () => {
  for (const one of [unready, playing, game]) await one?.[Symbol.asyncDispose]();
}, 30_000);

/** What the server answered when each hook was made. */
const hooks = new Map<string, { readonly hook: string; readonly path: string }>();
async function makeHooks(): Promise<void> {
  const body = { channel: "geral", name: "deploy" };
  const owners = { revoked: "ana", used: "ana", locked: "dora" };
  for (const [use, owner] of Object.entries(owners)) {
    const asked = { token: scene.tokens.get(owner), body };
    hooks.set(use, (await scene.ask("POST /api/v1/hooks", asked)).json);
  }
  const lock = { path: { user: "dora" }, body: { locked: true } };
  await scene.ask("PATCH /api/v1/accounts/{user}", { token: scene.operator(), ...lock });
}
const tokenOf = (use: string) => hooks.get(use)?.path.replace("/hooks/", "") ?? "";

/** Cards of ana and of bruno, and the number of an offer of bruno to ana. */
let cards: readonly string[] = [];
let trade = "";
async function makeOffer(): Promise<void> {
  const [ana, bruno] = ["ana", "bruno"].map((user) => scene.tokens.get(user));
  const body = { pack: "basic" };
  const bought = [ana, bruno].map((token) =>
    scene.ask("POST /api/v1/shop/purchases", { token, body }),
  );
  cards = (await Promise.all(bought)).map(({ json }) => json.cards[0]);
  const offer = { to: "ana", give: [cards[1]], want: [cards[0]] };
  const { json } = await scene.ask("POST /api/v1/shop/offers", { token: bruno, body: offer });
  trade = String(json.trade);
}

let made = 0;
const newName = () => {
  made += 1;
  return `novo${made}`;
};

/** For each operation, how a request succeeds. It gets a new name for what it makes. */
const successes: Readonly<Record<string, (name: string) => Asked>> = {
  "POST /session": () => ({ body: { user: "bruno", password: passwordOf("bruno") } }),
  "GET /session": () => ({}),
  "DELETE /session": () => ({}),
  "POST /accounts": (user) => ({ body: { user, password: passwordOf(user) } }),
  "PUT /accounts/me/password": () => ({
    token: scene.tokens.get("carla"),
    body: { password: passwordOf("carla"), newPassword: passwordOf("carla") },
  }),
  "GET /users": () => ({ query: "?prefix=a&limit=1" }),
  "GET /channels": () => ({}),
  "POST /channels": (channel) => ({ body: { channel } }),
  "GET /channels/{channel}/messages": () => ({ path: { channel: "geral" } }),
  "POST /channels/{channel}/messages": () => ({
    path: { channel: "geral" },
    body: { message: "oi" },
  }),
  "GET /users/{user}/messages": () => ({ path: { user: "ana" }, query: "?with=bruno" }),
  "POST /users/{user}/messages": () => ({ path: { user: "bruno" }, body: { message: "oi" } }),
  "GET /channels/{channel}/search": () => ({ path: { channel: "geral" }, query: "?words=oi" }),
  "GET /users/{user}/search": () => ({ path: { user: "ana" }, query: "?words=oi&with=bruno" }),
  "PUT /presence": () => ({ body: { state: "online" } }),
  "GET /time": () => ({}),
  "GET /status": () => ({}),
  "GET /trace": () => ({ query: "?of=a-1" }),
  "GET /cluster": () => ({}),
  "PATCH /accounts/{user}": () => ({ path: { user: "bruno" }, body: { administrator: false } }),
  "PUT /registration": () => ({ body: { mode: "open" } }),
  "PATCH /channels/{channel}": () => ({ path: { channel: "velho" }, body: { removed: true } }),
  "GET /hooks": () => ({}),
  "POST /hooks": () => ({ body: { channel: "geral", name: "alert" } }),
  "DELETE /hooks/{hook}": () => ({ path: { hook: hooks.get("revoked")?.hook ?? "" } }),
  "POST /hooks/{token}": () => ({ path: { token: tokenOf("used") }, body: { text: "oi" } }),
  "GET /shop": () => ({}),
  "GET /users/{user}/cards": () => ({ path: { user: "ana" } }),
  "POST /shop/purchases": () => ({ body: { pack: "basic" } }),
  "PUT /shop/packs/{pack}": () => ({ path: { pack: "basic" }, body: { left: 1_000 } }),
  "POST /shop/offers": () => ({ body: { to: "bruno", give: [cards[0]], want: [cards[1]] } }),
  "PATCH /shop/offers/{trade}": () => ({ path: { trade }, body: { accept: false } }),
  "GET /users/{user}/matches": () => ({ path: { user: "ana" } }),
  "GET /ranking": () => ({}),
  "GET /events": () => ({ query: "?conversations=%23geral" }),
};

function success(operation: string): Asked {
  const route = operation.replace("/api/v1", "");
  const duel = duelAsked(route);
  const asked = duel ? { ...duel, at: playing.address } : successes[route]?.(newName());
  if (asked === undefined) throw new Error(`no request is known for ${operation}`);
  return { token: scene.tokens.get("ana"), ...asked };
}

/** The operations whose name is in the path, and what they name if it does not exist. */
const absent = {
  path: { user: "nobody", channel: "nowhere", hook: "none", token: "none", trade: "0" },
};
const wrong = "not a name";
const invalid = { path: { user: wrong, channel: wrong } };

/** What a repeated request changes, while it has the `Idempotency-Key` of the first one. */
const changes: Readonly<Record<string, object>> = {
  "PUT /accounts/me/password": { password: passwordOf("carla"), newPassword: "another password" },
  "PATCH /accounts/{user}": { administrator: true },
  "PATCH /channels/{channel}": { removed: false },
  "PUT /registration": { mode: "closed" },
  "POST /channels/{channel}/messages": { message: "tchau" },
  "POST /users/{user}/messages": { message: "tchau" },
  "POST /hooks": { channel: "geral", name: "other" },
  "POST /hooks/{token}": { text: "tchau" },
  "POST /shop/purchases": { pack: "premium" },
  "PUT /shop/packs/{pack}": { left: 999 },
  "POST /shop/offers": { to: "carla", give: ["wolf-rare-1"], want: ["lion-rare-1"] },
  "PATCH /shop/offers/{trade}": { accept: true },
};

/** For each status of an error, how any operation comes to it. */
const failures: Readonly<Record<number, (operation: string) => Promise<number>>> = {
  400: async (operation) => {
    const isRead = operation.startsWith("GET");
    const query = operation.endsWith("/events") ? { query: "?conversations=geral" } : {};
    const headers = { "tertulia-after": "damaged" };
    const damaged = isRead ? { headers, ...query } : { body: "{" };
    return (await scene.ask(operation, { ...success(operation), ...damaged })).status;
  },
  401: async (operation) => {
    const body = { user: "bruno", password: "a wrong password" };
    const wrong = operation === "POST /api/v1/session" ? { body } : { token: "open." };
    return (await scene.ask(operation, { ...success(operation), ...wrong })).status;
  },
  403: async (operation) => {
    if (operation === "POST /hooks/{token}") {
      const path = { token: tokenOf("locked") };
      return (await scene.ask(operation, { ...success(operation), path })).status;
    }
    const { token, ...asked } = success(operation);
    const headers = { cookie: `tertulia=${token}`, origin: "https://other.example" };
    return (await scene.ask(operation, { ...asked, headers })).status;
  },
  404: async (operation) => {
    // Only in an open cluster can a user make requests without having logged in.
    const isOwn = /GET .*\/users\/{user}\/(messages|search)$|PUT .*\/presence$/.test(operation);
    const token = `open.${Buffer.from("nobody").toString("base64url")}`;
    const asked = success(operation);
    if (isOwn) return (await open.ask(operation, { ...asked, ...absent, token })).status;
    const body =
      asked.path === undefined ? { ...(asked.body as object), channel: "nowhere" } : asked.body;
    return (await scene.ask(operation, { ...asked, ...absent, body })).status;
  },
  409: async (operation) => {
    const asked = success(operation);
    const headers = { "idempotency-key": newName() };
    const change = changes[operation.replace("/api/v1", "")];
    if (change === undefined) {
      // The name is in use.
      await scene.ask(operation, asked);
      const body = { ...(asked.body as object), password: "another password" };
      return (await scene.ask(operation, { ...asked, body })).status;
    }
    const { headers: renewed } = await scene.ask(operation, { ...asked, headers });
    const token = (renewed["tertulia-token"] as string | undefined) ?? asked.token;
    if (operation.endsWith("/me/password")) scene.tokens.set("carla", token as string);
    return (await scene.ask(operation, { ...asked, token, headers, body: change })).status;
  },
  413: async (operation) => {
    const body = { message: "x".repeat(70_000) };
    return (await scene.ask(operation, { ...success(operation), body })).status;
  },
  415: async (operation) => {
    const plain = { headers: { "content-type": "text/plain" }, body: "oi" };
    return (await scene.ask(operation, { ...success(operation), ...plain })).status;
  },
  422: async (operation) => {
    const asked = success(operation);
    const body = asked.body && { ...asked.body, user: wrong, channel: wrong, to: wrong };
    const query = operation === "GET /api/v1/hooks" ? "?user=a%20b" : "";
    const named = asked.path === undefined ? { body, query } : invalid;
    return (await scene.ask(operation, { ...asked, ...named })).status;
  },
  429: async (operation) => {
    const headers = { "x-forwarded-for": `198.51.100.${made & 255}` };
    const asked = { ...success(operation), headers };
    const all = Array.from({ length: 12 * pace }, () => scene.ask(operation, asked));
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    return statuses.find((status) => status === 429) ?? 0;
  },
  503: async (operation) => {
    const at = unready.http.replace("tcp:", "http:");
    return (await scene.ask(operation, { ...success(operation), at })).status;
  },
};

test("[G1] the committed OpenAPI document is the one that a gateway generates and serves", async () => {
  expect(committed).toBe(await apiDocument());
  expect(scene.document).toEqual(JSON.parse(committed));
});

describe("[G1] every documented status", { timeout: 60_000 }, () => {
  test.each(pairs)("[G1] %s answers with %i as documented", async (operation, status) => {
    const refused = duelAsked(operation.replace("/api/v1", ""), status);
    const way = status < 400 || refused ? undefined : failures[status];
    const token = refused?.user === undefined ? {} : { token: scene.tokens.get(refused.user) };
    const asked = { ...success(operation), ...refused, ...token };
    const got = way ? await way(operation) : (await scene.ask(operation, asked)).status;
    expect(got).toBe(status);
  });
});

test("[G46] without accounts, a gateway tells steps only to people on its own machine", async (context) => {
  context.skip(LocalCluster.hasEngine, "servers with an engine keep no steps");
  const token = (await open.ask("POST /api/v1/session", { body: { user: "ana" } })).json.token;
  const channel = { token, body: { channel: "geral" }, headers: { "idempotency-key": "a-1" } };
  await open.ask("POST /api/v1/channels", channel);
  const ask = (address: string, more: Asked = {}) => {
    const headers = { "x-forwarded-for": address };
    return open.ask("GET /api/v1/trace", { query: "?of=a-1", headers, ...more });
  };
  for (const address of ["127.0.0.1", "::1"]) {
    const { status, json } = await ask(address, { token });
    expect(status).toBe(200);
    expect(json.event).toMatchObject({ id: "a-1", operation: "channel" });
    expect(json.servers[0].steps[0]).toMatchObject({ kind: "asked" });
  }
  for (const more of [{ token }, { token: "anything" }, {}]) {
    expect((await ask("192.0.2.1", more)).status).toBe(403);
  }
});

test("[G46] without accounts, a gateway tells no steps through a proxy that it does not trust, and to no page of another name", async () => {
  const settings = new Settings(
    { data: open.cluster.folder, http: "tcp://127.0.0.1:*", logLevel: "silent" },
    {
      TERTULIA_BROKER: open.cluster.endpoints.broker,
      TERTULIA_PROXY: open.cluster.endpoints.proxy,
    },
  );
  await using untrusting = await startGateway(gatewayConfig(settings));
  const own = untrusting.http.replace("tcp:", "http:");
  const isReady = async () => (await send({ method: "GET", url: `${own}/readyz` })).status === 200;
  await until(isReady, "the gateway is ready", 30_000);
  const ask = async (headers: Record<string, string>, at = own) => {
    return (await send({ method: "GET", url: `${at}/api/v1/trace?of=a-1`, headers })).status;
  };
  expect(await ask({})).toBe(200);
  expect(await ask({ host: "localhost:8080" })).toBe(200);
  expect(await ask({ host: "[::1]:8080" })).toBe(200);
  for (const header of ["x-forwarded-for", "forwarded"]) {
    expect(await ask({ [header]: "for=127.0.0.1" }), header).toBe(403);
  }
  for (const host of ["chat.example", "127.0.0.1.example", "192.0.2.1"]) {
    expect(await ask({ host }), host).toBe(403);
    expect(await ask({ host, "x-forwarded-for": "127.0.0.1" }, open.cluster.http()), host).toBe(
      403,
    );
  }
}, 60_000);

test("[G5] a gateway without a broker starts, lives, and is not ready", async () => {
  const at = unready.http.replace("tcp:", "http:");
  expect((await send({ method: "GET", url: `${at}/livez` })).status).toBe(200);
  const readyz = () => send({ method: "GET", url: `${at}/readyz` });
  const isSilent = async () => (await readyz()).text.includes("no server answers");
  await until(isSilent, "it tells that no server answers");
  const { status, json, headers } = await readyz();
  expect(status).toBe(503);
  expect(json).toEqual({ ready: false, reasons: ["no server answers"] });
  expect(headers["retry-after"]).toBe("1");
});

test("[G1] a page without scripts describes the API", async () => {
  const url = `${scene.cluster.http()}/api/v1/docs`;
  const { text, headers } = await send({ method: "GET", url });
  expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; style-src 'sha256-/);
  for (const [operation] of pairs) expect(text).toContain(`<code>${operation}</code>`);
  expect(text).not.toMatch(/<script|https?:/);
});
