import { memberKeys } from "./curve.ts";
import { advertisedHost, protect } from "./reach.ts";
import { openSecret, secretSource } from "./secret.ts";
import type { Settings } from "./settings.ts";

/**
 * What every process of the cluster with bound endpoints reads from its settings.
 * @throws Problem as `protect`, `openSecret` and `Settings.get`
 */
export function memberConfig(settings: Settings, ...bound: readonly string[]) {
  protect(settings, ...bound);
  const secret = openSecret(secretSource(settings));
  return {
    /** The host, or the whole endpoint, at which others reach this process. */
    advertiseHost: advertisedHost(settings),
    secret,
    /** Given if the cluster is encrypted. */
    keys: memberKeys(settings, secret),
    logLevel: settings.get("logLevel"),
  };
}
