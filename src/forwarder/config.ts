import { join } from "node:path";
import type { LogLevel } from "../platform/log.ts";
import { type SecretSource, secretSource } from "../platform/secret.ts";
import { advertisedHost, protect, type Settings } from "../platform/settings.ts";

export interface ForwarderConfig {
  /** Where the front and the back are bound. */
  readonly front: string;
  readonly back: string;
  readonly advertiseHost: string;
  readonly reference: readonly string[];
  /** The folder of all slots of the role. */
  readonly slots: string;
  readonly secret: SecretSource;
  readonly logLevel: LogLevel;
}

/** @param ends where the front and the back are bound unless told */
export function forwarderConfig(
  role: "broker" | "proxy",
  ends: { readonly front: string; readonly back: string },
  settings: Settings,
): ForwarderConfig {
  const front = settings.optional("front") ?? ends.front;
  const back = settings.optional("back") ?? ends.back;
  protect(settings, front, back);
  return {
    front,
    back,
    advertiseHost: advertisedHost(settings),
    reference: settings.get("reference"),
    slots: join(settings.get("data"), role),
    secret: secretSource(settings),
    logLevel: settings.get("logLevel"),
  };
}
