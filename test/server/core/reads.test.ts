import { describe, expect, test } from "vitest";
import type { Receipt, ReplyData } from "../../../src/protocol/client-messages.ts";
import { type CoreCluster, servingCluster } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const hello = { user: "ana", channel: "geral", message: "Olá!" };

function seenOf(reply: ReplyData): Record<string, number> {
  const { server, seq } = reply.entry as Receipt;
  return { [server]: seq };
}

function messages(reply: ReplyData): string[] {
  return (reply.entries as { message: string }[]).map(({ message }) => message);
}

describe("a client reads its own writes through any server", () => {
  test("[R9] at a server that lags, a read with `after` waits until the server covers `after`", () => {
    const cluster = servingCluster(3);
    const [a, , c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    c.syncMs = 600;
    const after = seenOf(cluster.request(a, "publish", { ...hello, after: {} }));
    const startMs = cluster.time.nowMs;
    const page = cluster.request(c, "history", { channel: "geral", after });
    expect(messages(page)).toEqual(["Olá!"]);
    expect(cluster.time.nowMs - startMs).toBeGreaterThan(300);
  });

  test("[R9] a read with `after` gets `behind` if the server can't cover `after` within 1 s", () => {
    const cluster = servingCluster(3);
    const [a, b, c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    c.syncMs = 1_300;
    const after = seenOf(cluster.request(a, "publish", { ...hello, after: {} }));
    const startMs = cluster.time.nowMs;
    const reply = cluster.request(c, "history", { channel: "geral", after });
    expect(reply).toMatchObject({ status: "erro", code: "behind", retry: true });
    expect(cluster.time.nowMs - startMs).toBeGreaterThanOrEqual(1_000);
    expect(messages(cluster.request(b, "history", { channel: "geral", after }))).toEqual(["Olá!"]);
  });

  test("[R9] after one server has acknowledged a write, reads and writes without `after` at other servers see that write", () => {
    const cluster = servingCluster(3);
    for (let round = 0; round < 12; round += 1) {
      const [writer, reader] = [
        cluster.server(1 + (round % 3)),
        cluster.server(1 + ((round + 1) % 3)),
      ];
      const channel = `c${round}`;
      expect(cluster.request(writer, "channel", { channel }).status).toBe("sucesso");
      expect(cluster.request(reader, "channels").channels).toContain(channel);
      const write = { ...hello, channel };
      expect(cluster.request(reader, "publish", write).status).toBe("OK");
      expect(messages(cluster.request(writer, "history", { channel }))).toEqual(["Olá!"]);
    }
  });

  test("[R9] if a write would fail because its server lacks an event, the write waits for that event", () => {
    const cluster = servingCluster(3);
    const [a, , c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    cluster.network.cut(a.name, c.name, ["broadcast"]);
    const after = seenOf(cluster.request(a, "channel", { channel: "new", after: {} }));
    const reply = cluster.request(c, "publish", { ...hello, channel: "new", after });
    expect(reply.status).toBe("OK");
  });

  test("[R9] a request with `after` to create an existing channel fails, even at a server that lacked the channel", () => {
    const cluster = servingCluster(3);
    const [a, , c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    cluster.network.cut(a.name, c.name, ["broadcast"]);
    const after = seenOf(cluster.request(a, "channel", { channel: "new", after: {} }));
    expect(cluster.request(c, "channel", { channel: "new", after }).code).toBe("channel_exists");
  });
});

describe("reads show only committed events", () => {
  /**
   * The third server alone holds the uncommitted events; the other disks sync only after a second.
   */
  function withUncommitted(): { cluster: CoreCluster; server: VirtualServer } {
    const cluster = servingCluster(3);
    const server = cluster.server(3);
    for (const other of [cluster.server(1), cluster.server(2)]) other.syncMs = 1_000;
    cluster.ask(server, "publish", hello);
    cluster.ask(server, "channel", { channel: "new" });
    cluster.ask(server, "login", { user: "caio" });
    cluster.runUntil(() => server.core.ledger.allDurable, "its own disk has them");
    return { cluster, server };
  }

  test("[R3] history, users and channels leave out uncommitted events", () => {
    const { cluster, server } = withUncommitted();
    expect(messages(cluster.request(server, "history", { channel: "geral" }))).toEqual([]);
    expect(cluster.request(server, "users").users).toEqual(["ana", "bia"]);
    expect(cluster.request(server, "channels").channels).toEqual(["geral"]);
    cluster.runUntilEqual();
    expect(messages(cluster.request(server, "history", { channel: "geral" }))).toEqual(["Olá!"]);
    expect(cluster.request(server, "users").users).toEqual(["ana", "bia", "caio"]);
    const reply = cluster.request(server, "channels");
    expect(reply.channels).toEqual(["geral", "new"]);
    expect(reply.users).toEqual(reply.channels);
  });

  test("[R9] a read without `after` waits at most 250 ms for uncommitted events to commit", () => {
    const { cluster, server } = withUncommitted();
    const startMs = cluster.time.nowMs;
    cluster.request(server, "users");
    const waitedMs = cluster.time.nowMs - startMs;
    expect(waitedMs).toBeGreaterThanOrEqual(250);
    expect(waitedMs).toBeLessThan(350);
  });

  test("a server answers `status` and `time` at once, and `status` even while it is outside the rotation", () => {
    const cluster = servingCluster(2);
    const late = cluster.addServer();
    const status = cluster.ask(late, "status").reply;
    expect(status).toMatchObject({ status: "OK" });
    expect(status?.members).toHaveLength(1);
    expect(cluster.ask(cluster.server(1), "time").reply?.time).toMatch(/^2026-01-01T00:00:.*Z$/);
    cluster.runUntilServing();
    cluster.runFor(600);
    const all = cluster.ask(cluster.server(1), "status").reply;
    expect(all?.view).toMatchObject({ number: 3 });
    const healthy = { member: true, live: true, lag: 0, phase: "live" };
    expect(all?.members).toMatchObject([
      { name: cluster.server(1).name, rank: 1, ...healthy },
      { name: cluster.server(2).name, rank: 2, ...healthy },
      { name: late.name, rank: 3, ...healthy },
    ]);
  });
});
