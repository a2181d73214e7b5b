import { keyOf, type Operation } from "../../../protocol/operation.ts";
import type { PacksLeft } from "../engine.ts";
import type { RedisConnections } from "./connections.ts";

/** How many packs are left, as of a slot. */
interface Stock {
  readonly slot: number;
  readonly left: PacksLeft;
}

/** What is noted of a request: whether it goes on to the decision. */
type Note = "admitted" | "refused";

/** What came of reserving. */
export interface Reserved {
  /** How many packs were left at the last decision that Redis has heard of; undefined if of none. */
  readonly left: PacksLeft | undefined;
  /** Operations that go on to the decision: they have a reservation, or a copy of them was admitted. */
  readonly admitted: ReadonlySet<Operation>;
  /** Operations of which a copy was refused. */
  readonly refused: ReadonlySet<Operation>;
}

/** After so many milliseconds Redis forgets what is left, so that something old can't last. */
const stockMs = 2_000;
/** A reservation of a server that died comes back after so many milliseconds. */
const reservationMs = 2_000;
/** A note holds for so many milliseconds: longer than a copy of a request is on its way. */
const noteMs = 20_000;

/** What Redis has of one pack: how many are left, open reservations, and a note for each request. */
export class PackStock {
  readonly #connections: RedisConnections;
  readonly #keys: readonly [stock: string, reservations: string, notes: string];

  constructor(connections: RedisConnections, key: string) {
    this.#connections = connections;
    this.#keys = [`${key}:stock`, `${key}:reservations`, `${key}:notes:`];
  }

  /** Reserves for as many operations as there are packs. @returns undefined if Redis is away */
  async reserve(operations: readonly Operation[]): Promise<Reserved | undefined> {
    const values = [reservationMs, noteMs, ...operations.map(keyOf)];
    const answer = await this.#run(reserveScript, values);
    if (!Array.isArray(answer)) return undefined;
    const [text, ...notes] = answer as unknown[];
    return {
      left: packsLeft(text),
      admitted: withNote("admitted", operations, notes),
      refused: withNote("refused", operations, notes),
    };
  }

  /**
   * Notes what happens to operations, unless the other thing was noted of a copy.
   * @returns those to which it happens; undefined if Redis is away
   */
  async note(
    note: Note,
    operations: readonly Operation[],
  ): Promise<ReadonlySet<Operation> | undefined> {
    if (operations.length === 0) return new Set();
    const answer = await this.#run(noteScript, [note, noteMs, ...operations.map(keyOf)]);
    return Array.isArray(answer) ? withNote(note, operations, answer) : undefined;
  }

  /**
   * Tells what is left, unless a later slot has been told, and ends the reservations of `used`.
   * @returns whether this took effect
   */
  async tell({
    stock,
    used,
  }: {
    readonly stock?: Stock;
    readonly used: readonly Operation[];
  }): Promise<boolean> {
    const told = [String(stock?.slot ?? ""), String(stock?.left ?? "")];
    return (await this.#run(tellScript, [...told, stockMs, ...used.map(keyOf)])) === 1;
  }

  #run(script: string, values: readonly (string | number)[]): Promise<unknown> {
    return this.#connections.ask((redis) => redis.eval(script, 3, ...this.#keys, ...values));
  }
}

/** What is no number may be of anybody who writes to Redis: then the engine is asked. */
function packsLeft(text: unknown): PacksLeft | undefined {
  if (text === "unlimited") return text;
  const left = text === "" ? Number.NaN : Number(text);
  return Number.isNaN(left) ? undefined : left;
}

/** @param notes that of each operation, in the same order */
function withNote(note: Note, operations: readonly Operation[], notes: readonly unknown[]) {
  return new Set(operations.filter((_, at) => notes[at] === note));
}

const reserveScript = `
  local left = redis.call('HGET', KEYS[1], 'left')
  if not left then return {''} end
  local isLimited = left ~= 'unlimited'
  local time = redis.call('TIME')
  local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', nowMs)
  local room = isLimited and tonumber(left) - redis.call('ZCARD', KEYS[2]) or 0
  local answer = {left}
  for at = 3, #ARGV do
    local note = redis.call('GET', KEYS[3] .. ARGV[at])
    if not note and (not isLimited or room > 0) then
      if isLimited then
        redis.call('ZADD', KEYS[2], nowMs + ARGV[1], ARGV[at])
        room = room - 1
      end
      note = 'admitted'
      redis.call('SET', KEYS[3] .. ARGV[at], note, 'PX', ARGV[2])
    end
    answer[at - 1] = note or ''
  end
  redis.call('PEXPIRE', KEYS[2], ARGV[1])
  return answer`;

const noteScript = `
  local answer = {}
  for at = 3, #ARGV do
    local note = redis.call('GET', KEYS[3] .. ARGV[at])
    if not note then
      redis.call('SET', KEYS[3] .. ARGV[at], ARGV[1], 'PX', ARGV[2])
      note = ARGV[1]
    end
    answer[at - 2] = note
  end
  return answer`;

const tellScript = `
  local slot = tonumber(ARGV[1])
  local known = tonumber(redis.call('HGET', KEYS[1], 'slot') or '0')
  if slot and slot >= known then
    redis.call('HSET', KEYS[1], 'slot', ARGV[1], 'left', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
  end
  for at = 4, #ARGV do redis.call('ZREM', KEYS[2], ARGV[at]) end
  return 1`;
