import { beforeAll, describe, expect, test } from "vitest";
import { limits } from "../../src/protocol/limits.ts";
import { keptTexts } from "../support/kept-texts.ts";
import { gatewayScene } from "./gateway-scene.ts";
import { send } from "./http-ask.ts";

const scene = gatewayScene({ auth: "required", logLevel: "debug" });
const open = gatewayScene({ auth: "open" });
const post = "POST /hooks/{token}";
const read = "GET /api/v1/channels/{channel}/messages";
const path = { channel: "geral" };
const form = { "content-type": "application/x-www-form-urlencoded" };
let token: string;
let made: { readonly hook: string; readonly url: string; readonly path: string };
let hookToken: string;

beforeAll(async () => {
  token = await scene.enter("ana");
  await scene.createChannel("geral", token);
  const body = { channel: "geral", name: "deploy" };
  made = (await scene.ask("POST /api/v1/hooks", { token, body })).json;
  hookToken = made.path.slice("/hooks/".length);
}, 60_000);

/** Returns the newest message of the channel. */
async function newest(): Promise<object> {
  const { json } = await scene.ask(read, { token, path, query: "?limit=1" });
  return json.messages[0];
}

describe("[G50] what other systems send to a hook", () => {
  test("[G50] a program that knows only the URL writes as with a webhook of Slack, and gets the reply `ok`", async () => {
    const body = JSON.stringify({
      text: "build 7 failed",
      channel: "#other",
      username: "bia",
      icon_emoji: ":x:",
      attachments: [{ text: "ignored" }],
      token: "ignored",
    });
    const headers = { "content-type": "application/json" };
    const answer = await send({ method: "POST", url: made.url, headers, body });
    expect([answer.status, answer.text]).toEqual([200, "ok"]);
    expect(answer.headers["content-type"]).toMatch(/^text\/plain/);
    expect(await newest()).toMatchObject({
      channel: "geral",
      user: "ana",
      hook: "deploy",
      message: "build 7 failed",
    });
  });

  test("[G50] a form with JSON in the field `payload` is taken, as Slack takes it", async () => {
    const payload = JSON.stringify({ text: "ça va & tchau 😀", mrkdwn: false });
    const body = new URLSearchParams({ payload, other: "ignored" }).toString();
    const answer = await scene.ask(post, { path: { token: hookToken }, headers: form, body });
    expect([answer.status, answer.text]).toEqual([200, "ok"]);
    expect(await newest()).toMatchObject({ message: "ça va & tchau 😀" });
  });

  test.each([
    ["has no payload", "text=oi"],
    ["has a payload that is no JSON", "payload=oi"],
    ["has a payload without a text", "payload=%7B%7D"],
    ["has a text that is no string", `payload=${encodeURIComponent('{"text":7}')}`],
    ["has a payload that is null", "payload=null"],
    ["has a payload nested 20,000 deep", `payload=${"[".repeat(20_000)}`],
    ["is empty", ""],
  ])("[G50] a form that %s gets a problem", async (_, body) => {
    const answer = await scene.ask(post, { path: { token: hookToken }, headers: form, body });
    expect(answer.status).toBe(400);
  });

  test("[G50] a text that is empty or above 4,096 characters gets a problem", async () => {
    const write = (text: string) => scene.ask(post, { path: { token: hookToken }, body: { text } });
    expect((await write("")).status).toBe(400);
    expect((await write("x".repeat(limits.messageCharacters + 1))).status).toBe(413);
  });

  test.each([
    [
      "attachments with a `fallback`, as of Alertmanager",
      { attachments: [{ fallback: "[FIRING:1] disk", title: "disk", text: "full", color: "red" }] },
      "[FIRING:1] disk",
    ],
    [
      "attachments with a title and a text",
      { text: "", attachments: [{ title: "disk", text: "full", fallback: "" }, { text: "cpu" }] },
      "disk\nfull\ncpu",
    ],
    [
      "blocks with texts and fields",
      {
        text: null,
        blocks: [
          { type: "header", text: { type: "plain_text", text: "build 9" } },
          { type: "divider" },
          { type: "section", fields: [{ type: "mrkdwn", text: "branch" }, { text: "main" }] },
        ],
      },
      "build 9\nbranch\nmain",
    ],
    [
      "attachments that hold blocks",
      { attachments: [{ color: "red", blocks: [{ text: { text: "build 10" } }] }] },
      "build 10",
    ],
    [
      "a text beside attachments of another form",
      { text: "build 11", attachments: null, blocks: "none" },
      "build 11",
    ],
    [
      "attachments above 4,096 characters",
      { attachments: [{ fallback: "😀".repeat(limits.messageCharacters + 1) }] },
      `${"😀".repeat(limits.messageCharacters - 1)}…`,
    ],
  ])("[G50] a post with %s is written with its texts", async (_, body, message) => {
    const answer = await scene.ask(post, { path: { token: hookToken }, body });
    expect([answer.status, answer.text]).toEqual([200, "ok"]);
    expect(await newest()).toMatchObject({ message });
  });

  test.each([
    ["attachments without a text", { attachments: [{ color: "red" }, null, 7] }],
    ["blocks of another form", { blocks: [{ text: "plain", fields: {} }, [], null] }],
    ["attachments that are no list", { attachments: { fallback: "x" } }],
  ])("[G50] a post with %s gets a problem that says what is missing", async (_, body) => {
    const answer = await scene.ask(post, { path: { token: hookToken }, body });
    expect(answer.status).toBe(400);
    expect(answer.json.title).toContain("`attachments`");
  });

  test("[G50] [G4] a post that is repeated with its `Idempotency-Key` is stored once", async () => {
    const headers = { "idempotency-key": "build-8" };
    for (let time = 0; time < 3; time += 1) {
      const body = { text: "build 8 passed" };
      const answer = await scene.ask(post, { path: { token: hookToken }, headers, body });
      expect(answer.status).toBe(200);
    }
    const { json } = await scene.ask(read, { token, path });
    const texts = json.messages.map(({ message }: { message: string }) => message);
    expect(texts.filter((text: string) => text === "build 8 passed")).toHaveLength(1);
  });

  test("[G50] neither a cookie nor the origin of a page counts for a post", async () => {
    const headers = { cookie: "tertulia=x", origin: "https://ci.example" };
    const body = { text: "from a page" };
    const answer = await scene.ask(post, { path: { token: hookToken }, headers, body });
    expect(answer.status).toBe(200);
  });
});

describe("[G51] the hooks of a user", () => {
  test("[G51] a hook is made, listed without its token, and revoked; then its URL gets 404", async () => {
    const body = { channel: "geral", name: "alert" };
    const { json } = await scene.ask("POST /api/v1/hooks", { token, body });
    expect(new URL(json.url).pathname).toBe(json.path);
    const list = await scene.ask("GET /api/v1/hooks", { token });
    expect(list.json.hooks).toContainEqual({
      id: json.hook,
      channel: "geral",
      name: "alert",
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(list.text).not.toContain(json.path.slice("/hooks/".length));
    const revoked = { token, path: { hook: json.hook } };
    expect((await scene.ask("DELETE /api/v1/hooks/{hook}", revoked)).status).toBe(200);
    const answer = await scene.ask(post, {
      path: { token: json.path.slice("/hooks/".length) },
      body: { text: "x" },
    });
    expect(answer.status).toBe(404);
    expect(answer.json.code).toBe("hook_not_found");
  });

  test("[G51] [G4] a request for a hook that is repeated with its `Idempotency-Key` gives the same URL, and makes one hook", async () => {
    const asked = {
      token,
      headers: { "idempotency-key": "one hook" },
      body: { channel: "geral", name: "repeated" },
    };
    const first = await scene.ask("POST /api/v1/hooks", asked);
    const again = await scene.ask("POST /api/v1/hooks", asked);
    expect(again.json.path).toBe(first.json.path);
    const other = await scene.enter("bia");
    const others = await scene.ask("POST /api/v1/hooks", { ...asked, token: other });
    expect(others.json.path).not.toBe(first.json.path);
    const { json } = await scene.ask("GET /api/v1/hooks", { token });
    const names = json.hooks.map(({ name }: { name: string }) => name);
    expect(names.filter((name: string) => name === "repeated")).toHaveLength(1);
  });

  test("[G51] an administrator lists and revokes another user's hook, and other users can't", async () => {
    const other = await scene.enter("caio");
    const query = { query: "?user=ana" };
    const refused = await scene.ask("GET /api/v1/hooks", { token: other, ...query });
    expect(refused.status).toBe(403);
    const body = { channel: "geral", name: "noisy" };
    const { json } = await scene.ask("POST /api/v1/hooks", { token, body });
    const revoke = (asker: string) =>
      scene.ask("DELETE /api/v1/hooks/{hook}", { token: asker, path: { hook: json.hook } });
    expect((await revoke(other)).status).toBe(404);
    const administrator = scene.operator();
    const list = await scene.ask("GET /api/v1/hooks", { token: administrator, ...query });
    expect(list.text).toContain(json.hook);
    expect((await revoke(administrator)).status).toBe(200);
  });

  test("[G51] in an open cluster a hook belongs to the user whom the token states", async () => {
    const user = await open.enter("ana");
    await open.createChannel("geral", user);
    const body = { channel: "geral", name: "deploy" };
    const { json } = await open.ask("POST /api/v1/hooks", { token: user, body });
    const url = new URL(json.path, open.cluster.http()).href;
    const headers = { "content-type": "application/json" };
    const answer = await send({ method: "POST", url, headers, body: '{"text":"oi"}' });
    expect(answer.text).toBe("ok");
    const page = await open.ask(read, { token: user, path });
    expect(page.json.messages).toMatchObject([{ user: "ana", hook: "deploy", message: "oi" }]);
  });
});

describe("[G52] a hook's token", () => {
  test("[G52] no problem, log or file of the cluster has a hook's token, whatever is wrong with a post", async () => {
    const url = (rest: string) => `${scene.cluster.http()}/hooks/${hookToken}${rest}`;
    const json = { "content-type": "application/json" };
    const asked = [
      { method: "POST", url: url(""), headers: json, body: "{" },
      { method: "POST", url: url(""), headers: json, body: '{"text":7}' },
      { method: "POST", url: url(""), headers: { "content-type": "text/plain" }, body: "oi" },
      { method: "POST", url: url("%ff"), headers: json, body: '{"text":"oi"}' },
      { method: "POST", url: url("x".repeat(3_000)), headers: json, body: '{"text":"oi"}' },
      { method: "GET", url: url("") },
      { method: "PUT", url: url("/more"), headers: json, body: '{"text":"oi"}' },
      { method: "POST", url: url("-wrong"), headers: json, body: '{"text":"oi"}' },
    ];
    for (const one of asked) {
      const answer = await send(one);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(JSON.stringify(answer)).not.toContain(hookToken);
    }
    const texts = (await keptTexts(scene.cluster)).map(({ text }) => text);
    expect(texts.length).toBeGreaterThan(3);
    expect(texts.some((text) => text.includes("build 8 passed"))).toBe(true);
    expect(texts.filter((text) => text.includes(hookToken))).toEqual([]);
  });

  test("[G52] [A9] the 21st wrong token of one address gets 429, and the right token still writes", async () => {
    const headers = { "x-forwarded-for": "198.51.100.77" };
    const write = (wrong: string) =>
      scene.ask(post, { path: { token: wrong }, headers, body: { text: "x" } });
    const statuses: number[] = [];
    for (let n = 0; n < 30; n += 1) statuses.push((await write(`wrong${n}`)).status);
    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(404));
    expect(statuses).toContain(429);
    expect((await write(hookToken)).status).toBe(200);
  });
});
