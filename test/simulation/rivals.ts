import { coordinator, others } from "../support/coordinators.ts";
import { type CoreCluster, servingCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import { ClaimedName } from "./claimed-name.ts";

/**
 * A schedule that random faults seldom produce. A member that no longer hears the coordinator
 * becomes a candidate. Only the coordinator promises the next epoch to the candidate; the third
 * member hears nothing of the candidate. At that moment the old coordinator gets a claim, and the
 * third member accepts the claim. The coordinator must not accept the claim itself, because it has
 * promised a higher epoch.
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
  // The rival asks again, and the old coordinator now gets the request.
  network.heal();
  deafen();
  cluster.runUntil(promises(first), "the old coordinator promises the rival its epoch");
  tell(`${first.name}, coordinator, promises an epoch to ${rival.name}`);
  name.claim(first, "a");
  const isNext = () => rival.core.election.ownEpoch !== undefined;
  cluster.runUntil(isNext, "the rival is coordinator");
  tell(`${rival.name} is coordinator`);
  name.claim(rival, "b");
  cluster.runFor(2_000);
  network.heal();
  cluster.runUntilServing();
  coordinator(cluster);
  cluster.runUntilEqual();
  name.check();
  return cluster;
}
