import { type CurveKeys, memberKeys } from "./curve.ts";
import type { LogLevel } from "./log.ts";
import { advertisedHost, protect } from "./reach.ts";
import { openSecret, type Secret, secretSource } from "./secret.ts";
import type { Settings } from "./settings.ts";

/** What every process of the cluster with bound endpoints reads from its settings. */
export interface MemberConfig {
  /** The host, or the whole endpoint, at which others reach this process. */
  readonly advertiseHost: string;
  readonly secret: Secret;
  /** Given if the cluster is encrypted. */
  readonly keys: CurveKeys | undefined;
  readonly logLevel: LogLevel;
}

/** @throws Problem as `protect`, `openSecret` and `Settings.get` */
export function memberConfig(settings: Settings, ...bound: readonly string[]): MemberConfig {
  protect(settings, ...bound);
  const secret = openSecret(secretSource(settings));
  return {
    advertiseHost: advertisedHost(settings),
    secret,
    keys: memberKeys(settings, secret),
    logLevel: settings.get("logLevel"),
  };
}
