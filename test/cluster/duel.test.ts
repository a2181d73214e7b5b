import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GameClient } from "../../src/client/game-client.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { ClientPlayer, LinePlayer } from "../support/match-doors.ts";
import { expectSame, expectWhole } from "../support/match-player.ts";
import { expectHeard, MqttPlayer } from "../support/mqtt-player.ts";
import { until } from "../support/until.ts";
import { faultMs, MatchScene } from "./match-scene.ts";

/** The time, in ms, after which a request without an answer is given up. */
const deadlineMs = 3_000;

let scene: MatchScene;

beforeAll(async () => {
  scene = await MatchScene.start();
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose](), 30_000);

/** Waits for `ms`, the time that a fault must last. */
async function lasting(ms: number): Promise<void> {
  const end = performance.now() + ms;
  await until(() => performance.now() >= end, `${ms} ms`, 2 * ms);
}

describe("a match across two game servers", { timeout: 60_000 }, () => {
  test("a player by lines and one by MQTT meet, buy packs, and are told the same clash to its end; their ratings change once", async () => {
    const [one, other] = scene.pair();
    const [, mqtt = ""] = scene.cluster.endpoints.mqtt.split(",");
    using bia = await MqttPlayer.start(mqtt, other);
    await bia.enter();
    await bia.client.hears("AGUARDANDO_OPONENTE");
    const choice = { type: "ready", pack: "basic" } as const;
    using ana = new LinePlayer(scene.cluster, { user: one, choice });
    expect(await bia.meets()).toBe(one);
    await bia.command("COMPRAR_PACOTE", { pacote: "basic" });
    const { cartas } = (await bia.client.hears("PACOTE_RESULTADO")).dados;
    expect(cartas).toHaveLength(5);
    await bia.plays();
    await ana.isOver();
    expect(await ana.ended()).toBe(0);
    expectWhole(ana.seen);
    expect(ana.seen.count("PURCHASE_PACK")).toBe(2);
    expect(ana.seen.count("ROUND_END")).toBe(5);
    expect(new Set(ana.seen.view?.players.map(({ game }) => game)).size).toBe(2);
    expectHeard(bia.client, ana.seen);
    await scene.expectRated([ana, bia]);
  });

  test("what a player says by MQTT reaches the other player at another game server, once", async () => {
    const endpoints = scene.cluster.endpoints.mqtt.split(",");
    const [one, other] = scene.pair();
    using ana = await MqttPlayer.start(endpoints[0] ?? "", one);
    using bia = await MqttPlayer.start(endpoints[1] ?? "", other);
    await Promise.all([ana.enter(), bia.enter()]);
    expect([await ana.meets(), await bia.meets()]).toEqual([other, one]);
    await ana.command("ENVIAR_CHAT", { texto: "olá, bia", id: "1" });
    await ana.command("ENVIAR_CHAT", { texto: "olá, bia", id: "1" });
    await bia.command("ENVIAR_CHAT", { texto: "olá, ana" });
    for (const player of [ana, bia]) {
      await player.client.hears("RECEBER_CHAT", 2);
      const said = player.client.of("RECEBER_CHAT").map(({ dados }) => dados);
      const hers = { nomeJogador: one, texto: "olá, bia" };
      const his = { nomeJogador: other, texto: "olá, ana" };
      expect(said).toEqual([hers, his]);
    }
    await ana.command("DESISTIR");
    await bia.client.hears("FIM_DE_JOGO");
  });

  test("two players who play in the same instant in 60 rounds of three matches are told one order", async () => {
    const [one, other] = scene.pair();
    await scene.buy([one, other], 4);
    let rounds = 0;
    for (let match = 1; match <= 3; match += 1) {
      using ana = new ClientPlayer(scene.games, { user: one });
      using bia = new ClientPlayer(scene.games, { user: other });
      const both = [ana, bia] as const;
      for (const player of both) player.upTo(0);
      const ended = Promise.all(both.map((player) => player.run("clash")));
      for (let round = 1; round <= 20; round += 1) {
        const isNext = () => both.every(({ seen }) => seen.round === round);
        await until(isNext, `round ${round} of match ${match}`);
        for (const player of both) player.upTo(round);
      }
      await ended;
      expectSame(ana.seen, bia.seen);
      for (const { acted, refusals, seen } of both) {
        await until(() => acted.length === 21, "each action is answered");
        expect(refusals).toEqual([]);
        const plays = acted.filter(({ action }) => action.type === "play");
        rounds += plays.length / 2;
        // The number is that of the last event of the action, perhaps the end of the round or match.
        for (const { seat, action, eventSeq } of plays) {
          const card = action.type === "play" && action.card;
          const made = seen.events.slice(0, eventSeq + 1);
          const play = made.findLast(({ type }) => type === "CARD_PLAYED");
          expect(play?.data).toMatchObject({ seat, card });
        }
      }
    }
    expect(rounds).toBe(60);
  });
});

describe("faults in the middle of a match", { timeout: 90_000 }, () => {
  test("a match whose host is killed goes on at the shadow without a lost or doubled event, and the killed one shadows it again", async () => {
    const [ana, bia] = await scene.inRound3();
    using _ana = ana;
    using _bia = bia;
    const { host, shadow } = await scene.holders(ana.user);
    const isBack = host.nextReady();
    const { pid } = host;
    for (const player of [ana, bia]) player.upTo(6);
    host.signal("SIGKILL");
    // Started again, it waits: otherwise it is back before the shadow takes over.
    await until(() => host.pid !== undefined && host.pid !== pid, "it is started again");
    host.signal("SIGSTOP");
    for (const player of [ana, bia]) await player.hasEnded(6, faultMs);
    host.signal("SIGCONT");
    await isBack;
    const isShadow = async () => (await scene.holders(ana.user)).shadow === host;
    await until(isShadow, "the killed one shadows the match", faultMs);
    expect((await scene.holders(ana.user)).host).toBe(shadow);
    await scene.expectEnd([ana, bia]);
    const moved = ana.seen.events.find(({ type }) => type === "FAILOVER");
    expect(moved?.data).toMatchObject({
      old: { host: host.ready?.name },
      new: { host: shadow.ready?.name },
    });
  });

  test("a match whose host stands still for 4 s goes on at the shadow, and what the host does afterwards counts nothing", async () => {
    const [ana, bia] = await scene.inRound3();
    using _ana = ana;
    using _bia = bia;
    const { host, shadow } = await scene.holders(ana.user);
    // The player whose game server goes on, and the card that they are about to play.
    const away = host === scene.cluster.of("game")[0] ? bia : ana;
    const { match, seat = 0, table } = away.seen.view ?? {};
    const card = table?.sides[seat].hand?.[0] ?? "";
    const user = parseUserName(away.user);
    using old = new GameClient({ games: [host.ready?.endpoints.front ?? ""], user });
    await old.look();
    host.signal("SIGSTOP");
    const late = old.act(match as never, { type: "play", card }).catch((error) => error);
    for (const player of [ana, bia]) player.upTo(6);
    await lasting(4_000);
    const moved = away.seen.events.findLast(({ type }) => type === "FAILOVER");
    expect(moved?.data).toMatchObject({ new: { host: shadow.ready?.name } });
    const after = away.seen.events.filter(({ eventSeq }) => eventSeq > (moved?.eventSeq ?? 0));
    expect(after.map(({ type }) => type)).toContain("CARD_PLAYED");
    host.signal("SIGCONT");
    const refused = (await late) as ProtocolError;
    expect(refused).toBeInstanceOf(ProtocolError);
    expect(["card_not_in_hand", "already_played"]).toContain(refused.code);
    for (const player of [ana, bia]) await player.hasEnded(6, faultMs);
    expect((await scene.holders(ana.user)).host).toBe(shadow);
    await scene.expectEnd([ana, bia]);
  });

  test("a match whose two game servers are killed at once goes on from their disks", async () => {
    const [ana, bia] = await scene.inRound3();
    using _ana = ana;
    using _bia = bia;
    const games = scene.cluster.of("game");
    const areBack = Promise.all(games.map((game) => game.nextReady()));
    for (const player of [ana, bia]) player.upTo(6);
    for (const game of games) game.signal("SIGKILL");
    await areBack;
    for (const player of [ana, bia]) await player.hasEnded(6, faultMs);
    await scene.expectEnd([ana, bia]);
  });

  test("without a quorum of servers a match goes on and nobody gets a new one, and with it new matches begin again", async () => {
    const [ana, bia] = await scene.inRound3();
    using _ana = ana;
    using _bia = bia;
    const users = scene.pair();
    using cai = new ClientPlayer(scene.games, { user: users[0] });
    using dora = new ClientPlayer(scene.games, { user: users[1] });
    using stopped = scene.cluster.withoutQuorum();
    const entered = users.map(async (user) => {
      using client = new GameClient({ games: scene.games, user: parseUserName(user), deadlineMs });
      return await client.enter("clash").catch((error: ProtocolError) => error.code);
    });
    for (const player of [ana, bia]) player.upTo(8);
    for (const player of [ana, bia]) await player.hasEnded(8, faultMs);
    expect(await Promise.all(entered)).toEqual(["unavailable", "unavailable"]);
    stopped[Symbol.dispose]();
    await Promise.all([cai.run("clash"), dora.run("clash")]);
    expectSame(cai.seen, dora.seen);
    await scene.expectEnd([ana, bia]);
  });
});
