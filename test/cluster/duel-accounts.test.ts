import { beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { GameClient } from "../../src/client/game-client.ts";
import type { ProtocolError } from "../../src/protocol/errors.ts";
import type { MatchView } from "../../src/protocol/game-view.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { RawClient } from "../game/mqtt/raw-client.ts";
import { gatewayScene, passwordOf } from "../gateway/gateway-scene.ts";
import { type Frame, LiveClient } from "../support/live-client.ts";
import { PollPlayer, SocketPlayer } from "../support/match-doors.ts";
import { expectSame, type SeenMatch } from "../support/match-player.ts";
import { until } from "../support/until.ts";
import { CliProcess, clusterVariables } from "../terminal/cli-process.ts";

const scene = gatewayScene({ auth: "required", games: 2, servers: 3 });
const tokens = new Map<string, string>();

beforeAll(async () => {
  for (const user of ["ana", "bia", "cai"]) tokens.set(user, await scene.enter(user));
}, 60_000);

const tokenOf = (user: string) => tokens.get(user) ?? "";

describe("matches in a cluster with accounts", { timeout: 60_000 }, () => {
  const look = "GET /api/v1/duel";
  const enter = { body: { rules: "clash" } };

  test.each([
    ["no token", ""],
    ["a token that nobody has given", "not.a-token"],
    ["the token of another user, changed", "changed"],
  ])("with %s, the gateway lets nobody look, look for a match, or act", async (_what, given) => {
    const changed = `${tokenOf("ana").slice(0, -6)}AAAAAA`;
    const token = given === "" ? undefined : given === "changed" ? changed : given;
    const act = { match: "0".repeat(16), action: { type: "giveUp" } };
    expect((await scene.ask(look, { token })).status).toBe(401);
    expect((await scene.ask("POST /api/v1/duel/queue", { token, ...enter })).status).toBe(401);
    expect((await scene.ask("POST /api/v1/duel/acts", { token, body: act })).status).toBe(401);
    const path = { user: "ana" };
    const watched = await scene.ask("GET /api/v1/users/{user}/duel", { token, path });
    expect(watched.status).toBe(401);
    using socket = new LiveClient(scene.cluster.http(), token === undefined ? {} : { token });
    const isRefused = () => (socket.closed ?? socket.refusal) !== undefined;
    await until(() => isRefused() || socket.socket.readyState === WebSocket.OPEN, "an answer");
    // Without a token, the first frame must bring one.
    if (!isRefused()) socket.send({ type: "duel", of: "ana" });
    await until(isRefused, "the socket is refused");
    expect(socket.of("connected")).toEqual([]);
    expect(socket.of("duel")).toEqual([]);
  });

  test("a game server refuses a player without the token of that very player", async () => {
    const games = scene.cluster.endpoints.game.split(",");
    for (const token of [undefined, "not.a-token", tokenOf("bia")]) {
      const user = parseUserName("ana");
      using client = new GameClient({ games, user, token: () => token });
      const refused = await client.enter("clash").catch((error: ProtocolError) => error.code);
      expect(["unauthenticated", "forbidden"]).toContain(refused);
    }
  });

  test("[Q30] only an administrator may trace a match", async () => {
    const games = scene.cluster.endpoints.game.split(",");
    const trace = async (token: string | undefined) => {
      using client = new GameClient({ games, user: parseUserName("ana"), token: () => token });
      const { match, silent } = await client.trace("0123456789abcdef");
      return { match, silent };
    };
    const codeOf = ({ code }: ProtocolError) => code;
    expect(await trace(tokenOf("ana")).catch(codeOf)).toBe("forbidden");
    expect(await trace(undefined).catch(codeOf)).toBe("unauthenticated");
    expect(await trace(scene.operator())).toEqual({ match: undefined, silent: [] });
  });

  test("by MQTT and by lines nobody plays without the user's password", async () => {
    const [mqtt = ""] = scene.cluster.endpoints.mqtt.replaceAll("mqtt:", "tcp:").split(",");
    for (const password of ["wrong", undefined]) {
      const login = { user: "ana", ...(password !== undefined && { password }) };
      using client = (await RawClient.open(mqtt, login)).client;
      await client.closed();
      expect(client.messages).toEqual([]);
    }
    const right = await RawClient.open(mqtt, { user: "ana", password: passwordOf("ana") });
    expect(right.code).toBe(0);
    right.client[Symbol.dispose]();
    using lines = new CliProcess(["duel", "--user", "ana", "--rules", "clash"], {
      ...clusterVariables(scene.cluster.endpoints),
      TERTULIA_GAME: scene.cluster.endpoints.game,
      XDG_STATE_HOME: scene.cluster.folder,
    });
    const { code, stdout } = await lines.end();
    expect([code === 0, stdout]).toEqual([false, ""]);
  });

  test("a player by WebSocket and one by HTTP play a match to its end, and a spectator sees no hand", async () => {
    const choice = { type: "ready", pack: "basic" } as const;
    const ask = async (operation: string, query: string, body?: object) => {
      const { status, json } = await scene.ask(operation, { token: tokenOf("bia"), query, body });
      if (status >= 400) throw new Error(`${operation} ${status} ${json.code}`);
      return json;
    };
    using ana = new SocketPlayer(scene.cluster.http(), tokenOf("ana"), { user: "ana", choice });
    const bia = new PollPlayer(ask, { user: "bia", choice });
    using cai = new LiveClient(scene.cluster.http(), { token: tokenOf("cai") });
    await cai.connected();
    const asked = { token: tokenOf("ana"), body: { rules: "clash" } };
    expect((await scene.ask("POST /api/v1/duel/queue", asked)).status).toBe(200);
    await bia.enter("clash");
    ana.upTo(0);
    const isOver = bia.run();
    await until(() => ana.seen.round === 1, "the match has begun");
    await cai.ask({ type: "duel", of: "ana" });
    const polled = await scene.ask("GET /api/v1/users/{user}/duel", {
      token: tokenOf("cai"),
      path: { user: "bia" },
    });
    ana.upTo(Number.POSITIVE_INFINITY);
    await isOver;
    await ana.isOver();
    expectSame(ana.seen, bia.seen);
    expect([...ana.refusals, ...bia.refusals]).toEqual([]);
    expect(ana.seen.count("PURCHASE_PACK")).toBe(2);
    const looks = () => cai.of("duel").map((frame: Frame<"duel">) => frame.look);
    const views = () => looks().flatMap((one) => (one.phase === "match" ? [one] : []));
    await until(() => views().at(-1)?.view.over !== undefined, "the spectator sees the end");
    expect(views().length).toBeGreaterThan(5);
    for (const one of [...views(), polled.json]) expectNoSecret(one, ana.seen);
    const own = ana.seen.views.find(({ table }) => table !== undefined);
    expect(own?.table?.sides[own.seat ?? 0].hand).toHaveLength(5);
    const isKnown = async () => {
      const path = { user: "ana" };
      const asked = { token: tokenOf("cai"), path };
      return (await scene.ask("GET /api/v1/users/{user}/matches", asked)).json.ended.length === 1;
    };
    await until(isKnown, "the result counts");
  });
});

interface Watched {
  readonly view: MatchView;
}

/** Nothing that a spectator was told names a card that had not been played open by then. */
function expectNoSecret(watched: Watched, { events }: SeenMatch): void {
  const { view } = watched;
  expect(view.seat).toBeUndefined();
  const ended = events.filter(
    ({ type, eventSeq }) => type === "ROUND_END" && eventSeq <= view.eventSeq,
  );
  const open = new Set(ended.flatMap(({ data }) => data.cards as string[]));
  const told =
    JSON.stringify(watched).match(/[a-z]+-(?:common|uncommon|rare|legendary)-\d+/g) ?? [];
  expect(told.filter((card) => !open.has(card))).toEqual([]);
  for (const side of view.table?.sides ?? []) expect(side.hand).toBeUndefined();
}
