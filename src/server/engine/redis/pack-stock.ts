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
  /** Operations that go on to the decision: they have a reservation, or a copy of them went on. */
  readonly going: ReadonlySet<Operation>;
  /** Operations of which a copy was refused. */
  readonly refused: ReadonlySet<Operation>;
}

/** After so many milliseconds Redis forgets what is left, so that something old can't last. */
const truthMs = 2_000;
/** A reservation of a server that died comes back after so many milliseconds. */
const reservationMs = 2_000;
/** For so many milliseconds all copies of a request fare alike: longer than one is on its way. */
const saidMs = 20_000;

/** What Redis has of one pack: how many are left, open reservations, and what was said of requests. */
export class PackStock {
  readonly #link: RedisLink;
  readonly #keys: readonly [truth: string, open: string, said: string];

  constructor(link: RedisLink, key: string) {
    this.#link = link;
    this.#keys = [`${key}:left`, `${key}:open`, `${key}:said:`];
  }

  /** Reserves for as many operations as there are packs. @returns undefined if Redis is away */
  async reserve(operations: readonly Operation[]): Promise<Reserved | undefined> {
    const answer = await this.#run(reserve, [reservationMs, saidMs, ...operations.map(keyOf)]);
    if (!Array.isArray(answer)) return undefined;
    const [text, ...words] = answer as string[];
    const left = text === "" ? undefined : text === "unlimited" ? text : Number(text);
    return {
      left,
      going: said("going", operations, words),
      refused: said("refused", operations, words),
    };
  }

  /**
   * Notes what happens to operations, unless the other thing was noted of a copy.
   * @returns those to which it happens; undefined if Redis is away
   */
  async note(
    word: "going" | "refused",
    operations: readonly Operation[],
  ): Promise<ReadonlySet<Operation> | undefined> {
    if (operations.length === 0) return new Set();
    const answer = await this.#run(note, [word, saidMs, ...operations.map(keyOf)]);
    return Array.isArray(answer) ? said(word, operations, answer) : undefined;
  }

  /**
   * Tells what is left, unless a later slot has been told, and ends reservations.
   * @param truth undefined if only reservations end
   */
  async tell(truth: Stock | undefined, used: readonly Operation[]): Promise<void> {
    const told = [String(truth?.slot ?? ""), String(truth?.left ?? "")];
    await this.#run(tell, [...told, truthMs, ...used.map(keyOf)]);
  }

  #run(script: string, values: readonly (string | number)[]): Promise<unknown> {
    return this.#link.ask((redis) => redis.eval(script, 3, ...this.#keys, ...values));
  }
}

function said(word: string, operations: readonly Operation[], words: readonly unknown[]) {
  return new Set(operations.filter((_, at) => words[at] === word));
}

const reserve = `
  local left = redis.call('HGET', KEYS[1], 'left')
  if not left then return {''} end
  local isLimited = left ~= 'unlimited'
  local time = redis.call('TIME')
  local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', nowMs)
  local room = isLimited and tonumber(left) - redis.call('ZCARD', KEYS[2]) or 0
  local answer = {left}
  for at = 3, #ARGV do
    local word = redis.call('GET', KEYS[3] .. ARGV[at])
    if not word and (not isLimited or room > 0) then
      if isLimited then
        redis.call('ZADD', KEYS[2], nowMs + ARGV[1], ARGV[at])
        room = room - 1
      end
      word = 'going'
      redis.call('SET', KEYS[3] .. ARGV[at], word, 'PX', ARGV[2])
    end
    answer[at - 1] = word or ''
  end
  redis.call('PEXPIRE', KEYS[2], ARGV[1])
  return answer`;

const note = `
  local answer = {}
  for at = 3, #ARGV do
    local word = redis.call('GET', KEYS[3] .. ARGV[at])
    if not word then
      redis.call('SET', KEYS[3] .. ARGV[at], ARGV[1], 'PX', ARGV[2])
      word = ARGV[1]
    end
    answer[at - 2] = word
  end
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
