import { describe, expect, test } from "vitest";
import { CoreCluster, servingCluster } from "../../support/core-cluster.ts";

describe("a server that joins the view", () => {
  test("[R5] a cluster's first server becomes the only member of view 1, and serves", () => {
    const cluster = new CoreCluster({ servers: 1 });
    const server = cluster.server(1);
    cluster.runUntilServing();
    expect(server.disk.view).toEqual({ number: 1, members: [server.name] });
  });

  test("a reference without a file makes no view before it has waited for the servers' reports", () => {
    const cluster = new CoreCluster({ servers: 1 });
    cluster.runFor(1_000);
    expect(cluster.registry.view.number).toBe(0);
    expect(cluster.request(cluster.server(1), "users")).toMatchObject({
      status: "erro",
      code: "unavailable",
      retry: true,
    });
  });

  test.each([2, 3, 5])(
    "%i servers become members one after the other, each by a new view",
    (count) => {
      const cluster = new CoreCluster({ servers: count });
      cluster.runUntilServing();
      cluster.runUntil(
        () => cluster.servers.every(({ disk }) => disk.view.number === count),
        "all have the last view on disk",
      );
      const names = cluster.servers.map(({ name }) => name);
      for (const { disk } of cluster.servers) expect(disk.view.members).toEqual(names);
    },
  );

  test("[R8] a server that joins later fetches all events, becomes a member and serves", () => {
    const cluster = servingCluster(2);
    for (let number = 1; number <= 30; number += 1) {
      cluster.ask(cluster.server(1), "publish", {
        user: "ana",
        channel: "geral",
        message: `${number}`,
      });
    }
    cluster.runUntilEqual();
    const late = cluster.addServer();
    expect(late.core.catchUp.phase).toBe("backfill");
    cluster.runUntilServing();
    expect(late.disk.durable).toEqual(cluster.server(1).disk.durable);
    expect(cluster.registry.view.members).toContain(late.name);
  });

  test("a server that is not yet a member answers clients with unavailable", () => {
    const cluster = servingCluster(2);
    const late = cluster.addServer();
    expect(late.inRotation).toBe(false);
    expect(cluster.request(late, "login", { user: "caio" })).toMatchObject({ code: "unavailable" });
    expect(late.disk.durable).not.toHaveProperty(late.name);
  });
});

describe("a server in the brokers' rotation", () => {
  test("[R8] a server leaves the rotation when it hears from no quorum, and returns once it hears from a quorum", () => {
    const cluster = servingCluster(3);
    const [a, b, c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    cluster.network.partition([a.name], [b.name, c.name]);
    cluster.runUntil(() => !a.inRotation, "the cut-off server leaves", 2_500);
    expect(b.inRotation && c.inRotation).toBe(true);
    expect(cluster.request(a, "users")).toMatchObject({ code: "unavailable", retry: true });
    cluster.network.heal();
    cluster.runUntil(() => a.inRotation, "it returns", 10_000);
    expect(a.core.catchUp.phase).toBe("live");
  });

  test("a server that waits for a quorum logs the names of the members that do not answer", () => {
    const cluster = servingCluster(3);
    const [a, b, c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    cluster.crash(b);
    cluster.crash(c);
    const named = `No quorum: waiting for ${b.name}, ${c.name}`;
    cluster.runUntil(() => a.logged.includes(named), "the log names them");
  });

  test("[R5] after all servers crashed, none serves until a majority of the view's members runs again", () => {
    const cluster = servingCluster(3);
    for (const server of cluster.servers) cluster.crash(server);
    const [a, b, c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    cluster.start(a);
    cluster.runFor(5_000);
    expect(a.inRotation).toBe(false);
    cluster.start(c);
    cluster.runUntil(() => a.inRotation && c.inRotation, "a majority serves");
    expect(b.isRunning).toBe(false);
  });

  test("a cluster serves requests while the reference is down", () => {
    const cluster = servingCluster(3);
    cluster.stopReference();
    cluster.runFor(6_000);
    expect(cluster.servers.map(({ inRotation }) => inRotation)).toEqual([true, true, true]);
    expect(cluster.request(cluster.server(2), "login", { user: "caio" })).toMatchObject({
      status: "sucesso",
    });
  });

  test("[R5] a reference that lost its file resumes from the view that servers report", () => {
    const cluster = servingCluster(3);
    const { view } = cluster.registry;
    cluster.stopReference();
    cluster.runFor(500);
    cluster.startReference({ lostFile: true });
    expect(cluster.registry.view.number).toBe(0);
    cluster.runUntil(() => cluster.registry.view.number > 0, "a view is reported");
    expect(cluster.registry.view).toEqual(view);
    const late = cluster.addServer();
    cluster.runUntilServing();
    expect(cluster.registry.view.number).toBe(view.number + 1);
    expect(cluster.registry.view.members).toEqual([...view.members, late.name]);
  });
});

describe("a server that leaves the view", () => {
  test("[R11] a server that leaves the cluster ends once it is out of the view", () => {
    const cluster = servingCluster(3);
    const [a, b, c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    cluster.stop(a, { leave: true });
    cluster.runUntil(() => !a.isRunning, "it ends", 9_000);
    expect(cluster.registry.view.members).toEqual([b.name, c.name]);
    expect(b.disk.view.number === 4 || c.disk.view.number === 4).toBe(true);
    expect(cluster.request(b, "login", { user: "caio" })).toMatchObject({ status: "sucesso" });
  });

  test("[R11] after a server has left the cluster, the remaining servers have all events of that server", () => {
    const cluster = servingCluster(3);
    const a = cluster.server(1);
    cluster.ask(a, "publish", { user: "ana", channel: "geral", message: "the last word" });
    cluster.stop(a, { leave: true });
    cluster.runUntil(() => !a.isRunning, "it ends", 11_000);
    cluster.runUntilEqual();
    expect(cluster.server(2).disk.durable).toEqual(a.disk.durable);
  });

  test("[R11] all but the last member can leave, one after the other", () => {
    const cluster = servingCluster(3);
    for (const server of cluster.servers) {
      cluster.stop(server, { leave: true });
      cluster.runUntil(() => !server.isRunning, "it ends", 12_000);
    }
    expect(cluster.registry.view.members).toEqual([cluster.server(3).name]);
  });

  test("[R5] a member can't leave if too few of the remaining members are running to form a quorum", () => {
    const cluster = servingCluster(3);
    const [a, b, c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    cluster.crash(c);
    cluster.runFor(2_500);
    cluster.stop(a, { leave: true });
    cluster.runUntil(() => !a.isRunning, "it gives up", 12_000);
    expect(cluster.registry.view.members).toEqual([a.name, b.name, c.name]);
  });

  test("a server that was removed from the view becomes a member again when it starts again", () => {
    const cluster = servingCluster(3);
    const c = cluster.server(3);
    cluster.crash(c);
    cluster.runFor(2_500);
    cluster.registry.remove(c.name, false, cluster.time.nowMs);
    cluster.request(cluster.server(1), "login", { user: "caio" });
    cluster.start(c);
    cluster.runUntilServing();
    cluster.runUntilEqual();
    expect(cluster.registry.view.number).toBe(5);
  });
});
