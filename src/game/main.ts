import { announceReady, runProcess } from "../platform/run-process.ts";
import type { Settings } from "../platform/settings.ts";
import { gameConfig } from "./config.ts";
import { startGame } from "./game.ts";

/** `tertulia game`: runs one game server in the foreground. */
export async function runGame(settings: Settings): Promise<void> {
  const config = gameConfig(settings);
  await runProcess(async () => {
    const game = await startGame(config);
    void game.firstReady.then(() => {
      const { name, front, mqtt, metrics } = game;
      announceReady({ name, endpoints: { front, mqtt, metrics } });
    });
    return game;
  });
}
