import { noEpoch } from "../../src/protocol/epoch.ts";
import { type Chain, emptyChain, type ServerName } from "../../src/protocol/ids.ts";
import type { Mark } from "../../src/protocol/mark.ts";
import { servers, type Vector } from "../../src/protocol/vector.ts";

/**
 * The mark of a saved state with this vector. Its clock is the highest `seq`.
 * @param chains of the servers whose chain must fit the journal after the state
 */
export function markAt(vector: Vector, chains: Readonly<Record<ServerName, Chain>> = {}): Mark {
  const each = <T>(value: (server: ServerName) => T) =>
    Object.fromEntries(servers(vector).map((server) => [server, value(server)]));
  return {
    vector,
    chains: each((server) => chains[server] ?? emptyChain),
    clock: Math.max(...Object.values(vector)),
    times: each(() => 0),
    epoch: noEpoch,
  };
}
