import { announceReady, runProcess } from "../platform/run-process.ts";
import type { Settings } from "../platform/settings.ts";
import { proxyConfig } from "./config.ts";
import { startProxy } from "./proxy.ts";

/** `tertulia proxy`: one proxy in the foreground. */
export function runProxy(settings: Settings): Promise<void> {
  return runProcess(async () => {
    const proxy = await startProxy(proxyConfig(settings));
    announceReady({ name: proxy.name, endpoints: { front: proxy.front, back: proxy.back } });
    return proxy;
  });
}
