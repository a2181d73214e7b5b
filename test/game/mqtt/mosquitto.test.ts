import { spawn, spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { until } from "../../support/until.ts";
import { GameScene } from "./game-scene.ts";

/** Returns the name of a program of Debian's package mosquitto-clients. */
const program = (part: "pub" | "sub") => `mosquitto_${part}`;
const isAbsent = spawnSync(program("pub"), ["--help"]).error !== undefined;

function place(endpoint: string): string[] {
  const { hostname, port } = new URL(endpoint.replace("tcp:", "http:"));
  return ["-h", hostname, "-p", port, "-V", "mqttv311"];
}

test.skipIf(isAbsent)(
  "mosquitto_sub hears what happens after mosquitto_pub has published",
  async () => {
    await using scene = await GameScene.open();
    scene.passwords.set("ada", "secret of ada");
    const login = [...place(scene.endpoint), "-u", "ada", "-P", "secret of ada"];
    const listener = spawn(program("sub"), [...login, "-q", "1", "-t", "clientes/ada/eventos"]);
    let heard = "";
    listener.stdout.on("data", (chunk) => {
      heard += chunk;
    });
    try {
      await until(() => scene.looks("ada") > 0, "mosquitto_sub is logged in");
      const topic = ["-t", "clientes/ada/entrar_fila", "-q", "1"];
      const message = JSON.stringify({ comando: "ENTRAR_FILA", dados: { regras: "duel" } });
      const sender = spawn(program("pub"), [...login, ...topic, "-m", message]);
      const code = await new Promise((resolve) => sender.once("close", resolve));
      expect(code).toBe(0);
      await until(() => heard.includes("AGUARDANDO_OPONENTE"), "mosquitto_sub is told to wait");
      expect(heard).toContain('"regras":"duel"');
    } finally {
      listener.kill();
    }
  },
);

test.skipIf(isAbsent)("mosquitto_pub with a wrong password is not authorised", async () => {
  await using scene = await GameScene.open();
  scene.passwords.set("ada", "secret of ada");
  const wrong = [
    ...place(scene.endpoint),
    "-u",
    "ada",
    "-P",
    "x",
    "-t",
    "clientes/ada/entrar_fila",
  ];
  const sender = spawn(program("pub"), [...wrong, "-m", "{}"]);
  const code = await new Promise((resolve) => sender.once("close", resolve));
  expect(code).not.toBe(0);
});
