import { durations } from "../../src/protocol/limits.ts";
import { coordinator, others } from "../support/coordinators.ts";
import { type CoreCluster, servingCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import { RacedName } from "./raced-name.ts";

/**
 * A schedule that random faults seldom produce. A member that no longer hears the coordinator
 * becomes a candidate. Only the coordinator promises the next epoch to the candidate; the third
 * member hears nothing of the candidate. At that moment the old coordinator proposes a decision,
 * and the third member accepts it. The coordinator must not accept the decision itself, because it
 * has promised a higher epoch: the candidate, elected with the promise, does not know of the decision.
 */
export function runRivals(tell: (text: string) => void): CoreCluster {
  const cluster = servingCluster(3);
  const name = new RacedName(cluster, tell);
  const first = coordinator(cluster);
  const [rival, third] = others(cluster, first) as [VirtualServer, VirtualServer];
  const { network } = cluster;
  const { term } = first.core.promised.epoch;
  const promises = (server: VirtualServer) => () => server.core.promised.epoch.term > term;
  const deafen = () => {
    network.cut(first.name, rival.name, ["broadcast"]);
    network.cut(rival.name, third.name, ["peer"]);
    network.cutOneWay(rival.name, third.name, ["broadcast"]);
  };
  deafen();
  network.cut(first.name, rival.name);
  cluster.runUntil(promises(rival), "the rival stands");
  // The rival asks again, and the old coordinator now gets the request.
  network.heal();
  deafen();
  cluster.runUntil(promises(first), "the old coordinator promises the rival its epoch");
  tell(`${first.name}, coordinator, promises an epoch to ${rival.name}`);
  const a = claimAndWatch(name, first, "a");
  const stands = () => rival.core.terms.highestEpoch.term > term;
  cluster.runUntil(stands, "the rival has the promise");
  network.cut(first.name, rival.name);
  name.claim(rival, "b");
  const isOver = () => a.isTold || first.core.election.ownEpoch === undefined;
  cluster.runUntil(isOver, "the coordinator tells the outcome, or gives up");
  letRivalTakeOver(cluster, [first, rival], tell);
  name.check();
  return cluster;
}

/**
 * A member has been asked to accept a decision that is not on its disk yet when it promises a higher
 * epoch. It must not accept the decision later: the candidate, elected with the promise, does not
 * know of it.
 */
export function runFence(tell: (text: string) => void): CoreCluster {
  const cluster = servingCluster(3);
  const name = new RacedName(cluster, tell);
  const first = coordinator(cluster);
  const [rival, third] = others(cluster, first) as [VirtualServer, VirtualServer];
  const { network } = cluster;
  const { term } = first.core.promised.epoch;
  network.cut(first.name, rival.name);
  network.cutOneWay(rival.name, third.name, ["broadcast"]);
  network.cut(rival.name, third.name, ["peer"]);
  cluster.runUntil(() => rival.core.promised.epoch.term > term, "the rival stands");
  // The rival asks again soon, and then the third member gets the request.
  cluster.runFor(durations.peerRequestMs + durations.askAgainMs - 100);
  third.syncMs = 300;
  const a = claimAndWatch(name, first, "a");
  cluster.runUntil(() => third.core.log.open().length > 0, "the third member gets the decision");
  third.syncMs = 1;
  network.heal();
  network.cut(first.name, rival.name);
  network.cutOneWay(rival.name, third.name, ["broadcast"]);
  const stands = () => rival.core.terms.highestEpoch.term > term;
  cluster.runUntil(stands, "the rival has the third member's promise");
  tell(`${third.name} has promised an epoch to ${rival.name}`);
  network.cutOneWay(third.name, rival.name, ["peer"]);
  name.claim(rival, "b");
  const isOver = () => a.isTold || first.core.election.ownEpoch === undefined;
  cluster.runUntil(isOver, "the coordinator tells the outcome, or gives up");
  letRivalTakeOver(cluster, [first, rival], tell);
  name.check();
  return cluster;
}

/**
 * A candidate is promised its epoch by a member that has a settled decision, which the candidate lacks
 * and can't fetch. It must not become coordinator without that decision.
 */
export function runMissingDecision(tell: (text: string) => void): CoreCluster {
  const cluster = servingCluster(5);
  const name = new RacedName(cluster, tell);
  const first = coordinator(cluster);
  const [rival, ...rest] = others(cluster, first) as [VirtualServer, ...VirtualServer[]];
  const promisers = rest.slice(0, 2).map((server) => server.name);
  const [last] = rest.slice(2) as [VirtualServer];
  const { network } = cluster;
  const { term } = first.core.promised.epoch;
  network.cut(first.name, rival.name);
  for (const { name: other } of rest) network.cut(rival.name, other, ["peer"]);
  cluster.runUntil(() => rival.core.promised.epoch.term > term, "the rival stands");
  // The rival asks again soon, and then two members get the request.
  cluster.runFor(durations.peerRequestMs + durations.askAgainMs - 100);
  const a = claimAndWatch(name, first, "a");
  cluster.runUntil(() => a.isTold, "the coordinator tells the outcome");
  name.claim(rival, "b");
  network.heal();
  network.partition([rival.name], [first.name]);
  network.cut(rival.name, last.name, ["peer"]);
  const stands = () => rival.core.terms.highestEpoch.term > term;
  const endMs = cluster.time.nowMs + durations.askAgainMs;
  cluster.runUntil(() => stands() || cluster.time.nowMs >= endMs, "two members promise an epoch");
  network.heal();
  network.partition([rival.name], promisers);
  const isNext = () =>
    cluster.servers.some(({ core }) => {
      return core.election.ownEpoch !== undefined && core.election.ownEpoch.term > term;
    });
  cluster.runUntil(isNext, "there is another coordinator");
  endRivalry(cluster);
  name.check();
  return cluster;
}

function claimAndWatch(name: RacedName, server: VirtualServer, id: string): { isTold: boolean } {
  const watched = { isTold: false };
  const onTold = () => {
    watched.isTold = true;
  };
  name.claim(server, id, { onTold });
  return watched;
}

/** Lets the rival take over without the former coordinator, and ends the schedule. */
function letRivalTakeOver(
  cluster: CoreCluster,
  [first, rival]: readonly [VirtualServer, VirtualServer],
  tell: (text: string) => void,
): void {
  cluster.network.heal();
  cluster.network.cut(first.name, rival.name);
  const isNext = () => rival.core.election.ownEpoch !== undefined;
  cluster.runUntil(isNext, "the rival is coordinator");
  tell(`${rival.name} is coordinator`);
  endRivalry(cluster);
}

/** Ends all cuts when a new coordinator has had time, and waits until all servers are equal. */
function endRivalry(cluster: CoreCluster): void {
  cluster.runFor(2_000);
  cluster.network.heal();
  cluster.runUntilServing();
  coordinator(cluster);
  cluster.runUntilEqual();
}
