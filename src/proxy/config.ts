import { join } from "node:path";
import type { LogLevel } from "../platform/log.ts";
import { advertisedHost, protect, type Settings } from "../platform/settings.ts";

export interface ProxyConfig {
  readonly front: string;
  readonly back: string;
  readonly advertiseHost: string;
  readonly reference: readonly string[];
  readonly folder: string;
  readonly logLevel: LogLevel;
}

export function proxyConfig(settings: Settings): ProxyConfig {
  const front = settings.optional("front") ?? "tcp://127.0.0.1:5557";
  const back = settings.optional("back") ?? "tcp://127.0.0.1:5558";
  protect(settings, front, back);
  return {
    front,
    back,
    advertiseHost: advertisedHost(settings),
    reference: settings.get("reference"),
    folder: join(settings.get("data"), "proxy"),
    logLevel: settings.get("logLevel"),
  };
}
