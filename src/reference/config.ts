import { join } from "node:path";
import { memberKeys } from "../platform/curve.ts";
import { advertisedHost, protect } from "../platform/reach.ts";
import { openSecret, secretSource } from "../platform/secret.ts";
import type { Settings } from "../platform/settings.ts";

export type ReferenceConfig = ReturnType<typeof referenceConfig>;

export function referenceConfig(settings: Settings) {
  const bind = settings.optional("bind") ?? "tcp://127.0.0.1:5559";
  protect(settings, bind);
  const secret = openSecret(secretSource(settings));
  return {
    bind,
    advertiseHost: advertisedHost(settings),
    folder: join(settings.get("data"), "reference"),
    secret,
    keys: memberKeys(settings, secret),
    /** The folder of public files: clients find the cluster's key there. */
    publicFolder: join(settings.get("data"), "public"),
    logLevel: settings.get("logLevel"),
  };
}
