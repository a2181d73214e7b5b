import { coordinator, coordinators, others } from "../support/coordinators.ts";
import { type CoreCluster, servingCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import { ClaimedName } from "./claimed-name.ts";

/**
 * Two servers join, and the view after the next has quorums that share no member with some of the
 * first view: the third of the old members and the two new ones elect one of their own, while the
 * office is left with one other. Those two were a quorum of its first view, and are none any more.
 */
export function runFormerView(tell: (text: string) => void): CoreCluster {
  const cluster = servingCluster(3);
  const name = new ClaimedName(cluster, tell);
  const first = coordinator(cluster);
  const [friend, third] = others(cluster, first) as [VirtualServer, VirtualServer];
  const joined = [cluster.addServer(), cluster.addServer()];
  cluster.runUntilServing();
  coordinator(cluster);
  cluster.network.partition(
    [first.name, friend.name],
    [third, ...joined].map((server) => server.name),
  );
  tell(`${first.name}, in office, is left with ${friend.name} alone`);
  name.claim(first, "a");
  const next = () => coordinators(cluster).find((server) => ![first, friend].includes(server));
  cluster.runUntil(() => next() !== undefined, "the others have one of their own");
  const second = next() as VirtualServer;
  tell(`${second.name} is in office`);
  name.claim(second, "b");
  cluster.runFor(2_000);
  cluster.network.heal();
  cluster.runUntilServing();
  coordinator(cluster);
  cluster.runUntilEqual();
  name.check();
  return cluster;
}
