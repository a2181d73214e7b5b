import { describe, expect, test } from "vitest";
import { parseUserName } from "../../../src/protocol/ids.ts";
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
});
