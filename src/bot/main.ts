import { printLine } from "../platform/print.ts";
import { announceReady, runProcess } from "../platform/run-process.ts";
import type { Settings } from "../platform/settings.ts";
import { startBot } from "./bot.ts";
import { type BotFlags, botConfig } from "./config.ts";

/** `tertulia bot`: runs one bot in the foreground, and prints a report when the bot ends. */
export async function runBot(settings: Settings, flags: BotFlags): Promise<void> {
  const config = botConfig(settings, flags);
  await runProcess(async () => {
    const bot = await startBot(config);
    const { runner } = bot;
    announceReady({ name: runner.report.name, endpoints: {} });
    return {
      ended: bot.ended,
      [Symbol.asyncDispose]: async () => {
        await bot[Symbol.asyncDispose]();
        printLine(JSON.stringify(runner.report));
      },
    };
  });
}
