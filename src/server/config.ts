import { join } from "node:path";
import type { LogLevel } from "../platform/log.ts";
import { advertisedHost, protect, type Settings } from "../platform/settings.ts";
import type { Retention } from "./core/chat-state.ts";

export interface ServerConfig {
  /** Where the servers' side of each broker is. */
  readonly brokers: readonly string[];
  /** Where each proxy takes publications, and where it gives them out. */
  readonly proxiesIn: readonly string[];
  readonly proxies: readonly string[];
  readonly reference: readonly string[];
  /** Where the peer link is bound. */
  readonly bind: string;
  readonly advertiseHost: string;
  /** The folder of all slots. */
  readonly slots: string;
  readonly leaveOnStop: boolean;
  readonly retention: Retention;
  /** For tests: how far the wall clock is ahead, in ms, and how much too fast it runs, in ppm. */
  readonly clockSkewMs: number;
  readonly clockDriftPpm: number;
  readonly checkpointBytes: number;
  readonly logLevel: LogLevel;
}

export function serverConfig(settings: Settings): ServerConfig {
  const bind = settings.optional("bind") ?? "tcp://127.0.0.1:*";
  protect(settings, bind);
  return {
    brokers: settings.get("brokerBack"),
    proxiesIn: settings.get("proxyIn"),
    proxies: settings.get("proxy"),
    reference: settings.get("reference"),
    bind,
    advertiseHost: advertisedHost(settings),
    slots: join(settings.get("data"), "servers"),
    leaveOnStop: settings.get("leaveOnStop"),
    retention: {
      channelMessages: settings.get("keepPublications"),
      userMessages: settings.get("keepMessages"),
      userLogins: settings.get("keepLogins"),
    },
    clockSkewMs: settings.get("clockSkew"),
    clockDriftPpm: settings.get("clockDrift"),
    checkpointBytes: settings.get("checkpointBytes"),
    logLevel: settings.get("logLevel"),
  };
}
