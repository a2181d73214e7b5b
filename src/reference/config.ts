import { join } from "node:path";
import { type CurveKeys, memberKeys } from "../platform/curve.ts";
import type { LogLevel } from "../platform/log.ts";
import { advertisedHost, protect } from "../platform/reach.ts";
import { openSecret, type Secret, secretSource } from "../platform/secret.ts";
import type { Settings } from "../platform/settings.ts";

export interface ReferenceConfig {
  readonly bind: string;
  readonly advertiseHost: string;
  readonly folder: string;
  readonly secret: Secret;
  readonly keys: CurveKeys | undefined;
  /** The folder of what anybody may be given: there clients find the public one of them. */
  readonly publicFolder: string;
  readonly logLevel: LogLevel;
}

export function referenceConfig(settings: Settings): ReferenceConfig {
  const bind = settings.optional("bind") ?? "tcp://127.0.0.1:5559";
  protect(settings, bind);
  const secret = openSecret(secretSource(settings));
  return {
    bind,
    advertiseHost: advertisedHost(settings),
    folder: join(settings.get("data"), "reference"),
    secret,
    keys: memberKeys(settings, secret),
    publicFolder: join(settings.get("data"), "public"),
    logLevel: settings.get("logLevel"),
  };
}
