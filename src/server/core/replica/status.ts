import type { Epoch } from "../../../protocol/epoch.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import type { Phase } from "../../../protocol/peer-messages.ts";
import type { Listed, RefusedMessages } from "../../../protocol/reference-messages.ts";
import type { StatusReply } from "../../../protocol/replies.ts";
import { lag, raise } from "../../../protocol/vector.ts";
import type { Now } from "../effects.ts";
import type { Replication } from "./replication.ts";

/** What a server knows of itself. */
export interface Self {
  readonly name: ServerName;
  readonly address: string;
  readonly phase: Phase;
  readonly clock: number;
  readonly rate: number;
  readonly disbelievedClocks: number;
  readonly refused: Readonly<RefusedMessages>;
  readonly offsetMs: number;
  readonly lastCorrectionMs: number | undefined;
  readonly clockRounds: number;
}

/** What is known beside replication. */
export interface Known {
  readonly self: Self;
  /** Who is in office, if anybody is known to be. */
  readonly coordinator: { readonly name: ServerName; readonly epoch: Epoch } | undefined;
  readonly list: readonly Listed[];
}

export function describeCluster(
  { self, coordinator, list }: Known,
  replication: Replication,
  now: Now,
): StatusReply {
  const ranks = new Map(list.map(({ name, rank }) => [name, rank]));
  const names = new Set([self.name, ...replication.peers.keys()]);
  /** The join of all that anybody is known to have. */
  const all = { ...replication.durableOf(self.name) };
  for (const peer of replication.peers.values()) raise(all, peer.durable);
  const members = [...names].sort().map((name) => {
    const known = name === self.name ? self : replication.peer(name);
    const { address, phase, clock, rate } = known;
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
      offsetMs: inTenths(known.offsetMs),
      lastCorrectionMs: inTenths(known.lastCorrectionMs),
      clockRounds: known.clockRounds ?? null,
      rate,
    };
  });
  return {
    members,
    processes: withFewGuests(list),
    coordinator: coordinator?.name ?? null,
    epoch: coordinator?.epoch ?? null,
    view: replication.view,
    committed: { ...replication.committed },
    disbelievedClocks: self.disbelievedClocks,
    refused: { ...self.refused },
  };
}

function inTenths(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 10) / 10;
}

/** Anybody may be on the reference's list, and anybody may ask for this one. */
function withFewGuests(list: readonly Listed[]): Listed[] {
  let guests = 0;
  return list.filter(({ isKnown }) => {
    if (isKnown !== true) guests += 1;
    return isKnown === true || guests <= limits.statusGuests;
  });
}
