import type { ServerName } from "../../protocol/ids.ts";
import type { Listed, Phase } from "../../protocol/messages.ts";
import { lag, raise } from "../../protocol/vector.ts";
import type { Now } from "./effects.ts";
import type { Replication } from "./replication.ts";
import type { Answer } from "./requests.ts";

/** What a server knows of itself. */
export interface Self {
  readonly name: ServerName;
  readonly address: string;
  readonly phase: Phase;
  readonly clock: number;
  readonly rate: number;
  readonly disbelievedClocks: number;
}

/** The cluster as one server sees it: what `tertulia status` draws. */
export function describeCluster(
  self: Self,
  replication: Replication,
  list: readonly Listed[],
  now: Now,
): Answer {
  const ranks = new Map(list.map(({ name, rank }) => [name, rank]));
  const names = new Set([self.name, ...replication.peers.keys()]);
  /** The join of all that anybody is known to have. */
  const all = { ...replication.durableOf(self.name) };
  for (const peer of replication.peers.values()) raise(all, peer.durable);
  const members = [...names].sort().map((name) => {
    const { address, phase, clock, rate } = name === self.name ? self : replication.peer(name);
    const durable = replication.durableOf(name);
    return {
      name,
      rank: ranks.get(name) ?? null,
      address,
      member: replication.view.members.includes(name),
      live: replication.isLive(name, now.steadyMs),
      phase,
      lag: lag(durable, all),
      durable,
      clock,
      offsetMs: 0,
      rate,
    };
  });
  return {
    members,
    processes: list,
    coordinator: null,
    epoch: null,
    view: replication.view,
    committed: { ...replication.committed },
    disbelievedClocks: self.disbelievedClocks,
  };
}
