import { afterAll, beforeAll, expect, test } from "vitest";
import { ProtocolError } from "../../src/protocol/errors.ts";
import type { PlayerMessage } from "../../src/protocol/game-codec.ts";
import type { GameAnswer } from "../../src/protocol/game-requests.ts";
import { LiveClient } from "../support/live-client.ts";
import { anasLook, anasView } from "../support/shown-match.ts";
import { StandInGame } from "../support/stand-in-game.ts";
import { until } from "../support/until.ts";
import { type Asked, gatewayScene } from "./gateway-scene.ts";
import { gatewayWithGame } from "./gateway-with-game.ts";

const look = "GET /api/v1/duel";
const watch = "GET /api/v1/users/{user}/duel";
const enter = "POST /api/v1/duel/queue";
const leave = "DELETE /api/v1/duel/queue";
const act = "POST /api/v1/duel/acts";
const { match } = anasView;
const pass = { match, action: { type: "pass" } };

let newest = 4;
let isSeated = false;
const waiting: (() => void)[] = [];

/** Ana sits in a match; what she does makes one event. */
async function answer({ user, request }: PlayerMessage): Promise<GameAnswer> {
  switch (request.type) {
    case "enter":
      if (isSeated) throw new ProtocolError("seated", "The user sits in a match already.");
      return { phase: "waiting", rules: request.rules, waitedMs: 0 };
    case "leave":
      return { phase: "idle" };
    case "act":
      if (request.match !== match) throw new ProtocolError("match_not_found", "No such match.");
      newest += 1;
      for (const go of waiting.splice(0)) go();
      return { eventSeq: newest };
    case "look": {
      const isNews = request.after?.match !== match || request.after.eventSeq < newest;
      if (!isNews && request.waitMs > 0) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          setTimeout(resolve, request.waitMs);
        });
      }
      const isOwn = request.of === undefined && user === "ana";
      return anasLook(newest, isOwn ? {} : { seat: undefined });
    }
    default:
      return request satisfies never;
  }
}

let game: StandInGame | undefined = await StandInGame.start(answer);
const { endpoint } = game;
const scene = gatewayScene({ auth: "required" });
let gateway: Awaited<ReturnType<typeof gatewayWithGame>>;
let ana: string;
let bia: string;

beforeAll(async () => {
  [ana, bia] = [await scene.enter("ana"), await scene.enter("bia")];
  gateway = await gatewayWithGame(scene, endpoint);
}, 60_000);
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await game?.[Symbol.asyncDispose]();
}, 30_000);

const ask = (operation: string, asked: Asked) =>
  scene.ask(operation, { at: gateway.address, ...asked });

const lastAsked = () => game?.asked.at(-1);

test("[G55] a player looks for a match and stops looking, in their own name and with their own token", async () => {
  const entered = await ask(enter, { token: bia, body: { rules: "clash" } });
  expect(entered.json).toEqual({ phase: "waiting", rules: "clash", waitedMs: 0 });
  expect(lastAsked()).toMatchObject({ user: "bia", token: bia });
  expect((await ask(leave, { token: bia })).json).toEqual({ phase: "idle" });
  isSeated = true;
  const refused = await ask(enter, { token: bia, body: { rules: "clash" } });
  expect(refused).toMatchObject({ status: 409, json: { code: "seated" } });
  expect((await ask(look, {})).status).toBe(401);
});

test("[G55] a player sees the whole view with their hand, and a spectator sees no hand's owner as themselves", async () => {
  const { json } = await ask(look, { token: ana });
  expect(json).toEqual(JSON.parse(JSON.stringify(anasLook(newest))));
  const seen = await ask(watch, { token: bia, path: { user: "ana" } });
  expect(seen.json.view.seat).toBeUndefined();
  expect(lastAsked()?.request).toMatchObject({ type: "look", of: "ana" });
});

test("[G55] a look with `wait` is answered by the next event", async () => {
  const query = `?match=${match}&eventSeq=${newest}&wait=10`;
  const waits = ask(look, { token: ana, query });
  await until(() => waiting.length > 0, "the look waits");
  const acted = await ask(act, { token: ana, body: pass });
  expect(acted).toMatchObject({ status: 200, json: { eventSeq: newest } });
  expect((await waits).json.view.eventSeq).toBe(newest);
  expect((await ask(look, { token: ana, query: "?wait=11" })).status).toBe(400);
});

test("[G55] an action has the id of its `Idempotency-Key`, so that game servers do it once", async () => {
  const headers = { "idempotency-key": "one-move" };
  await ask(act, { token: ana, headers, body: pass });
  expect(lastAsked()?.request).toEqual({ type: "act", id: "one-move", ...pass });
  const elsewhere = { match: "f".repeat(16), action: { type: "pass" } };
  expect(await ask(act, { token: ana, body: elsewhere })).toMatchObject({
    status: 404,
    json: { code: "match_not_found" },
  });
  const wrong = { match, action: { type: "play", card: "no-card" } };
  expect((await ask(act, { token: ana, body: wrong })).status).toBe(400);
});

test("[G56] a WebSocket tells each change of the match, and answers actions", async () => {
  using client = new LiveClient(gateway.address, { token: ana });
  await client.connected();
  const first = await client.ask({ type: "duel" });
  expect(first).toMatchObject({ type: "duel", look: { view: { match, eventSeq: newest } } });
  const acted = await client.ask({ type: "act", id: "m-1", ...pass });
  expect(acted).toMatchObject({ type: "acted", eventSeq: newest });
  await until(() => client.of("duel").length === 2, "the change");
  const refused = await client.ask({ type: "act", id: "m-2", ...pass, match: "f".repeat(16) });
  expect(refused).toMatchObject({ type: "error", code: "match_not_found", retry: false });
});

test("[G57] without game servers requests get 503 and a time, and the chat goes on; when one is there again, a socket goes on by itself", async () => {
  using client = new LiveClient(gateway.address, { token: ana });
  await client.connected();
  await client.ask({ type: "duel" });
  await game?.[Symbol.asyncDispose]();
  game = undefined;
  const { status, json } = await ask(look, { token: ana });
  expect([status, json.code, json.retry]).toEqual([503, "unavailable", true]);
  await until(() => client.of("error").length === 1, "the socket tells the lack", 20_000);
  expect(client.of("error")[0]).toMatchObject({ code: "unavailable", retry: true });
  const chat = await client.ask({ type: "presence", state: "online" });
  expect(chat.type).toBe("present");
  expect((await ask("GET /api/v1/channels", { token: ana })).status).toBe(200);
  newest += 1;
  game = await StandInGame.start(answer, endpoint);
  await until(() => client.of("duel").length === 2, "the news", 20_000);
  expect(client.of("error")).toHaveLength(1);
}, 60_000);
