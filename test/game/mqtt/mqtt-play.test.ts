import { expect, test } from "vitest";
import { until } from "../../support/until.ts";
import { GameScene } from "./game-scene.ts";
import type { Message, RawClient } from "./raw-client.ts";

interface Card {
  readonly id: string;
}

function handOf({ dados }: Message): readonly string[] {
  return (dados.mao as Card[]).map(({ id }) => id);
}

function play(card: string | undefined, more: object = {}) {
  return { comando: "JOGAR_CARTA", dados: { carta_id: card, ...more } };
}

function tellsCard(client: RawClient, card: string): boolean {
  return client.messages.some(({ dados }) => JSON.stringify(dados).includes(card));
}

test("A player who enters the queue is told to wait, and then the match and the opponent", async () => {
  await using scene = await GameScene.open();
  const ada = await scene.client("ada");
  await ada.subscribe("clientes/ada/eventos");
  ada.publish("clientes/ada/entrar_fila", { comando: "ENTRAR_FILA", dados: {} }, { packet: 7 });
  await ada.acked(7);
  expect((await ada.hears("AGUARDANDO_OPONENTE")).dados.regras).toBe("clash");
  const bia = await scene.client("bia");
  await bia.subscribe("clientes/bia/eventos");
  // The clients of the origin enter the queue with bare data.
  bia.publish("clientes/bia/entrar_fila", { cliente_id: "bia" });
  const { topic, dados } = await ada.hears("PARTIDA_ENCONTRADA");
  expect(topic).toBe("clientes/ada/eventos");
  expect(dados).toMatchObject({ oponenteID: "bia", oponenteNome: "bia", regras: "clash" });
  expect((await bia.hears("PARTIDA_ENCONTRADA")).dados.salaID).toBe(dados.salaID);
});

test("Each player buys a pack, gets its cards, and the match begins once both are ready", async () => {
  await using scene = await GameScene.open();
  const { ada, bia, commands } = await scene.match();
  ada.publish(commands, { comando: "COMPRAR_PACOTE", dados: { cliente_id: "ada" } }, { packet: 3 });
  const { topic, dados } = await ada.hears("PACOTE_RESULTADO");
  expect(topic).toBe("clientes/ada/eventos");
  expect(dados.cartas).toHaveLength(5);
  expect(ada.of("PARTIDA_INICIADA")).toEqual([]);
  bia.publish(commands, { comando: "COMPRAR_PACOTE", dados: {} }, { packet: 3 });
  expect(handOf(await ada.hears("PARTIDA_INICIADA"))).toHaveLength(5);
  await bia.hears("PARTIDA_INICIADA");
  expect(scene.bought.size).toBe(2);
});

test("A player plays with cards of their own by USAR_BARALHO", async () => {
  await using scene = await GameScene.open();
  const { ada, commands } = await scene.match();
  ada.publish(commands, { comando: "USAR_BARALHO", dados: { cartas: ["x"] } }, { packet: 3 });
  expect((await ada.hears("ERRO")).dados.codigo).toBe("bad_request");
  ada.publish(commands, { comando: "USAR_BARALHO", dados: {} }, { packet: 4 });
  expect((await ada.hears("BARALHO_ESCOLHIDO")).dados.cartas).toHaveLength(5);
  ada.publish(commands, { comando: "USAR_BARALHO", dados: {} }, { packet: 5, isDup: true });
  await ada.hears("BARALHO_ESCOLHIDO", 2);
  expect(scene.acts("ready")).toHaveLength(1);
});

test("A pack that is asked for twice is bought once, and told twice", async () => {
  await using scene = await GameScene.open();
  const { ada, commands } = await scene.match();
  const buy = { comando: "COMPRAR_PACOTE", dados: {} };
  ada.publish(commands, buy, { packet: 3 });
  await ada.acked(3);
  ada.publish(commands, buy, { packet: 4, isDup: true });
  const { dados } = await ada.hears("PACOTE_RESULTADO", 2);
  expect(dados.cartas).toEqual(ada.of("PACOTE_RESULTADO")[0]?.dados.cartas);
  ada.publish(commands, { comando: "COMPRAR_PACOTE", dados: { pacote: "premium" } }, { packet: 5 });
  expect((await ada.hears("ERRO")).dados.codigo).toBe("already_ready");
  expect(scene.bought.size).toBe(1);
});

test("A played card is hidden from the opponent until both have played", async () => {
  await using scene = await GameScene.open();
  const { ada, bia, commands } = await scene.startedMatch();
  const [card = ""] = handOf(await ada.hears("PARTIDA_INICIADA"));
  ada.publish(commands, play(card, { cliente_id: "ada" }), { packet: 9 });
  await ada.acked(9);
  await until(() => tellsCard(ada, `ada jogou ${card}`), "ada sees her card");
  const isTold = () =>
    bia.messages.some(({ dados }) => dados.mensagemDoTurno === "ada jogou uma carta.");
  await until(isTold, "bia sees that ada has played");
  expect(tellsCard(bia, card)).toBe(false);
  const [other = ""] = handOf(await bia.hears("PARTIDA_INICIADA"));
  bia.publish(commands, play(other), { packet: 9 });
  await until(() => tellsCard(bia, card), "bia sees the card");
});

test("A player never hears the hand, the deck or the pack of the opponent", async () => {
  await using scene = await GameScene.open();
  const { ada, bia } = await scene.startedMatch();
  const cards = (await ada.hears("PACOTE_RESULTADO")).dados.cartas as Card[];
  expect(cards).toHaveLength(5);
  expect(cards.filter(({ id }) => tellsCard(bia, id))).toEqual([]);
});

test("ATUALIZACAO_JOGO tells the fields of the origin after each round, and FIM_DE_JOGO the winner", async () => {
  await using scene = await GameScene.open();
  const { ada, bia, sala, commands } = await scene.startedMatch();
  const hands = [ada, bia].map((client) => handOf(client.of("PARTIDA_INICIADA")[0] as Message));
  for (let round = 0; round < 5; round += 1) {
    ada.publish(commands, play(hands[0]?.[round], { rodada: round + 1 }));
    bia.publish(commands, play(hands[1]?.[round], { rodada: round + 1 }));
    const ends = () =>
      ada.of("ATUALIZACAO_JOGO").filter(({ dados }) => dados.vencedorRodada !== "");
    await until(() => ends().length > round, `the end of round ${round + 1}`);
    const { dados } = ends().at(-1) as Message;
    expect(Object.keys(dados)).toEqual(
      expect.arrayContaining([
        ...["mensagemDoTurno", "contagemCartas", "ultimaJogada", "vencedorJogada"],
        ...["vencedorRodada", "numeroRodada", "pontosRodada", "pontosPartida", "sala_id"],
      ]),
    );
    expect(dados.ultimaJogada).toMatchObject({
      ada: { id: hands[0]?.[round] },
      bia: { id: hands[1]?.[round] },
    });
  }
  const { topic, dados } = await bia.hears("FIM_DE_JOGO");
  expect(topic).toBe(`partidas/${sala}/eventos`);
  expect(dados.sala_id).toBe(sala);
  expect(["ada", "bia", "EMPATE"]).toContain(dados.vencedorNome);
});

test("A player who gives up loses", async () => {
  await using scene = await GameScene.open();
  const { ada, bia, commands } = await scene.startedMatch();
  ada.publish(commands, { comando: "DESISTIR", dados: {} }, { packet: 4 });
  expect((await bia.hears("FIM_DE_JOGO")).dados.vencedorNome).toBe("bia");
});

test("A refused play is acknowledged, and the player is told why by ERRO", async () => {
  await using scene = await GameScene.open();
  const { ada, commands } = await scene.startedMatch();
  ada.publish(commands, play("wolf-legendary-5"), { packet: 11 });
  await ada.acked(11);
  const { topic, dados } = await ada.hears("ERRO");
  expect(topic).toBe("clientes/ada/eventos");
  expect(dados).toMatchObject({ codigo: "card_not_in_hand" });
  expect(String(dados.mensagem)).toMatch(/\w+/);
});

test("A play is acknowledged only once it is on the disk", async () => {
  await using scene = await GameScene.open();
  const { ada, commands } = await scene.startedMatch();
  const [card] = handOf(await ada.hears("PARTIDA_INICIADA"));
  scene.isDiskSlow = true;
  ada.publish(commands, play(card), { packet: 12 });
  await until(() => scene.acts("play").length === 1, "the play arrives");
  ada.publish("clientes/ada/eventos", "no command");
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(ada.isAcked(12)).toBe(false);
  scene.sync();
  await ada.acked(12);
});

test("A play with an unknown outcome ends the connection without PUBACK, and its repetition takes effect once", async () => {
  await using scene = await GameScene.open();
  const { ada, commands } = await scene.startedMatch();
  const [card] = handOf(await ada.hears("PARTIDA_INICIADA"));
  scene.fails = { when: "after", code: "unavailable" };
  ada.publish(commands, play(card), { packet: 12 });
  await ada.closed();
  expect(ada.isAcked(12)).toBe(false);
  scene.fails = undefined;
  const again = await scene.client("ada");
  again.publish(commands, play(card), { packet: 12, isDup: true });
  await again.acked(12);
  await again.subscribe("clientes/ada/eventos");
  expect(again.of("ERRO")).toEqual([]);
  const [first, second] = scene.acts("play");
  expect(second).toEqual(first);
});

test("A command that follows one with an unknown outcome is not done before it", async () => {
  await using scene = await GameScene.open();
  const { ada, commands } = await scene.startedMatch();
  const [card] = handOf(await ada.hears("PARTIDA_INICIADA"));
  scene.fails = { when: "before", code: "unavailable" };
  ada.socket.cork();
  ada.publish(commands, play(card), { packet: 12 });
  ada.publish(commands, { comando: "DESISTIR", dados: {} }, { packet: 13 });
  ada.socket.uncork();
  await ada.closed();
  expect(scene.acts("giveUp")).toEqual([]);
});

test("A play of QoS 0 with an unknown outcome is told by ERRO, and the connection lasts", async () => {
  await using scene = await GameScene.open();
  const { ada, commands } = await scene.startedMatch();
  const [card] = handOf(await ada.hears("PARTIDA_INICIADA"));
  scene.fails = { when: "before", code: "unavailable" };
  ada.publish(commands, play(card));
  expect((await ada.hears("ERRO")).dados.codigo).toBe("unavailable");
  expect(ada.isClosed).toBe(false);
});

test("Plays of different packets with one number are different plays", async () => {
  await using scene = await GameScene.open();
  const { ada, bia, commands } = await scene.startedMatch();
  const hand = handOf(await ada.hears("PARTIDA_INICIADA"));
  ada.publish(commands, play(hand[0]), { packet: 1 });
  bia.publish(commands, play(handOf(await bia.hears("PARTIDA_INICIADA"))[0]));
  const isOver = () => ada.of("ATUALIZACAO_JOGO").some(({ dados }) => dados.numeroRodada === 2);
  await until(isOver, "the second round");
  ada.publish(commands, play(hand[1]), { packet: 1 });
  await until(() => tellsCard(ada, `ada jogou ${hand[1]}`), "the second play");
});

test("A pass names its round, and a repeated pass does not pass another round", async () => {
  await using scene = await GameScene.open();
  const { ada, bia, commands } = await scene.startedMatch("duel");
  const begun = await ada.hears("PARTIDA_INICIADA");
  const [mover, other] = begun.dados.turnoDe === "ada" ? [ada, bia] : [bia, ada];
  mover.publish(commands, { comando: "PASSAR", dados: {} }, { packet: 1 });
  expect((await mover.hears("ERRO")).dados.codigo).toBe("bad_request");
  const pass = { comando: "PASSAR", dados: { rodada: 1 } };
  mover.publish(commands, pass, { packet: 2 });
  await mover.acked(2);
  // Now the first player could pass the window of a counter.
  other.publish(commands, play(handOf(await other.hears("PARTIDA_INICIADA"))[0]), { packet: 2 });
  await other.acked(2);
  mover.publish(commands, pass, { packet: 2, isDup: true });
  await until(() => mover.got.filter(({ kind }) => kind === 4).length === 3, "the third PUBACK");
  expect(scene.acts("pass")).toHaveLength(1);
  expect(mover.of("ERRO")).toHaveLength(1);
  mover.publish(commands, { comando: "PASSAR", dados: { rodada: 2 } }, { packet: 3 });
  await mover.acked(3);
  expect(scene.acts("pass")).toHaveLength(2);
});

test("A move for a round that is over is refused", async () => {
  await using scene = await GameScene.open();
  const { ada, commands } = await scene.startedMatch();
  const [card] = handOf(await ada.hears("PARTIDA_INICIADA"));
  ada.publish(commands, play(card, { rodada: 9 }), { packet: 1 });
  expect((await ada.hears("ERRO")).dados.codigo).toBe("not_your_turn");
  expect(scene.acts("play")).toEqual([]);
});

test("ANULAR counters a card in a duel", async () => {
  await using scene = await GameScene.open();
  const { ada, bia, commands } = await scene.startedMatch("duel");
  const begun = await ada.hears("PARTIDA_INICIADA");
  const [mover, other] = begun.dados.turnoDe === "ada" ? [ada, bia] : [bia, ada];
  const cards = (message: Message) => message.dados.mao as { id: string; atributo: string }[];
  const beaten: Record<string, string> = { fire: "plant", plant: "water", water: "fire" };
  const attacks = cards(await mover.hears("PARTIDA_INICIADA"));
  const counters = cards(await other.hears("PARTIDA_INICIADA"));
  const attack = attacks.find(({ atributo }) =>
    counters.some((counter) => beaten[counter.atributo] === atributo),
  );
  const counter = counters.find(({ atributo }) => beaten[atributo] === attack?.atributo);
  mover.publish(commands, play(attack?.id), { packet: 2 });
  await mover.acked(2);
  other.publish(commands, { comando: "ANULAR", dados: { carta_id: counter?.id } }, { packet: 2 });
  const isTold = () => tellsCard(mover, `anulou com ${counter?.id}`);
  await until(isTold, "the counter is told");
});

test("A client that comes back hears what it missed, and how things stand", async () => {
  await using scene = await GameScene.open();
  const { ada, bia, sala, commands } = await scene.startedMatch();
  const [card = ""] = handOf(await ada.hears("PARTIDA_INICIADA"));
  ada.socket.destroy();
  bia.publish(commands, play(handOf(await bia.hears("PARTIDA_INICIADA"))[0]), { packet: 2 });
  await bia.acked(2);
  const again = await scene.client("ada");
  await again.subscribe("clientes/ada/eventos");
  expect((await again.hears("PARTIDA_ENCONTRADA")).dados.salaID).toBe(sala);
  await again.subscribe(`partidas/${sala}/eventos`);
  const isTold = ({ dados }: Message) => dados.mensagemDoTurno === "bia jogou uma carta.";
  await until(() => again.messages.some(isTold), "the missed play");
  const missed = again.messages.find(isTold);
  expect(handOf(missed as Message)).toContain(card);
  expect(missed?.dados).toMatchObject({ numeroRodada: 1, mesa: { bia: "hidden" } });
});

test("The look for a player ends with the connection", async () => {
  await using scene = await GameScene.open();
  const { ada, bia, commands } = await scene.startedMatch();
  ada.socket.destroy();
  const [card] = handOf(await bia.hears("PARTIDA_INICIADA"));
  // The look that waits gets this news, and is the last one.
  bia.publish(commands, play(card), { packet: 2 });
  await bia.acked(2);
  await until(async () => {
    const before = scene.looks("ada");
    await new Promise((resolve) => setTimeout(resolve, 100));
    return scene.looks("ada") === before;
  }, "no further look");
  const before = scene.looks("ada");
  bia.publish(commands, { comando: "DESISTIR", dados: {} }, { packet: 3 });
  await bia.hears("FIM_DE_JOGO");
  expect(scene.looks("ada")).toBe(before);
});
