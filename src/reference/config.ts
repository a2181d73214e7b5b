import { join } from "node:path";
import type { LogLevel } from "../platform/log.ts";
import { type SecretSource, secretSource } from "../platform/secret.ts";
import { advertisedHost, protect, type Settings } from "../platform/settings.ts";

export interface ReferenceConfig {
  readonly bind: string;
  readonly advertiseHost: string;
  readonly folder: string;
  readonly secret: SecretSource;
  readonly logLevel: LogLevel;
}

export function referenceConfig(settings: Settings): ReferenceConfig {
  const bind = settings.optional("bind") ?? "tcp://127.0.0.1:5559";
  protect(settings, bind);
  return {
    bind,
    advertiseHost: advertisedHost(settings),
    folder: join(settings.get("data"), "reference"),
    secret: secretSource(settings),
    logLevel: settings.get("logLevel"),
  };
}
