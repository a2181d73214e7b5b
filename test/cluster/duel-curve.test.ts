import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GameClient } from "../../src/client/game-client.ts";
import { openToken } from "../../src/gateway/credentials.ts";
import { splitKey } from "../../src/platform/endpoint.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { ClientPlayer, LinePlayer, SocketPlayer } from "../support/match-doors.ts";
import { expectSame, expectWhole } from "../support/match-player.ts";
import { expectHeard, MqttPlayer } from "../support/mqtt-player.ts";
import { until } from "../support/until.ts";
import { faultMs, MatchScene } from "./match-scene.ts";

let scene: MatchScene;

beforeAll(async () => {
  scene = await MatchScene.start({ curve: true, gateways: 1 });
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose](), 30_000);

describe("[X6] matches in an encrypted cluster", { timeout: 90_000 }, () => {
  test("a player by lines and one by MQTT play a clash to its end", async () => {
    const [one, other] = scene.pair();
    const [, mqtt = ""] = scene.cluster.endpoints.mqtt.split(",");
    using bia = await MqttPlayer.start(mqtt, other);
    await bia.enter();
    await bia.client.hears("AGUARDANDO_OPONENTE");
    using ana = new LinePlayer(scene.cluster, { user: one });
    expect(await bia.meets()).toBe(one);
    await bia.command("COMPRAR_PACOTE", { pacote: "basic" });
    await bia.plays();
    await ana.isOver();
    expect(await ana.ended()).toBe(0);
    expectWhole(ana.seen);
    expectHeard(bia.client, ana.seen);
    await scene.expectRated([ana, bia]);
  });

  test("a player by the library and one by a WebSocket go on with their match when its host is killed", async () => {
    const users = scene.pair();
    await scene.buy(users, 2);
    const [one, other] = users;
    using ana = new ClientPlayer(scene.games, { user: one });
    const gateway = scene.cluster.http();
    const token = openToken(parseUserName(other));
    using bia = new SocketPlayer(gateway, token, { user: other });
    for (const player of [ana, bia]) player.upTo(3);
    const entered = await fetch(`${gateway}/api/v1/duel/queue`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ rules: "clash" }),
    });
    expect(entered.status).toBe(200);
    const isOver = ana.run("clash");
    for (const player of [ana, bia]) await player.hasEnded(3, faultMs);
    const { host } = await scene.holders(one);
    for (const player of [ana, bia]) player.upTo(6);
    const isBack = host.nextReady();
    host.signal("SIGKILL");
    for (const player of [ana, bia]) await player.hasEnded(6, faultMs);
    await isBack;
    const hasTwo = async () => {
      const now = await scene.holders(one);
      return new Set([now.host, now.shadow]).size === 2;
    };
    await until(hasTwo, "both hold the match", faultMs);
    for (const player of [ana, bia]) player.upTo(Number.POSITIVE_INFINITY);
    await isOver;
    await bia.isOver(faultMs);
    expectSame(ana.seen, bia.seen);
    expect([...ana.refusals, ...bia.refusals]).toEqual([]);
    await scene.expectRated([ana, bia]);
  });

  test("a player without the cluster's key gets nothing from a game server", async () => {
    const games = scene.games.map((game) => splitKey(game).address);
    const [one] = scene.pair();
    using client = new GameClient({ games, user: parseUserName(one), deadlineMs: 2_000 });
    const refused = await client.enter("clash").catch((error) => error);
    expect(refused).toMatchObject({ code: "unavailable" });
  });
});
