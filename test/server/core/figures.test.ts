import { describe, expect, test } from "vitest";
import type { Figures } from "../../../src/server/core/figures.ts";
import { coordinator, cutOff } from "../../support/coordinators.ts";
import { type CoreCluster, servingCluster } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

function figures({ shell }: VirtualServer): Figures {
  const found = shell?.figures;
  if (found === undefined) throw new Error("the server has no core");
  return found;
}

function publish(cluster: CoreCluster, server: VirtualServer, id: string) {
  const data = { user: "ana", channel: "geral", message: "hello", id };
  return cluster.request(server, "publish", data);
}

describe("[O50] what a server counts about itself", () => {
  test("a server counts a write that an earlier copy of the request has made, and publishes its message once", () => {
    const cluster = servingCluster(3);
    const server = cluster.server(1);
    const before = figures(server);
    publish(cluster, server, "a");
    publish(cluster, server, "a");
    cluster.runUntilEqual();
    const after = figures(server);
    expect(after.repeatedWrites - before.repeatedWrites).toBe(1);
    expect(after.published - before.published).toBe(1);
    expect(after.unpublished).toBe(0);
  });

  test("a server that was cut off counts the gap, and the events that it fetched afterwards", () => {
    const cluster = servingCluster(3);
    const [writer, absent] = [cluster.server(1), cluster.server(3)];
    const before = figures(absent);
    cutOff(cluster, absent);
    publish(cluster, writer, "a");
    publish(cluster, writer, "b");
    cluster.network.heal();
    publish(cluster, writer, "c");
    cluster.runUntilEqual();
    expect(figures(absent).fetchedEvents).toBeGreaterThanOrEqual(before.fetchedEvents + 2);
    expect(figures(absent).gaps).toBeGreaterThan(before.gaps);
    expect(figures(writer).gaps).toBe(0);
  });

  test("a server whose disk has lost events reports that it is repairing, and counts the repair", () => {
    const cluster = servingCluster(3);
    const server = cluster.server(3);
    cluster.kill(server);
    server.disk.rot(0);
    cluster.start(server);
    cluster.runUntil(() => server.shell?.figures?.missesEvents === true, "it lacks events");
    cluster.runUntil(() => server.shell?.figures?.missesEvents === false, "it is repaired");
    expect(figures(server).repairs).toBe(1);
  });

  test("each operation counts once at the server that decides it, by its outcome, and no operation or password stays open", () => {
    const cluster = servingCluster(3);
    const server = coordinator(cluster);
    cluster.request(server, "register", { user: "eva", password: "x", id: "a" });
    cluster.request(server, "register", { user: "eva", password: "y", id: "b" });
    const { operations, openOperations, openPasswords } = figures(server);
    // The second claim is refused by what is decided for good, without another decision.
    expect(operations).toEqual({ done: 1 });
    expect([openOperations, openPasswords]).toEqual([0, 0]);
  });
});
