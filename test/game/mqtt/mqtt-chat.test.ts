import { expect, test } from "vitest";
import { parseUserName } from "../../../src/protocol/ids.ts";
import { GameScene } from "./game-scene.ts";

test("ENVIAR_CHAT goes to the chat of the player's own match only", async () => {
  await using scene = await GameScene.open();
  const { ada, sala, commands } = await scene.match();
  const chat = (texto: string) => ({ comando: "ENVIAR_CHAT", dados: { texto } });
  ada.publish(commands, chat("boa sorte"), { packet: 2 });
  await ada.acked(2);
  expect(scene.said).toMatchObject([{ user: "ada", match: sala, text: "boa sorte" }]);
  ada.publish(`partidas/${"0".repeat(16)}/comandos`, chat("oi"), { packet: 3 });
  expect((await ada.hears("ERRO")).dados.codigo).toBe("match_not_found");
  expect(scene.said).toHaveLength(1);
});

test("What is said in the chat of a match comes as RECEBER_CHAT on the match's topic", async () => {
  await using scene = await GameScene.open();
  const { ada } = await scene.startedMatch();
  scene.ears.get("ada")?.(parseUserName("bia"), "boa sorte");
  const { dados } = await ada.hears("RECEBER_CHAT");
  expect(dados).toMatchObject({ nomeJogador: "bia", texto: "boa sorte" });
});

test("SUBACK of a match's topic comes once the chat of the match is heard", async () => {
  await using scene = await GameScene.open();
  scene.earMs = 100;
  await scene.match();
  expect([...scene.ears.keys()].sort()).toEqual(["ada", "bia"]);
});
