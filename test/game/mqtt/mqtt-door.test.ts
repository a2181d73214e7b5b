import { expect, test } from "vitest";
import type { UserName } from "../../../src/protocol/ids.ts";
import { until } from "../../support/until.ts";
import { GameScene } from "./game-scene.ts";
import { kinds, RawClient } from "./raw-client.ts";

const temporary = "clientes/0b1c2d3e-0000-4000-8000-000000000001";
const login = (dados: object) => ({ comando: "LOGIN", dados });

test("A user with the right password in CONNECT is accepted", async () => {
  await using scene = await GameScene.open();
  scene.passwords.set("ada", "secret of ada");
  const credentials = { user: "ada", password: "secret of ada" };
  using client = (await RawClient.open(scene.endpoint, credentials)).client;
  expect(await client.subscribe("clientes/ada/eventos")).toBe(1);
});

test("A wrong password in CONNECT is refused by the code 5, and the connection ends", async () => {
  await using scene = await GameScene.open();
  scene.passwords.set("ada", "secret of ada");
  const { client, code } = await RawClient.open(scene.endpoint, { user: "ada", password: "x" });
  expect(code).toBe(5);
  await client.closed();
});

test("A name that nobody can have is refused by the code 4", async () => {
  await using scene = await GameScene.open();
  const { code } = await RawClient.open(scene.endpoint, { user: "a/b" });
  expect(code).toBe(4);
});

test("A client of the origin logs in on a temporary topic, and hears LOGIN_OK there", async () => {
  await using scene = await GameScene.open();
  const client = await scene.client(undefined, "cliente_1");
  expect(await client.subscribe(`${temporary}/eventos`)).toBe(1);
  client.publish(`${temporary}/login`, login({ nome: "ada" }), { packet: 1 });
  const { topic, dados } = await client.hears("LOGIN_OK");
  expect(topic).toBe(`${temporary}/eventos`);
  expect(dados).toEqual({ cliente_id: "ada", servidor: "game_00000001" });
  expect(await client.subscribe("clientes/ada/eventos")).toBe(1);
});

test("A user who has logged in by CONNECT needs no password for LOGIN", async () => {
  await using scene = await GameScene.open();
  scene.passwords.set("ada", "secret of ada");
  const client = await scene.client("ada");
  await client.subscribe(`${temporary}/eventos`);
  client.publish(`${temporary}/login`, login({ nome: "ada" }));
  expect((await client.hears("LOGIN_OK")).dados.cliente_id).toBe("ada");
  client.publish(`${temporary}/login`, login({ nome: "bia" }));
  expect((await client.hears("ERRO")).dados.codigo).toBe("forbidden");
});

test("A wrong password in LOGIN is told by ERRO, and the third one ends the connection", async () => {
  await using scene = await GameScene.open();
  scene.passwords.set("ada", "secret of ada");
  const client = await scene.client(undefined, "cliente_1");
  await client.subscribe(`${temporary}/eventos`);
  for (const senha of ["x", "y", "z"]) {
    client.publish(`${temporary}/login`, login({ nome: "ada", senha }));
  }
  expect((await client.hears("ERRO")).dados.codigo).toBe("forbidden");
  await client.closed();
  expect(client.of("LOGIN_OK")).toEqual([]);
});

test("Before the login, a client gives no commands", async () => {
  await using scene = await GameScene.open();
  const client = await scene.client(undefined, "cliente_1");
  await client.subscribe(`${temporary}/eventos`);
  client.publish("clientes/ada/entrar_fila", { comando: "ENTRAR_FILA", dados: {} });
  expect((await client.hears("ERRO")).dados.codigo).toBe("unauthenticated");
  expect(scene.asked).toEqual([]);
});

test.each([
  ["another user's topic", "clientes/bia/eventos"],
  ["its own commands", "clientes/ada/entrar_fila"],
  ["a wildcard for one level", "clientes/+/eventos"],
  ["a wildcard for all levels", "#"],
  ["a wildcard for all matches", "partidas/+/eventos"],
  ["another match", `partidas/${"0".repeat(16)}/eventos`],
  ["the broker itself", "$SYS/#"],
  ["a topic that is too long", `clientes/${"a".repeat(200)}/eventos`],
])("A client may not hear %s", async (_what, topic) => {
  await using scene = await GameScene.open();
  const client = await scene.client("ada");
  expect(await client.subscribe(topic)).toBe(128);
  expect(client.isClosed).toBe(false);
});

test("A client hears the match that it sits in, and nobody else does", async () => {
  await using scene = await GameScene.open();
  const { ada, sala } = await scene.match();
  const other = await scene.client("cai");
  expect(await other.subscribe(`partidas/${sala}/eventos`)).toBe(128);
  expect(await ada.subscribe(`partidas/${sala}/eventos`)).toBe(1);
});

test("What a client publishes on a topic of events reaches nobody", async () => {
  await using scene = await GameScene.open();
  const { ada, bia, sala } = await scene.match();
  const forged = { comando: "FIM_DE_JOGO", dados: { vencedorNome: "bia", sala_id: sala } };
  for (const [at, topic] of [`partidas/${sala}/eventos`, "clientes/ada/eventos"].entries()) {
    bia.publish(topic, forged, { packet: 5 + at });
    await bia.acked(5 + at);
  }
  expect((await bia.hears("ERRO", 2)).dados.codigo).toBe("forbidden");
  // What comes after the forged messages has come, so they would have come as well.
  bia.publish(`partidas/${sala}/comandos`, { comando: "DESISTIR", dados: {} });
  await ada.hears("FIM_DE_JOGO");
  expect(ada.of("FIM_DE_JOGO")).toHaveLength(1);
  expect(ada.of("FIM_DE_JOGO")[0]?.dados.anulada).toBe(true);
});

test("A client gives no commands for another user", async () => {
  await using scene = await GameScene.open();
  const client = await scene.client("ada");
  await client.subscribe("clientes/ada/eventos");
  client.publish("clientes/bia/entrar_fila", { comando: "ENTRAR_FILA", dados: {} });
  expect((await client.hears("ERRO")).dados.codigo).toBe("forbidden");
  client.publish("clientes/ada/entrar_fila", { cliente_id: "bia" });
  expect((await client.hears("ERRO", 2)).dados.codigo).toBe("forbidden");
});

test("A command that is no JSON, or unknown, is told by ERRO", async () => {
  await using scene = await GameScene.open();
  const { ada, commands } = await scene.match();
  ada.publish(commands, "{", { packet: 4 });
  expect((await ada.hears("ERRO")).dados.codigo).toBe("bad_request");
  ada.publish(commands, { comando: "TRAPACEAR", dados: {} }, { packet: 5 });
  expect((await ada.hears("ERRO", 2)).dados.codigo).toBe("unknown_service");
  await ada.acked(5);
});

test("A retained message is not kept for clients that come later", async () => {
  await using scene = await GameScene.open();
  const first = await scene.client("ada", "one");
  first.publish("clientes/ada/eventos", login({}), { packet: 3, isRetained: true });
  await first.acked(3);
  const second = await scene.client("ada", "two");
  await second.subscribe("clientes/ada/eventos");
  second.publish("clientes/bia/entrar_fila", {});
  await second.hears("ERRO");
  expect(second.messages.map(({ comando }) => comando)).toEqual(["ERRO"]);
});

test("The will of a client is not done", async () => {
  await using scene = await GameScene.open();
  const { ada, bia, commands } = await scene.startedMatch();
  const will = { topic: commands, text: JSON.stringify({ comando: "DESISTIR", dados: {} }) };
  const { client } = await RawClient.open(scene.endpoint, { id: "will", user: "bia", will });
  client.socket.destroy();
  ada.publish(commands, { comando: "DESISTIR", dados: {} });
  expect((await bia.hears("FIM_DE_JOGO")).dados.vencedorNome).toBe("bia");
  expect(scene.acts("giveUp")).toHaveLength(1);
});

test("A packet of more than 64 KiB ends the connection before it is whole", async () => {
  await using scene = await GameScene.open();
  const client = await scene.client("ada");
  // PUBLISH with 65,537 bytes, of which only the first ones are sent.
  client.socket.write(Buffer.from([0x30, 0x81, 0x80, 0x04, 0, 1]));
  await client.closed();
});

test("A client's newer connection replaces its older one", async () => {
  await using scene = await GameScene.open();
  const older = await scene.client("ada", "phone");
  const newer = await scene.client("ada", "phone");
  await older.closed();
  expect(await newer.subscribe("clientes/ada/eventos")).toBe(1);
});

test("Nobody ends another user's connection by its client id", async () => {
  await using scene = await GameScene.open();
  const ada = await scene.client("ada", "phone");
  const cai = await scene.client("cai", "phone");
  await cai.subscribe("clientes/cai/eventos");
  expect(await ada.subscribe("clientes/ada/eventos")).toBe(1);
});

test("A client id of more than 128 letters is refused by the code 2", async () => {
  await using scene = await GameScene.open();
  const { code } = await RawClient.open(scene.endpoint, { id: "x".repeat(129), user: "ada" });
  expect(code).toBe(2);
});

test("More connections than the most are ended at once", async () => {
  await using scene = await GameScene.open({ mostConnections: 1 });
  const first = await scene.client("ada");
  const second = new RawClient(scene.endpoint);
  await second.closed();
  expect(await first.subscribe("clientes/ada/eventos")).toBe(1);
});

test("A client that keeps silent for longer than its keep-alive is gone", async () => {
  await using scene = await GameScene.open();
  const { client } = await RawClient.open(scene.endpoint, { user: "ada", keepAlive: 1 });
  client.ping();
  await client.next(kinds.pingresp);
  await client.closed();
});

test("A command of QoS 2 is received once it has taken effect", async () => {
  await using scene = await GameScene.open();
  const client = await scene.client("ada");
  await client.subscribe("clientes/ada/eventos");
  client.publish("clientes/ada/entrar_fila", {}, { packet: 5, qos: 2 });
  await client.next(kinds.pubrec);
  expect(scene.asked.some(({ request }) => request.type === "enter")).toBe(true);
});

test("Messages come by the QoS of the subscription, at most 1", async () => {
  await using scene = await GameScene.open();
  const client = await scene.client("ada");
  for (const [asked, given] of [
    [0, 0],
    [1, 1],
    [2, 1],
  ] as const) {
    await client.subscribe("clientes/ada/eventos", asked);
    const before = client.of("ERRO").length;
    client.publish("clientes/ada/entrar_fila", "{");
    expect((await client.hears("ERRO", before + 1)).qos).toBe(given);
  }
});

test("A client that does not read is ended once 1 MiB waits for it, and the other player goes on", async () => {
  await using scene = await GameScene.open();
  const { ada, bia, commands } = await scene.match();
  await until(() => scene.ears.has("bia"), "bia hears the match's chat");
  bia.socket.pause();
  const text = "x".repeat(4_096);
  const said = 8_192;
  for (let count = 1; count <= said; count += 1) {
    scene.ears.get("bia")?.("ada" as UserName, text);
    // The door writes what it was given.
    if (count % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  bia.socket.resume();
  await until(() => bia.isClosed, "bia's connection has ended");
  expect(bia.of("RECEBER_CHAT").length).toBeLessThan(said);
  ada.publish(commands, { comando: "DESISTIR", dados: {} });
  await ada.hears("FIM_DE_JOGO");
});

test("The door closes with all its connections", async () => {
  const scene = await GameScene.open();
  const client = await scene.client("ada");
  const silent = new RawClient(scene.endpoint);
  await until(() => silent.socket.readyState === "open", "the second connection");
  await scene[Symbol.asyncDispose]();
  await Promise.all([client.closed(), silent.closed()]);
});
