import { describe, expect, test } from "vitest";
import type { CoordinationAnswer } from "../../../src/protocol/peer-messages.ts";
import { coordinator, others } from "../../support/coordinators.ts";
import { servingCluster } from "../../support/core-cluster.ts";

describe("questions of other servers about how far the log of decisions is", () => {
  test("[D8] a member says its highest slot only in the view that it is asked about", () => {
    const cluster = servingCluster(2);
    const server = coordinator(cluster);
    const [from] = others(cluster, server);
    if (from === undefined) throw new Error("there is one server only");
    cluster.request(server, "register", { user: "eva", password: "x" });
    const { view, committed } = from.core.replication;
    const answers: (CoordinationAnswer | undefined)[] = [];
    for (const number of [view.number - 1, view.number, view.number + 1]) {
      const own = { server: from.name, clock: from.core.clock.tick(), view };
      const summary = { ...own, durable: committed, office: undefined };
      const at = answers.push(undefined) - 1;
      cluster.hand(server, {
        type: "coordinationRequest",
        to: (answer: CoordinationAnswer) => {
          answers[at] = answer;
        },
        request: { service: "slots", ...summary, number },
      });
    }
    cluster.runFor(1_000);
    expect(answers).toMatchObject([undefined, { service: "slots", highest: 1 }, undefined]);
  });
});
