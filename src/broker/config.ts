import { join } from "node:path";
import type { LogLevel } from "../platform/log.ts";
import { advertisedHost, protect, type Settings } from "../platform/settings.ts";

export interface BrokerConfig {
  readonly front: string;
  readonly back: string;
  readonly advertiseHost: string;
  readonly reference: readonly string[];
  readonly folder: string;
  readonly logLevel: LogLevel;
}

export function brokerConfig(settings: Settings): BrokerConfig {
  const front = settings.optional("front") ?? "tcp://127.0.0.1:5555";
  const back = settings.optional("back") ?? "tcp://127.0.0.1:5556";
  protect(settings, front, back);
  return {
    front,
    back,
    advertiseHost: advertisedHost(settings),
    reference: settings.get("reference"),
    folder: join(settings.get("data"), "broker"),
    logLevel: settings.get("logLevel"),
  };
}
