import type { Epoch } from "./epoch.ts";
import { isMap } from "./fields.ts";
import { type Chain, isChain, isServerName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import type { Vector } from "./vector.ts";

/**
 * The position in the log that a saved state represents; replicas with equal vectors have equal
 * marks (R4).
 */
export interface Mark {
  readonly vector: Vector;
  /** For each server, the chain of its last event within the vector. */
  readonly chains: Readonly<Record<ServerName, Chain>>;
  /** The highest clock of the events that the vector covers. */
  readonly clock: number;
  /**
   * For each server, the time of its last event in milliseconds since 1970; the server's time never
   * decreases.
   */
  readonly times: Readonly<Record<ServerName, number>>;
  /** The highest epoch in which a coordinator began its term. */
  readonly epoch: Epoch;
}

/** The newest event of one server that a replica has, or had before it lost the event. */
export interface Head {
  readonly seq: number;
  /** `emptyChain` if the chain is unknown. */
  readonly chain: Chain;
}

export type Heads = Readonly<Record<ServerName, Head>>;

export function headsOf({ vector, chains }: Mark): Heads {
  const heads: Record<ServerName, Head> = {};
  for (const server of Object.keys(vector) as ServerName[]) {
    const chain = chains[server];
    const seq = vector[server];
    if (chain !== undefined && seq !== undefined) heads[server] = { seq, chain };
  }
  return heads;
}

export function vectorOf(heads: Heads): Vector {
  const entries = Object.entries(heads) as [ServerName, Head][];
  return Object.fromEntries(entries.map(([server, { seq }]) => [server, seq]));
}

/** Returns, for each server, the head with the higher `seq`. */
export function furthest(a: Heads, b: Heads): Heads {
  const joined: Record<ServerName, Head> = { ...a };
  for (const [server, head] of Object.entries(b) as [ServerName, Head][]) {
    if (head.seq > (joined[server]?.seq ?? 0)) joined[server] = head;
  }
  return joined;
}

/** @throws Error unless the value is a map from server to `{seq, chain}` */
export function parseHeads(value: unknown): Heads {
  const heads: Record<ServerName, Head> = {};
  for (const [server, head] of Object.entries(isMap(value) ? value : { "": value })) {
    const { seq, chain } = isMap(head) ? head : {};
    const number = parseClock(seq);
    if (!isServerName(server) || number === undefined || !isChain(chain)) {
      throw new Error("it has no map from server to its last event");
    }
    heads[server] = { seq: number, chain };
  }
  return heads;
}
