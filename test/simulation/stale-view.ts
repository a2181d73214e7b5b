import { type CoreCluster, servingCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import { SimulationChecks } from "./checks.ts";

/**
 * A member is cut off while two servers join. Then its event reaches one other member, whose
 * acknowledgement names the newest view. While the first member saves that view, the two members
 * are a quorum of the first member's old view, but not of the newest. The event must not count as
 * committed.
 */
export function runStaleView(tell: (text: string) => void): CoreCluster {
  const cluster = servingCluster(3);
  cluster.checks = new SimulationChecks(tell);
  const [first, friend, third] = cluster.servers as [VirtualServer, VirtualServer, VirtualServer];
  const { network } = cluster;
  network.partition([first.name], [friend.name, third.name, "reference"]);
  cluster.ask(first, "publish", { user: "ana", channel: "geral", message: "hello" });
  cluster.runUntil(() => first.core.ledger.allDurable, "it is on one disk");
  tell(`${first.name} is cut off, and has written something`);
  const joined = [cluster.addServer(), cluster.addServer()];
  const joinedNames = joined.map(({ name }) => name);
  network.partition([first.name], joinedNames);
  const isAdopted = () => friend.core.replication.view.members.length === 5;
  cluster.runUntil(isAdopted, "there is a view of five");
  first.syncMs = 3_000;
  network.heal();
  network.partition([first.name, friend.name], [third.name, ...joinedNames]);
  const written = first.core.ledger.durable[first.name];
  const isCopied = () => friend.core.ledger.durable[first.name] === written;
  cluster.runUntil(isCopied, "it is on two disks of five");
  tell(`${friend.name} has it too`);
  cluster.runFor(1_000);
  first.syncMs = 1;
  network.heal();
  cluster.runUntilServing();
  cluster.runUntilEqual();
  return cluster;
}
