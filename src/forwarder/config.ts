import { join } from "node:path";
import { withKey } from "../platform/endpoint.ts";
import { memberConfig } from "../platform/member-config.ts";
import type { Settings } from "../platform/settings.ts";

export type ForwarderConfig = ReturnType<typeof forwarderConfig>;

/** @param ends the default endpoints of front and back */
export function forwarderConfig(
  role: "broker" | "proxy",
  ends: { readonly front: string; readonly back: string },
  settings: Settings,
) {
  const front = settings.optional("front") ?? ends.front;
  const back = settings.optional("back") ?? ends.back;
  const member = memberConfig(settings, front, back);
  return {
    ...member,
    front,
    back,
    reference: withKey(settings.get("reference"), member.keys?.publicKey),
    /** The folder that contains all slots of the role. */
    slots: join(settings.get("data"), role),
    /** Whether guest servers may connect. */
    guestServers: settings.get("guestServers"),
  };
}
