import { describe, expect, test } from "vitest";
import type { Receipt } from "../../../src/protocol/client-messages.ts";
import { others } from "../../support/coordinators.ts";
import { deploy, furnish } from "../../support/hook-scene.ts";

describe("a request for a hook that two servers have carried out", () => {
  test("[R9] [Q17] a hook is listed although a copy of its request is not yet committed", () => {
    const { scene, ana, make } = furnish();
    const { cluster } = scene;
    const third = cluster.server(3);
    // Nobody gets the third server's copy, which stands behind the other one.
    for (const { name } of others(cluster, third)) cluster.network.cutOneWay(third.name, name);
    for (let count = 0; count < 100; count += 1) cluster.ask(third, "time");
    cluster.ask(third, "hook", { ...deploy, id: "1", token: ana });
    const { hook, entry } = make({ id: "1" });
    const { made } = third.core.chat.hooks;
    cluster.runUntil(() => made.all().length === 2, "the third server has both copies");
    const { server, seq } = entry as Receipt;
    const asked = { user: "ana", token: ana, after: { [server]: seq } };
    const { hooks } = scene.ask("hooks", asked, third);
    expect(hooks).toMatchObject([{ id: hook }]);
  });
});
