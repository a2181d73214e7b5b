import { join } from "node:path";
import { memberKey } from "../platform/curve.ts";
import { withKey } from "../platform/endpoint.ts";
import { type MemberConfig, memberConfig } from "../platform/member-config.ts";
import type { Settings } from "../platform/settings.ts";
import type { Pace } from "../protocol/buckets.ts";
import type { Auth } from "./core/accounts/access.ts";
import type { Retention } from "./core/chat/chat-state.ts";
import type { FloodPaces } from "./core/serving/flood.ts";

export interface ServerConfig extends MemberConfig {
  /** Where the servers' side of each broker is. */
  readonly brokers: readonly string[];
  /** Where each proxy takes publications, and where it gives them out. */
  readonly proxiesIn: readonly string[];
  readonly proxies: readonly string[];
  readonly reference: readonly string[];
  /** Where the peer link is bound. */
  readonly bind: string;
  /** The folder of all slots. */
  readonly slots: string;
  readonly leaveOnStop: boolean;
  readonly retention: Retention;
  readonly checkpointBytes: number;
  readonly auth: Auth;
  readonly flood: FloodPaces;
}

export function serverConfig(settings: Settings): ServerConfig {
  const bind = settings.optional("bind") ?? "tcp://127.0.0.1:*";
  const member = memberConfig(settings, bind);
  const { secret, keys } = member;
  const keyed = (endpoints: readonly string[]) => withKey(endpoints, keys?.publicKey);
  const forMembers = (endpoints: readonly string[]) => withKey(endpoints, memberKey(secret, keys));
  return {
    ...member,
    brokers: forMembers(settings.get("brokerBack")),
    proxiesIn: forMembers(settings.get("proxyIn")),
    proxies: keyed(settings.get("proxy")),
    reference: keyed(settings.get("reference")),
    bind,
    slots: join(settings.get("data"), "servers"),
    leaveOnStop: settings.get("leaveOnStop"),
    retention: retentionOf(settings),
    checkpointBytes: settings.get("checkpointBytes"),
    auth: settings.get("auth"),
    flood: {
      user: paceOf(settings.get("userRate")),
      connection: paceOf(settings.get("connectionRate")),
    },
  };
}

export function retentionOf(settings: Settings): Retention {
  return {
    channelMessages: settings.get("keepPublications"),
    userMessages: settings.get("keepMessages"),
    userLogins: settings.get("keepLogins"),
  };
}

/** A burst is what comes in five seconds. */
function paceOf(perSecond: number): Pace | undefined {
  return perSecond === 0 ? undefined : { perSecond, burst: 5 * perSecond };
}
