import { describe, expect, test } from "vitest";
import { parseUserName, type RequestId } from "../../../src/protocol/ids.ts";
import { Scene } from "../../support/account-scene.ts";
import { coordinator, others } from "../../support/coordinators.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const eva = parseUserName("eva");

describe("answers that tell of an operation", () => {
  test("[R9] if a request has no `after`, the answer of a server that learns the outcome from the coordinator waits until the server itself has applied the operation", () => {
    const scene = new Scene();
    const { cluster } = scene;
    const first = coordinator(cluster);
    const [server, other] = others(cluster, first) as [VirtualServer, VirtualServer];
    cluster.kill(other);
    cluster.runFor(3_000);
    const reply = scene.ask("register", { user: "eva", password: "x" }, server);
    expect(reply).toMatchObject({ status: "OK" });
    expect(server.core.accounts.owner(eva)).toBeDefined();
    const login = scene.ask("login", { user: "eva", password: "x" }, server);
    expect(login).toMatchObject({ status: "sucesso" });
  });

  test("[D8] the answer to an operation that the log has refused has the operation's slot, and waits as the others do", () => {
    const scene = new Scene();
    const { cluster } = scene;
    const first = coordinator(cluster);
    const [server, other] = others(cluster, first) as [VirtualServer, VirtualServer];
    cluster.kill(other);
    cluster.runFor(3_000);
    let refused = 0;
    for (let round = 0; round < 8; round += 1) {
      const user = parseUserName(`user${round}`);
      const asked = [first, server].map((one) => {
        const data = { user, password: one.name, id: one.name };
        return cluster.ask(one, "register", data);
      });
      const lost = asked[1] as (typeof asked)[number];
      cluster.runUntil(() => lost.reply !== undefined, "an answer");
      expect(lost.reply).toMatchObject({ code: "name_taken" });
      const { applied } = server.core.log;
      cluster.runFor(100);
      const decided = server.core.log.find(user, server.name as string as RequestId);
      // Without a decision, the server knew the account already once the password was hashed.
      if (decided === undefined) continue;
      refused += 1;
      expect(lost.reply?.slot).toBe(decided.slot);
      expect(applied).toBeGreaterThanOrEqual(decided.slot);
    }
    expect(refused).toBeGreaterThan(0);
  });
});
