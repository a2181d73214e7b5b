import { coordinator, coordinators, others } from "../support/coordinators.ts";
import { type CoreCluster, servingCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import { RacedName } from "./raced-name.ts";

/**
 * Two servers join. A quorum of the view with both may share no member with a quorum of the first
 * view. The third old member and the two new servers elect a coordinator. The old coordinator
 * reaches only one other member: the two are a quorum of the first view, but not of the newest.
 */
export function runFormerView(tell: (text: string) => void): CoreCluster {
  const { cluster, name } = claimInBoth("eva", tell);
  name.check();
  return cluster;
}

/**
 * The same run as `runFormerView`, but with two names that look the same. Then a coordinator that
 * has seen both claims is elected, and the client of the older claim asks again.
 */
export function runLookAlikes(tell: (text: string) => void): CoreCluster {
  const { cluster, name } = claimInBoth("Eva", tell);
  const second = coordinator(cluster);
  cluster.kill(second);
  const third = coordinator(cluster);
  tell(`${third.name} is coordinator`);
  cluster.start(second);
  cluster.runUntilServing();
  name.claim(third, "a");
  cluster.runFor(2_000);
  cluster.runUntilEqual();
  name.check();
  return cluster;
}

/** @param secondName the name that is claimed at the coordinator of the newer view */
function claimInBoth(secondName: string, tell: (text: string) => void) {
  const cluster = servingCluster(3);
  const name = new RacedName(cluster, tell);
  const first = coordinator(cluster);
  const [friend, third] = others(cluster, first) as [VirtualServer, VirtualServer];
  const joined = [cluster.addServer(), cluster.addServer()];
  cluster.runUntilServing();
  coordinator(cluster);
  cluster.network.partition(
    [first.name, friend.name],
    [third, ...joined].map((server) => server.name),
  );
  tell(`${first.name}, coordinator, is left with ${friend.name} alone`);
  name.claim(first, "a");
  const next = () => coordinators(cluster).find((server) => ![first, friend].includes(server));
  cluster.runUntil(() => next() !== undefined, "the others have one of their own");
  const second = next() as VirtualServer;
  tell(`${second.name} is coordinator`);
  name.claim(second, "b", { as: secondName });
  cluster.runFor(2_000);
  cluster.network.heal();
  cluster.runUntilServing();
  coordinator(cluster);
  cluster.runUntilEqual();
  return { cluster, name };
}
