import type { Epoch } from "./epoch.ts";
import { isMap } from "./fields.ts";
import { type Chain, isChain, isServerName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import type { Vector } from "./vector.ts";

/** What a saved state represents; equal on replicas with equal vectors (R4). */
export interface Mark {
  readonly vector: Vector;
  /** The chain's head of each server, at the vector. */
  readonly chains: Readonly<Record<ServerName, Chain>>;
  /** The highest clock among the events. */
  readonly clock: number;
  /** The time of each server's last event, in milliseconds since 1970: it never runs backwards. */
  readonly times: Readonly<Record<ServerName, number>>;
  /** The highest epoch that an office was entered in. */
  readonly epoch: Epoch;
}

/** The last event of a server that a replica has, or once had. */
export interface Head {
  readonly seq: number;
  /** `emptyChain` if it is unknown. */
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

/** For each server, the head of the higher `seq`. */
export function furthest(a: Heads, b: Heads): Heads {
  const joined: Record<ServerName, Head> = { ...a };
  for (const [server, head] of Object.entries(b) as [ServerName, Head][]) {
    if (head.seq > (joined[server]?.seq ?? 0)) joined[server] = head;
  }
  return joined;
}

/** @throws Error unless a map from server to `{seq, chain}` */
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
