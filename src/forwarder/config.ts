import { join } from "node:path";
import { type CurveKeys, memberKeys } from "../platform/curve.ts";
import { withKey } from "../platform/endpoint.ts";
import type { LogLevel } from "../platform/log.ts";
import { advertisedHost, protect } from "../platform/reach.ts";
import { openSecret, type Secret, secretSource } from "../platform/secret.ts";
import type { Settings } from "../platform/settings.ts";

export interface ForwarderConfig {
  /** Where the front and the back are bound. */
  readonly front: string;
  readonly back: string;
  readonly advertiseHost: string;
  readonly reference: readonly string[];
  /** The folder of all slots of the role. */
  readonly slots: string;
  readonly secret: Secret;
  readonly keys: CurveKeys | undefined;
  /** Whether servers that are no members may connect. */
  readonly guestServers: boolean;
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
  const secret = openSecret(secretSource(settings));
  const keys = memberKeys(settings, secret);
  return {
    front,
    back,
    advertiseHost: advertisedHost(settings),
    reference: withKey(settings.get("reference"), keys?.publicKey),
    slots: join(settings.get("data"), role),
    secret,
    keys,
    guestServers: settings.get("guestServers"),
    logLevel: settings.get("logLevel"),
  };
}
