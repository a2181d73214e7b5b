import { ProtocolError } from "./errors.ts";
import { isServerName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { limits } from "./limits.ts";

/** For each server the highest `seq` held without a gap; a missing server counts as 0. */
export type Vector = Readonly<Record<ServerName, number>>;
export type MutableVector = Record<ServerName, number>;

export const emptyVector: Vector = {};

/**
 * In the vector of what a client has seen, the field with the highest slot that the client was told
 * of (D8).
 */
export const slotKey = "slot" as ServerName;

export function servers(vector: Vector): ServerName[] {
  return Object.keys(vector) as ServerName[];
}

export function covers(vector: Vector, other: Vector): boolean {
  for (const server of servers(other)) {
    if ((vector[server] ?? 0) < (other[server] ?? 0)) return false;
  }
  return true;
}

/**
 * Raises each entry of `vector` to at least the entry in `other`.
 * @returns whether an entry rose
 */
export function raise(vector: MutableVector, other: Vector): boolean {
  let rose = false;
  for (const server of servers(other)) {
    const seq = other[server] ?? 0;
    if (seq > (vector[server] ?? 0)) {
      vector[server] = seq;
      rose = true;
    }
  }
  return rose;
}

export function join(a: Vector, b: Vector): Vector {
  const joined: MutableVector = { ...a };
  raise(joined, b);
  return joined;
}

/** Returns the number of events that `other` has and `vector` lacks. */
export function lag(vector: Vector, other: Vector): number {
  let missing = 0;
  for (const server of servers(other)) {
    missing += Math.max(0, (other[server] ?? 0) - (vector[server] ?? 0));
  }
  return missing;
}

/**
 * Returns the vector with its servers in byte order, so that equal vectors have equal JSON texts.
 */
export function sorted(vector: Vector): Vector {
  return Object.fromEntries(
    servers(vector)
      .sort()
      .map((server) => [server, vector[server]]),
  ) as Vector;
}

/**
 * @param most the largest number of servers allowed
 * @throws ProtocolError `bad_request` unless the value is a map from server names to integers of at
 * least 0
 */
export function parseVector(
  value: unknown,
  field: string,
  most: number = limits.vectorServers,
): Vector {
  return parse(value, { field, most });
}

/** Reads the vector of what a client has seen, which may have a slot. @throws as `parseVector` */
export function parseSeen(value: unknown, field: string): Vector {
  return parse(value, { field, most: limits.vectorServers + 1, hasSlot: true });
}

interface Bounds {
  readonly field: string;
  readonly most: number;
  readonly hasSlot?: boolean;
}

function parse(value: unknown, { field, most, hasSlot = false }: Bounds): Vector {
  const refusal = (why: string) => new ProtocolError("bad_request", `\`${field}\` ${why}`);
  const noMap = () => refusal("must be a map from server to number.");
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw noMap();
  const vector: MutableVector = {};
  const entries = Object.entries(value);
  if (entries.length > most) throw refusal(`may name at most ${most} servers.`);
  for (const [server, seq] of entries) {
    const number = parseClock(seq);
    const isKey = isServerName(server) || (hasSlot && server === slotKey);
    if (!isKey || number === undefined) throw noMap();
    vector[server as ServerName] = number;
  }
  return vector;
}
