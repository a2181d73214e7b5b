import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Child } from "../../src/cluster/child.ts";
import type { Message } from "../game/mqtt/raw-client.ts";
import { LinePlayer } from "../support/match-doors.ts";
import { expectWhole } from "../support/match-player.ts";
import { expectHeard, MqttPlayer } from "../support/mqtt-player.ts";
import { until } from "../support/until.ts";
import { faultMs, MatchScene } from "./match-scene.ts";

let scene: MatchScene;

beforeAll(async () => {
  scene = await MatchScene.start();
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose](), 30_000);

const endpoints = () => scene.cluster.endpoints.mqtt.split(",");
/** A program of Debian's package mosquitto-clients. */
const mosquitto = (part: "sub") => `mosquitto_${part}`;
const isAbsent = spawnSync(mosquitto("sub"), ["--help"]).error !== undefined;

/** One player by lines and one by MQTT at the second game server, after three rounds of ten. */
async function inRound3() {
  const users = scene.pair();
  await scene.buy(users, 2);
  const bia = await MqttPlayer.start(endpoints()[1] ?? "", users[1]);
  await bia.enter();
  await bia.client.hears("AGUARDANDO_OPONENTE");
  const ana = new LinePlayer(scene.cluster, { user: users[0] });
  ana.upTo(3);
  await bia.meets();
  await bia.command("USAR_BARALHO");
  await bia.plays(1, 3);
  await ana.hasEnded(3);
  return { ana, bia };
}

describe("a player by MQTT whose game server is killed", { timeout: 90_000 }, () => {
  test.for(["host", "shadow"] as const)(
    "a player whose own game server is killed, which is the %s, goes on at the other one and misses nothing",
    async (role) => {
      const { ana, bia } = await inRound3();
      using _ana = ana;
      using _bia = bia;
      const own = (await scene.holders(ana.user))[role];
      const at = scene.cluster.of("game").indexOf(own);
      using here = await MqttPlayer.start(endpoints()[at] ?? "", bia.user);
      await here.meets();
      const isBack = own.nextReady();
      own.signal("SIGKILL");
      await until(() => here.client.isClosed, "the connection has ended");
      using there = await MqttPlayer.start(endpoints()[1 - at] ?? "", bia.user);
      expect(await there.meets()).toBe(ana.user);
      ana.upTo(Number.POSITIVE_INFINITY);
      await there.plays(4);
      await ana.isOver(faultMs);
      expectWhole(ana.seen);
      expectHeard(there.client, ana.seen);
      await scene.expectRated([ana, there]);
      await isBack;
    },
  );

  test.skipIf(isAbsent)(
    "mosquitto_sub comes back by itself to its game server, and hears the match from the beginning to the end",
    async () => {
      const { ana, bia } = await inRound3();
      using _ana = ana;
      using _bia = bia;
      const { hostname, port } = new URL((endpoints()[1] ?? "").replace("mqtt:", "http:"));
      const login = ["-V", "mqttv311", "-h", hostname, "-p", port, "-u", bia.user];
      const topic = ["-q", "1", "-t", `partidas/${bia.match}/eventos`];
      const listener = spawn(mosquitto("sub"), [...login, ...topic]);
      const heard: Pick<Message, "comando" | "dados">[] = [];
      createInterface(listener.stdout).on("line", (line) => heard.push(JSON.parse(line)));
      try {
        await until(() => heard.length > 0, "it hears the match");
        const own = scene.cluster.of("game")[1] as Child;
        const isBack = own.nextReady();
        own.signal("SIGKILL");
        await until(() => bia.client.isClosed, "the connections have ended");
        const before = heard.length;
        await isBack;
        using there = await MqttPlayer.start(endpoints()[0] ?? "", bia.user);
        await there.meets();
        ana.upTo(Number.POSITIVE_INFINITY);
        await there.plays(4);
        await ana.isOver(faultMs);
        const isOver = () => heard.at(-1)?.comando === "FIM_DE_JOGO";
        await until(isOver, "it hears the end", faultMs);
        const numbers = heard
          .slice(before)
          .map(({ dados }) => dados.eventSeq as number | undefined);
        const told = numbers.filter((number) => number !== undefined);
        expect(told).toEqual(ana.seen.events.slice(1).map(({ eventSeq }) => eventSeq));
      } finally {
        listener.kill();
      }
    },
  );
});
