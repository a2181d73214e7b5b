import { join } from "node:path";
import { memberConfig } from "../platform/member-config.ts";
import type { Settings } from "../platform/settings.ts";

export type ReferenceConfig = ReturnType<typeof referenceConfig>;

export function referenceConfig(settings: Settings) {
  const bind = settings.optional("bind") ?? "tcp://127.0.0.1:5559";
  return {
    ...memberConfig(settings, bind),
    bind,
    folder: join(settings.get("data"), "reference"),
    /** The folder of public files, where clients find the cluster's key. */
    publicFolder: join(settings.get("data"), "public"),
    /** The folder in which gateways find their key (X9). */
    gatewayFolder: join(settings.get("data"), "gateway"),
  };
}
