import { join } from "node:path";
import { memberKey } from "../platform/curve.ts";
import { withKey } from "../platform/endpoint.ts";
import { memberConfig } from "../platform/member-config.ts";
import { rows, type Settings } from "../platform/settings.ts";

export type GameConfig = ReturnType<typeof gameConfig>;

/** @throws Problem (exit code 2) that names the wrong setting */
export function gameConfig(settings: Settings) {
  const front = settings.optional("front") ?? (rows.game.fallback as string);
  const mqtt = settings.optional("mqtt");
  const member = memberConfig(settings, front, ...(mqtt === undefined ? [] : [mqtt]));
  const { secret, keys } = member;
  const keyed = (endpoints: readonly string[]) => withKey(endpoints, keys?.publicKey);
  return {
    ...member,
    brokers: keyed(settings.get("broker")),
    proxies: keyed(settings.get("proxy")),
    reference: keyed(settings.get("reference")),
    /** Where players and the other game servers connect. */
    front,
    /** Where players connect by MQTT; undefined for nowhere. */
    mqtt,
    /** What a member needs to connect to another game server. */
    memberKey: memberKey(secret, keys),
    /** The number of records of steps to remember; 0 to record none (O68). */
    steps: settings.get("steps"),
    /** The folder with the slots of all game servers. */
    slots: join(settings.get("data"), "games"),
  };
}
