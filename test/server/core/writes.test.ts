import { describe, expect, test } from "vitest";
import type { Receipt, ReplyData } from "../../../src/protocol/client-messages.ts";
import { servingCluster } from "../../support/core-cluster.ts";
import { serverName } from "../../support/event-lines.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const hello = { user: "ana", channel: "geral", message: "Olá!", after: {} };

/** The number of servers that have the event on disk. */
function holders(servers: readonly VirtualServer[], { server, seq }: Receipt): number {
  return servers.filter(({ disk }) => (disk.durable[server] ?? 0) >= seq).length;
}

function receiptOf(reply: ReplyData): Receipt {
  return reply.entry as Receipt;
}

describe("a write", () => {
  test("[R3] a server does not answer a write until a quorum has the event on disk, and then answers at once", () => {
    const cluster = servingCluster(5);
    const [first, ...others] = cluster.servers as [VirtualServer, ...VirtualServer[]];
    // The disks sync one after the other, the server's own disk first.
    for (const [index, other] of others.entries()) other.syncMs = 100 * (index + 1);
    const seq = (first.disk.durable[first.name] ?? 0) + 1;
    const event = { server: first.name, seq } as Receipt;
    const question = cluster.ask(first, "publish", hello);
    cluster.runUntil(() => holders(cluster.servers, event) === 2, "two have it on disk");
    cluster.runFor(80);
    expect(question.reply).toBeUndefined();
    cluster.runUntil(() => question.reply !== undefined, "the reply leaves");
    expect(holders(cluster.servers, event)).toBe(3);
    expect(question.reply).toMatchObject({ status: "OK", entry: event });
  });

  test("[R3] the receipt of a write names the replicas with the event on disk", () => {
    const cluster = servingCluster(3);
    cluster.server(3).syncMs = 5_000;
    const { server, durable, id, seq } = receiptOf(
      cluster.request(cluster.server(1), "publish", hello),
    );
    expect([...durable].sort()).toEqual([cluster.server(1).name, cluster.server(2).name]);
    expect(id).toBe(`${server}/${seq}`);
  });

  test("[R3] a write is answered only once the origin and a second server have the event on disk", () => {
    const cluster = servingCluster(3);
    const first = cluster.server(1);
    first.syncMs = 700;
    const question = cluster.ask(first, "publish", hello);
    // The origin sends an event only once the event is on its own disk (R2).
    cluster.runFor(600);
    expect(question.reply).toBeUndefined();
    cluster.runUntil(() => question.reply !== undefined, "the reply leaves");
    expect(holders(cluster.servers, receiptOf(question.reply as ReplyData))).toBeGreaterThan(1);
  });

  test("[R3] a write without a quorum gets unavailable after 2 s, and its event reaches all servers after the partition", () => {
    const cluster = servingCluster(3);
    const first = cluster.server(1);
    for (const other of cluster.servers.slice(1))
      cluster.network.partition([first.name], [other.name]);
    const startMs = cluster.time.nowMs;
    const reply = cluster.request(first, "publish", hello);
    expect(reply).toMatchObject({ status: "erro", code: "unavailable", retry: true });
    expect(reply.message).toBe(reply.description);
    const waitedMs = cluster.time.nowMs - startMs;
    expect(waitedMs).toBeGreaterThanOrEqual(2_000);
    expect(waitedMs).toBeLessThan(2_100);
    cluster.network.heal();
    cluster.runUntilEqual();
    const page = cluster.request(cluster.server(2), "history", { channel: "geral" });
    expect(page.entries).toMatchObject([{ message: "Olá!" }]);
  });

  test("[R3] a server without a quorum answers `unavailable` early enough for the reply to reach the client", () => {
    const cluster = servingCluster(3);
    cluster.network.partition([serverName(1)], [serverName(2), serverName(3)]);
    const question = cluster.ask(cluster.server(1), "publish", hello);
    cluster.runUntil(() => question.reply !== undefined, "the reply leaves");
    expect(question.reply).toMatchObject({ code: "unavailable" });
    expect(question.isLost).toBe(false);
  });

  test("[R9] a write of a client without `after` waits for all live members, 250 ms at most", () => {
    const cluster = servingCluster(3);
    const third = cluster.server(3);
    const { after: _, ...plain } = hello;
    third.syncMs = 150;
    let reply = receiptOf(cluster.request(cluster.server(1), "publish", plain));
    expect(holders(cluster.servers, reply)).toBe(3);
    third.syncMs = 2_000;
    const startMs = cluster.time.nowMs;
    reply = receiptOf(cluster.request(cluster.server(1), "publish", plain));
    expect(holders(cluster.servers, reply)).toBe(2);
    const waitedMs = cluster.time.nowMs - startMs;
    expect(waitedMs).toBeGreaterThanOrEqual(250);
    expect(waitedMs).toBeLessThan(350);
  });

  test("[R9] a write of a client without `after` does not wait for a member that crashed", () => {
    const cluster = servingCluster(3);
    cluster.crash(cluster.server(3));
    cluster.runFor(1_600);
    const { after: _, ...plain } = hello;
    const startMs = cluster.time.nowMs;
    expect(cluster.request(cluster.server(1), "publish", plain).status).toBe("OK");
    expect(cluster.time.nowMs - startMs).toBeLessThan(100);
  });

  test("[R2] events that come during a sync share the next sync", () => {
    const cluster = servingCluster(1);
    const server = cluster.server(1);
    server.syncMs = 10;
    const startMs = cluster.time.nowMs;
    const questions = Array.from({ length: 500 }, () => cluster.ask(server, "publish", hello));
    cluster.runUntil(() => questions.every(({ reply }) => reply?.status === "OK"), "all are OK");
    // One sync is for the first event, and one for all events that came during that sync.
    expect(cluster.time.nowMs - startMs).toBe(20);
  });

  test("[R7] an event has a higher clock than all events that its server saw earlier, even after a crash", () => {
    const cluster = servingCluster(3);
    let last = 0;
    for (let round = 0; round < 4; round += 1) {
      for (const server of cluster.servers) {
        const { clock } = receiptOf(
          cluster.request(server, "publish", { ...hello, after: undefined }),
        );
        expect(clock).toBeGreaterThan(last);
        last = clock;
      }
      const server = cluster.server(1 + (round % 3));
      cluster.crash(server);
      cluster.start(server);
      cluster.runUntilServing();
    }
  });
});

describe("writes and replies", () => {
  test.each([
    ["publish", { user: "ana", channel: "nowhere", message: "x" }, "channel_not_found"],
    ["publish", { user: "nobody", channel: "geral", message: "x" }, "user_not_found"],
    ["message", { src: "ana", dst: "nobody", message: "x" }, "user_not_found"],
    ["message", { src: "nobody", dst: "ana", message: "x" }, "user_not_found"],
    ["channel", { channel: "geral" }, "channel_exists"],
  ])("[W8] the request %s %j is refused: %s", (service, data, code) => {
    const cluster = servingCluster(2);
    const before = { ...cluster.server(1).disk.durable };
    const reply = cluster.request(cluster.server(1), service, data);
    expect(reply).toMatchObject({ status: "erro", code, retry: false });
    expect(typeof reply.description).toBe("string");
    if (service !== "channel") expect(reply.message).toBe(reply.description);
    expect(cluster.server(1).disk.durable).toEqual(before);
  });

  test("[W8] the services login and channel answer with status sucesso, publish and message with status OK", () => {
    const cluster = servingCluster(2);
    const server = cluster.server(2);
    expect(cluster.request(server, "login", { user: "ana" }).status).toBe("sucesso");
    expect(cluster.request(server, "channel", { channel: "new" }).status).toBe("sucesso");
    expect(cluster.request(server, "publish", hello).status).toBe("OK");
    const reply = cluster.request(server, "message", { src: "ana", dst: "bia", message: "Oi" });
    expect(reply.status).toBe("OK");
  });

  test("[W2] a server answers an array with an array in the same order, and one failed request does not affect the others", () => {
    const cluster = servingCluster(3);
    const question = cluster.askPayload(cluster.server(2), [
      { service: "channel", data: { channel: "batch", id: "one" } },
      { service: "publish", data: { user: "ana", channel: "batch", message: "first" } },
      { service: "nonsense", data: {} },
      7,
      { service: "publish", data: { user: "ana", channel: "missing", message: "x" } },
      { service: "users", data: { after: {} } },
    ]);
    cluster.runUntil(() => question.replies !== undefined, "the replies");
    const replies = question.replies ?? [];
    expect(replies.map(({ service, data }) => [service, data.code ?? data.status])).toEqual([
      ["channel", "sucesso"],
      ["publish", "OK"],
      ["nonsense", "unknown_service"],
      ["error", "bad_request"],
      ["publish", "channel_not_found"],
      ["users", "OK"],
    ]);
    expect(replies[0]?.data.id).toBe("one");
    // All replies were sent at one instant, and name the server that served them (W6).
    expect(new Set(replies.map(({ data }) => data.clock)).size).toBe(1);
    expect(new Set(replies.map(({ data }) => data.server))).toEqual(
      new Set([cluster.server(2).name]),
    );
  });

  test("[W5] a reply's clock is above the request's", () => {
    const cluster = servingCluster(1);
    const { clock } = cluster.request(cluster.server(1), "users", { clock: 5_000 });
    expect(clock).toBeGreaterThan(5_000);
  });

  test.each([undefined, "12", -5, 3.5, 2 ** 53, 2 ** 63, true, null])(
    "[W4] a request with the clock %s is answered as if its clock were 0, and is counted in the status",
    (clock) => {
      const cluster = servingCluster(1);
      const status = () => cluster.request(cluster.server(1), "status", { clock: 1 });
      const { clock: before, disbelievedClocks } = status();
      const reply = cluster.request(cluster.server(1), "users", { clock });
      expect(reply.users).toEqual(["ana", "bia"]);
      expect(reply.clock).toBeGreaterThan(before);
      expect(reply.clock).toBeLessThan(before + 100);
      expect(status().disbelievedClocks).toBe(Number(disbelievedClocks) + 1);
    },
  );
});
