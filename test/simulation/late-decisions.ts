import { digest } from "../../src/platform/digest.ts";
import type { RequestId, UserName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { DecisionLog } from "../../src/server/core/decisions/decision-log.ts";
import { newContent } from "../../src/server/core/facts.ts";
import { assertPromise } from "../support/check-promises.ts";
import { coordinator, coordinators, others } from "../support/coordinators.ts";
import { type CoreCluster, checkpointText, servingCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import { forward } from "./operator.ts";
import { RacedName } from "./raced-name.ts";

/**
 * A coordinator that is cut off proposes three decisions, which nobody else gets. The next
 * coordinator decides something else in the first of these slots. When the first coordinator is back,
 * the next coordinator is still in its term, and must propose the other two decisions again; the first is void.
 */
export function runLateDecisions(tell: (text: string) => void): CoreCluster {
  const cluster = servingCluster(3);
  const { first, second } = divide(cluster, tell, (server) => {
    for (const [at, user] of ["uma", "duas", "tres"].entries()) {
      cluster.ask(server, "register", { user, password: "x", id: user });
      cluster.runUntil(() => hasOnDisk(server, at + 1), "the decision is on its disk");
    }
  });
  cluster.request(second, "register", { user: "nova", password: "x", id: "n" });
  cluster.network.heal();
  cluster.runUntil(() => {
    return cluster.servers.every(({ core }) => core.log.applied === 3 && !hasOpen(core));
  }, "all have applied the three slots");
  tell(`${first.name} is back: all three slots are settled`);
  cluster.runUntilEqual();
  checkEqual(cluster);
  for (const { name, core } of cluster.servers) {
    const owners = ["nova", "uma", "duas", "tres"].map((user) => {
      return core.accounts.owner(user as UserName) !== undefined;
    });
    const text = `${name} has applied something else: ${owners}`;
    assertPromise(owners.join() === "true,false,true,true", "D3", text);
  }
  return cluster;
}

/**
 * Two coordinators in a row propose different decisions of one slot, and the second one tells its
 * client the outcome. It fails before others have its mark. The third coordinator has both decisions,
 * and must propose that of the second one.
 */
export function runTwoEpochs(tell: (text: string) => void): CoreCluster {
  const cluster = servingCluster(3);
  const name = new RacedName(cluster, tell);
  const { first, second } = divide(cluster, tell, (server) => {
    name.claim(server, "a");
    cluster.runUntil(() => hasOnDisk(server, 1), "the decision is on its disk");
  });
  let isTold = false;
  const onTold = () => {
    isTold = true;
  };
  name.claim(second, "b", { onTold });
  // It is cut off before others can get its mark.
  cluster.runUntil(() => second.core.log.applied === 1, "the second one applies it");
  cluster.network.partition(
    [second.name],
    others(cluster, second).map(({ name: other }) => other),
  );
  cluster.runUntil(() => isTold, "the second one tells");
  cluster.crash(second);
  tell(`${second.name} is cut from power`);
  cluster.network.heal();
  cluster.runUntil(() => first.core.log.applied === 1, "the slot is settled");
  cluster.start(second);
  cluster.runUntilServing();
  coordinator(cluster);
  cluster.runUntilEqual();
  checkEqual(cluster);
  name.check();
  return cluster;
}

/**
 * A copy of a user's first operation comes after as many later ones as the log remembers. It expires:
 * the log does not know any more whether the operation was done (D9).
 */
export function runLateCopy(tell: (text: string) => void): CoreCluster {
  const cluster = servingCluster(2);
  const server = coordinator(cluster);
  const [from] = others(cluster, server) as [VirtualServer];
  const decide = (number: number): string => {
    const fields = { kind: "rehash", credential: "x", from: "y", since: 0 };
    const operation = { ...fields, by: "uma" as UserName, id: `op-${number}` as RequestId };
    let outcome: string | undefined;
    forward(cluster, { operation, server, from }, (end) => {
      outcome = end.outcome;
    });
    cluster.runUntil(() => outcome !== undefined, "it is decided");
    return outcome as string;
  };
  const first = decide(0);
  for (let number = 1; number <= limits.keptOperations; number += 1) decide(number);
  const copied = decide(0);
  tell(`the operation is ${first}, its copy ${copied}`);
  assertPromise(copied === "expired", "D9", `the copy of an operation is ${copied}`);
  cluster.runUntilEqual();
  checkEqual(cluster);
  return cluster;
}

/**
 * A replica with an open decision fetches the state of one that is further and lacks that decision. The
 * replica said before that it has the decision, so nobody sends it again: it must keep it (D6).
 */
export function runFetchedState(tell: (text: string) => void): void {
  const epoch = { view: 1, term: 1 };
  const decide = (log: DecisionLog, slot: number) => log.add({ epoch, slot, time: 1, ops: [] });
  const further = newContent(digest, undefined).log;
  const own = newContent(digest, undefined).log;
  for (const slot of [1, 2]) decide(further, slot);
  further.settle({ epoch, upTo: 2 });
  decide(own, 3);
  own.takeHead(further.head);
  own.take(further.open(), further.marks());
  tell(`after the fetched state ${own.applied} slots are applied, ${own.open().length} open`);
  assertPromise(own.open().length === 1, "D6", "an open decision is lost by a fetched state");
}

/** Cuts the coordinator off, lets it propose something, and waits for another coordinator. */
function divide(
  cluster: CoreCluster,
  tell: (text: string) => void,
  propose: (first: VirtualServer) => void,
) {
  const first = coordinator(cluster);
  const rest = others(cluster, first).map(({ name }) => name);
  cluster.network.partition([first.name], rest);
  propose(first);
  tell(`${first.name}, coordinator, is cut off with ${first.core.log.open().length} decisions`);
  const next = () => coordinators(cluster).find((server) => server !== first);
  cluster.runUntil(() => next() !== undefined, "the others have one of their own");
  const second = next() as VirtualServer;
  tell(`${second.name} is coordinator`);
  return { first, second };
}

function hasOnDisk({ core }: VirtualServer, decisions: number): boolean {
  return core.log.open().length === decisions && core.ledger.allDurable;
}

function hasOpen({ log }: VirtualServer["core"]): boolean {
  return log.open().length > 0;
}

function checkEqual(cluster: CoreCluster): void {
  const texts = new Set(cluster.servers.map(checkpointText));
  assertPromise(texts.size === 1, "R4", "servers with the same events have different states");
}
