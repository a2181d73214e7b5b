import { runForwarder } from "../forwarder/forwarder.ts";
import type { Settings } from "../platform/settings.ts";
import { proxy } from "./proxy.ts";

/** `tertulia proxy`: one proxy in the foreground. */
export function runProxy(settings: Settings): Promise<void> {
  return runForwarder(proxy, settings);
}
