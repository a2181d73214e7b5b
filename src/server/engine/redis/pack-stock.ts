import { keyOf, type Operation } from "../../../protocol/operation.ts";
import type { DecidedWithStock } from "../engine.ts";
import type { RedisLink } from "./link.ts";

/** How many packs are left, as of a slot. */
export interface Stock {
  readonly slot: number;
  readonly left: DecidedWithStock["left"];
}

/** What came of reserving. */
export interface Reserved {
  /** How many packs were left at the last decision that Redis has heard of; undefined if of none. */
  readonly left: Stock["left"];
  /** Which of the operations have a reservation. */
  readonly granted: ReadonlySet<Operation>;
}

/** After so many milliseconds Redis forgets what is left, so that something old can't last. */
const truthMs = 2_000;
/** A reservation of a server that died comes back after so many milliseconds. */
const reservationMs = 2_000;

/** What Redis has of one pack: how many are left, and the open reservations. */
export class PackStock {
  readonly #link: RedisLink;
  readonly #keys: readonly [truth: string, open: string];

  constructor(link: RedisLink, key: string) {
    this.#link = link;
    this.#keys = [`${key}:left`, `${key}:open`];
  }

  /** Reserves for as many operations as there are packs. @returns undefined if Redis is away */
  async reserve(operations: readonly Operation[]): Promise<Reserved | undefined> {
    const members = operations.map(keyOf);
    const answer = await this.#link.ask((redis) => {
      return redis.eval(reserve, 2, ...this.#keys, reservationMs, ...members);
    });
    if (!Array.isArray(answer)) return undefined;
    const [text, ...granted] = answer as [string, ...number[]];
    const left = text === "" ? undefined : text === "unlimited" ? text : Number(text);
    return { left, granted: new Set(operations.filter((_, at) => granted[at] === 1)) };
  }

  /**
   * Tells what is left, unless a later slot has been told, and ends reservations.
   * @param truth undefined if only reservations end
   */
  async tell(truth: Stock | undefined, used: readonly Operation[]): Promise<void> {
    const told = [String(truth?.slot ?? ""), String(truth?.left ?? "")];
    await this.#link.ask((redis) => {
      return redis.eval(tell, 2, ...this.#keys, ...told, truthMs, ...used.map(keyOf));
    });
  }
}

/** A copy of a request has the reservation of the first one, because both get one outcome. */
const reserve = `
  local left = redis.call('HGET', KEYS[1], 'left')
  if not left then return {''} end
  if left == 'unlimited' then return {left} end
  local time = redis.call('TIME')
  local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', nowMs)
  local room = tonumber(left) - redis.call('ZCARD', KEYS[2])
  local answer = {left}
  for at = 2, #ARGV do
    local isGranted = redis.call('ZSCORE', KEYS[2], ARGV[at])
    if not isGranted and room > 0 then
      redis.call('ZADD', KEYS[2], nowMs + ARGV[1], ARGV[at])
      room = room - 1
      isGranted = true
    end
    answer[at] = isGranted and 1 or 0
  end
  redis.call('PEXPIRE', KEYS[2], ARGV[1])
  return answer`;

const tell = `
  local slot = tonumber(ARGV[1])
  local known = tonumber(redis.call('HGET', KEYS[1], 'slot') or '0')
  if slot and slot >= known then
    redis.call('HSET', KEYS[1], 'slot', ARGV[1], 'left', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
  end
  for at = 4, #ARGV do redis.call('ZREM', KEYS[2], ARGV[at]) end
  return 1`;
