import { describe, expect, test } from "vitest";
import { digest } from "../../../src/platform/digest.ts";
import { emptyChain, parseUserName, type RequestId } from "../../../src/protocol/ids.ts";
import type { ReplicationMessage } from "../../../src/protocol/peer-messages.ts";
import { newContent } from "../../../src/server/core/facts.ts";
import { coordinator } from "../../support/coordinators.ts";
import { servingCluster } from "../../support/core-cluster.ts";

type Heartbeat = ReplicationMessage & { readonly type: "heartbeat" };

describe("faults of the log of decisions that are logged", () => {
  test("[D5] two settled decisions of one slot with different content are logged as a fault", () => {
    const cluster = servingCluster(3);
    const { core, logged } = coordinator(cluster);
    core.log.add({ epoch: { view: 0, term: 1 }, slot: 2, time: 1, ops: [] });
    core.log.add({ epoch: { view: 0, term: 2 }, slot: 2, time: 2, ops: [] });
    core.log.settle({ epoch: { view: 0, term: 1 }, upTo: 2 });
    core.log.settle({ epoch: { view: 0, term: 2 }, upTo: 2 });
    core.log.add({ epoch: { view: 0, term: 3 }, slot: 1, time: 1, ops: [] });
    core.log.settle({ epoch: { view: 0, term: 3 }, upTo: 1 });
    cluster.runFor(100);
    expect(logged.filter((text) => text.includes("differ"))).toHaveLength(1);
  });

  test("[D5] a member whose decisions differ is logged once, however many slots are applied later", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const peer = cluster.servers.find((server) => server !== first);
    const heartbeats: Heartbeat[] = [];
    for (const user of ["eva", "leo"]) {
      cluster.request(first, "register", { user, password: "x" });
      const { core } = first;
      const { view, durable } = { view: core.replication.view, durable: {} };
      heartbeats.push({
        ...{ type: "heartbeat", server: peer?.name, clock: 1, view, durable, office: undefined },
        ...{ address: peer?.address, phase: "live", rate: 0, chains: {}, takesAcks: true },
        applied: { slot: core.log.applied, digest: emptyChain },
      } as unknown as Heartbeat);
    }
    for (const message of heartbeats) cluster.hand(first, { type: "replication", message });
    cluster.runFor(10);
    expect(first.logged.filter((text) => text.includes("differs here and at"))).toHaveLength(1);
  });

  test("[D6] a server that takes in a state beyond an unknown operation no longer says that it has stopped there", () => {
    const { log } = newContent(digest, undefined);
    const epoch = { view: 1, term: 1 };
    const unknown = { kind: "new", by: parseUserName("eva"), id: "1" as RequestId, since: 0 };
    log.add({ epoch, slot: 1, time: 1, ops: [unknown] });
    log.settle({ epoch, upTo: 1 });
    expect(log.unknownKind).toBe("new");
    log.takeHead({ applied: 2, digest: emptyChain, time: 1 });
    log.take([], []);
    expect([log.applied, log.unknownKind]).toEqual([2, undefined]);
  });
});
