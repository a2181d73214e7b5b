import { memberKeys } from "./curve.ts";
import { advertisedHost, protect } from "./reach.ts";
import { openSecret, secretSource } from "./secret.ts";
import type { Settings } from "./settings.ts";

/**
 * Reads the settings that all members with bound endpoints have in common.
 * @throws Problem as `protect`, `openSecret` and `Settings.get`
 */
export function memberConfig(settings: Settings, ...bound: readonly string[]) {
  protect(settings, ...bound);
  const secret = openSecret(secretSource(settings));
  return {
    /** The host, or the whole endpoint, at which other processes reach this process. */
    advertiseHost: advertisedHost(settings),
    secret,
    /** The key pairs of an encrypted cluster; undefined if the cluster is not encrypted. */
    keys: memberKeys(settings, secret),
    logLevel: settings.get("logLevel"),
    /** Where the process shows its metrics and its health over HTTP; undefined for nowhere. */
    metrics: settings.optional("metrics"),
  };
}
