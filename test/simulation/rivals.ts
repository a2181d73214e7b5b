import { coordinator, others } from "../support/coordinators.ts";
import { type CoreCluster, servingCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import { ClaimedName } from "./claimed-name.ts";

/**
 * A schedule that dice seldom throw. A member that has lost sight of who is in office stands, and
 * of all it is that one who promises it the next epoch, while the third hears of no bid. At that
 * very moment a claim comes to the old office: the third accepts it, and so would the office
 * itself, were its own accept not behind its promise.
 */
export function runRivals(tell: (text: string) => void): CoreCluster {
  const cluster = servingCluster(3);
  const name = new ClaimedName(cluster, tell);
  const first = coordinator(cluster);
  const [rival, third] = others(cluster, first) as [VirtualServer, VirtualServer];
  const { network } = cluster;
  const { term } = first.core.promised.epoch;
  const promises = (server: VirtualServer) => () => server.core.promised.epoch.term > term;
  const deafen = () => {
    network.cut(first.name, rival.name, ["broadcast"]);
    network.cut(rival.name, third.name, ["peer"]);
  };
  deafen();
  network.cut(first.name, rival.name);
  cluster.runUntil(promises(rival), "the rival stands");
  // Asked again, the old office hears of it.
  network.heal();
  deafen();
  cluster.runUntil(promises(first), "the old office promises the rival its epoch");
  tell(`${first.name}, in office, promises an epoch to ${rival.name}`);
  name.claim(first, "a");
  const isNext = () => rival.core.election.ownEpoch !== undefined;
  cluster.runUntil(isNext, "the rival is in office");
  tell(`${rival.name} is in office`);
  name.claim(rival, "b");
  cluster.runFor(2_000);
  network.heal();
  cluster.runUntilServing();
  coordinator(cluster);
  cluster.runUntilEqual();
  name.check();
  return cluster;
}
