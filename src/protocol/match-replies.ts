import { type Fields, isMap } from "./fields.ts";
import { parseClock } from "./lamport-clock.ts";
import type { EndedMatch, OpenMatch, PlayerRecord, Term } from "./matches.ts";

/** A user in the answer to `ranking`. */
export interface Ranked extends PlayerRecord {
  readonly user: string;
}

// A client takes what a server says of a match, if it has the form of a match. The names of games and
// rules are not checked further, because a newer server may know more of them.

export function isTerm(value: unknown): value is Term {
  if (!isMap(value)) return false;
  const { term, host, shadow } = value;
  return parseClock(term) !== undefined && isText(host) && (shadow == null || isText(shadow));
}

export function isOpenMatch(value: unknown): value is OpenMatch {
  if (!isTerm(value)) return false;
  const { match, rules, players } = value as Term & Fields;
  return [match, rules].every(isText) && isPair(players, isPlayer);
}

export function isEndedMatch(value: unknown): value is EndedMatch {
  if (!isMap(value)) return false;
  const { match, rules, users, winner, ratings, endedMs } = value;
  const isNamed = [match, rules].every(isText) && (winner == null || isText(winner));
  return isNamed && isPair(users, isText) && isPair(ratings, isWhole) && isWhole(endedMs);
}

export function isRecord(value: unknown): value is PlayerRecord {
  if (!isMap(value)) return false;
  return [value.rating, value.won, value.lost, value.drawn].every(isWhole);
}

export function isRanked(value: unknown): value is Ranked {
  return isRecord(value) && isText((value as PlayerRecord & Fields).user);
}

function isPair(value: unknown, isRight: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isRight);
}

function isPlayer(value: unknown): boolean {
  return isMap(value) && isText(value.user) && isText(value.game);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A rating may be below 0. */
function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
