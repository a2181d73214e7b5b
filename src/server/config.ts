import { join } from "node:path";
import { memberKey } from "../platform/curve.ts";
import { withKey } from "../platform/endpoint.ts";
import { memberConfig } from "../platform/member-config.ts";
import { Problem } from "../platform/problem.ts";
import { protectEngine, protectRedis } from "../platform/reach.ts";
import type { Settings } from "../platform/settings.ts";
import type { Pace } from "../protocol/buckets.ts";
import { readPasswordFile } from "../storage/password-file.ts";
import type { Retention } from "./core/chat/chat-state.ts";

export type ServerConfig = ReturnType<typeof serverConfig>;
export type EngineConfig = NonNullable<ReturnType<typeof engineConfig>>;
export type RedisConfig = NonNullable<ReturnType<typeof redisConfig>>;

export function serverConfig(settings: Settings) {
  const bind = settings.optional("bind") ?? "tcp://127.0.0.1:*";
  const member = memberConfig(settings, bind);
  const { secret, keys } = member;
  const keyed = (endpoints: readonly string[]) => withKey(endpoints, keys?.publicKey);
  const forMembers = (endpoints: readonly string[]) => withKey(endpoints, memberKey(secret, keys));
  return {
    ...member,
    /** The endpoints at which brokers accept servers. */
    brokers: forMembers(settings.get("brokerBack")),
    /**
     * The endpoints to which servers publish (`proxiesIn`), and the endpoints to which subscribers
     * connect (`proxies`).
     */
    proxiesIn: forMembers(settings.get("proxyIn")),
    proxies: keyed(settings.get("proxy")),
    reference: keyed(settings.get("reference")),
    /** The endpoint to which the peer link is bound. */
    bind,
    /** The folder that contains all slots. */
    slots: join(settings.get("data"), "servers"),
    leaveOnStop: settings.get("leaveOnStop"),
    retention: retentionOf(settings),
    checkpointBytes: settings.get("checkpointBytes"),
    auth: settings.get("auth"),
    /** Where everything is kept; undefined if the server keeps it itself. */
    engine: engineConfig(settings),
    /** The Redis beside the engine, if there is one. */
    redis: redisConfig(settings),
    /** The number of records of steps to remember; 0 to record none (O63). */
    steps: settings.get("steps"),
    flood: {
      user: paceOf(settings.get("userRate")),
      connection: paceOf(settings.get("connectionRate")),
    },
  };
}

/** @throws Problem as `protectEngine` */
export function engineConfig(settings: Settings) {
  const address = settings.optional("engine");
  if (address === undefined) return undefined;
  protectEngine(settings, address);
  const password = passwordIn(settings, "enginePasswordFile", settings.enginePasswordText);
  return { address, password };
}

/** @throws Problem as `protectRedis`, and if there is no engine */
function redisConfig(settings: Settings) {
  const address = settings.optional("redis");
  if (address === undefined) return undefined;
  if (settings.optional("engine") === undefined) {
    throw new Problem("--redis works only beside --engine: add --engine, or leave out --redis.", 2);
  }
  protectRedis(settings, address);
  const password = passwordIn(settings, "redisPasswordFile", settings.redisPasswordText);
  return { address, password };
}

/**
 * Returns the password of a program that the server uses; a flag with its file overrides the
 * environment.
 * @param given the password itself, from the environment
 */
function passwordIn(
  settings: Settings,
  name: "enginePasswordFile" | "redisPasswordFile",
  given: string | undefined,
): string | undefined {
  const file = settings.optional(name);
  const isFlag = settings.lookUp(name).source === "flag";
  const text = isFlag ? undefined : given;
  return text ?? (file === undefined ? undefined : readPasswordFile(file));
}

export function retentionOf(settings: Settings): Retention {
  return {
    channelMessages: settings.get("keepPublications"),
    userMessages: settings.get("keepMessages"),
    userLogins: settings.get("keepLogins"),
  };
}

/**
 * Returns a pace of `perSecond` requests a second and a burst of 5 × `perSecond` requests; for 0,
 * returns undefined, which means no limit.
 */
function paceOf(perSecond: number): Pace | undefined {
  return perSecond === 0 ? undefined : { perSecond, burst: 5 * perSecond };
}
