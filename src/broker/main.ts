import { announceReady, runProcess } from "../platform/run-process.ts";
import type { Settings } from "../platform/settings.ts";
import { startBroker } from "./broker.ts";
import { brokerConfig } from "./config.ts";

/** `tertulia broker`: one broker in the foreground. */
export function runBroker(settings: Settings): Promise<void> {
  return runProcess(async () => {
    const broker = await startBroker(brokerConfig(settings));
    announceReady({ name: broker.name, endpoints: { front: broker.front, back: broker.back } });
    return broker;
  });
}
