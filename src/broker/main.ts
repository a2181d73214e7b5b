import { runForwarder } from "../forwarder/forwarder.ts";
import type { Settings } from "../platform/settings.ts";
import { broker } from "./broker.ts";

/** `tertulia broker`: one broker in the foreground. */
export function runBroker(settings: Settings): Promise<void> {
  return runForwarder(broker, settings);
}
