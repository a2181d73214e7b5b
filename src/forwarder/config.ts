import { join } from "node:path";
import { memberKeys } from "../platform/curve.ts";
import { withKey } from "../platform/endpoint.ts";
import { advertisedHost, protect } from "../platform/reach.ts";
import { openSecret, secretSource } from "../platform/secret.ts";
import type { Settings } from "../platform/settings.ts";

export type ForwarderConfig = ReturnType<typeof forwarderConfig>;

/** @param ends where the front and the back are bound without settings */
export function forwarderConfig(
  role: "broker" | "proxy",
  ends: { readonly front: string; readonly back: string },
  settings: Settings,
) {
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
    /** The folder of all slots of the role. */
    slots: join(settings.get("data"), role),
    secret,
    keys,
    /** Whether servers that are not members may connect. */
    guestServers: settings.get("guestServers"),
    logLevel: settings.get("logLevel"),
  };
}
