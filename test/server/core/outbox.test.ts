import { describe, expect, test } from "vitest";
import type { Publication } from "../../../src/protocol/publications.ts";
import { channelTopic, userTopic } from "../../../src/protocol/topics.ts";
import { type CoreCluster, servingCluster } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const geral = channelTopic("geral" as never);
const toBia = userTopic("bia" as never);
const toAna = userTopic("ana" as never);
const hello = { user: "ana", channel: "geral", message: "Olá!", after: {} };

function publishedOn(server: VirtualServer, topic: string): unknown[] {
  return server.published.filter((sent) => sent.topic === topic).map(({ payload }) => payload);
}

/**
 * All publications of the second form on a topic, in the order in which each server sent its own.
 */
function secondForm(cluster: CoreCluster, topic: string): Publication[] {
  return cluster.servers.flatMap((server) => publishedOn(server, topic)).flat() as Publication[];
}

describe("publications", () => {
  test("[P5] a server does not publish an event until the event is committed, and then publishes the event at once", () => {
    const cluster = servingCluster(3);
    cluster.subscribe(geral);
    const [a, b, c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    b.syncMs = 500;
    c.syncMs = 500;
    const question = cluster.ask(a, "publish", hello);
    cluster.runFor(400);
    expect(a.published).toEqual([]);
    cluster.runUntil(() => a.published.length > 0, "it is published");
    expect(question.reply?.status).toBe("OK");
  });

  test("[P5] during a partition, an event without a quorum is not published; it is published after the partition has healed", () => {
    const cluster = servingCluster(3);
    cluster.subscribe(geral);
    const [a, b, c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    cluster.network.partition([a.name], [b.name, c.name]);
    expect(cluster.request(a, "publish", hello).code).toBe("unavailable");
    cluster.runFor(5_000);
    expect(a.published).toEqual([]);
    cluster.network.heal();
    cluster.runUntil(() => a.published.length === 1, "once healed, it is published");
  });

  test("[P1] [P4] the old form of a publication is sent only while somebody subscribes to the topic", () => {
    const cluster = servingCluster(3);
    const server = cluster.server(2);
    const publish = () => {
      cluster.request(server, "publish", { ...hello, timestamp: "my own time" });
      cluster.runUntilEqual();
    };
    publish();
    expect(server.published).toEqual([]);
    cluster.subscribe("geral");
    publish();
    expect(server.published).toHaveLength(1);
    expect(server.published[0]).toMatchObject({
      topic: "geral",
      payload: { user: "ana", message: "Olá!", timestamp: "my own time" },
    });
    const fields = Object.keys(server.published[0]?.payload as object).sort();
    expect(fields).toEqual(["clock", "message", "timestamp", "user"]);
    cluster.subscribe("geral", false);
    publish();
    expect(server.published).toHaveLength(1);
  });

  test("[P1] a private message in the old form has `src` and `from`, and is published only on its recipient's topic", () => {
    const cluster = servingCluster(2);
    const server = cluster.server(1);
    cluster.subscribe("bia");
    cluster.subscribe("ana");
    cluster.request(server, "message", { src: "ana", dst: "bia", message: "Oi" });
    expect(server.published).toMatchObject([
      { topic: "bia", payload: { src: "ana", from: "ana", message: "Oi" } },
    ]);
    // The sender gave no timestamp, so the server adds one.
    expect(server.published[0]?.payload).toMatchObject({
      timestamp: expect.stringMatching(/^2026-01-01T/),
      clock: expect.any(Number),
    });
  });

  test("[P2] the topics of a channel and of a user differ even if the names are equal or begin alike", () => {
    const cluster = servingCluster(2);
    const server = cluster.server(1);
    cluster.request(server, "login", { user: "geral" });
    cluster.request(server, "channel", { channel: "geral2" });
    cluster.subscribe(geral);
    cluster.request(server, "message", { src: "ana", dst: "geral", message: "for the user" });
    cluster.request(server, "publish", { ...hello, channel: "geral2" });
    expect(server.published).toEqual([]);
    cluster.request(server, "publish", hello);
    expect(server.published.map(({ topic }) => topic)).toEqual([geral]);
  });

  test("[P2] a private message is published on the topics of its sender and its recipient, each with its own `prev`", () => {
    const cluster = servingCluster(1);
    const server = cluster.server(1);
    for (const topic of [toAna, toBia]) cluster.subscribe(topic);
    const write = (src: string, dst: string) =>
      (cluster.request(server, "message", { src, dst, message: "Oi" }).entry as { seq: number })
        .seq;
    const pairs = ["ana bia", "ana ana", "bia ana", "bia bia"].map((names) => names.split(" "));
    const [first, toHerself, answer, other] = pairs.map(([src = "", dst = ""]) => write(src, dst));
    expect(secondForm(cluster, toAna)).toMatchObject([
      { seq: first, prev: 0, src: "ana", dst: "bia" },
      { seq: toHerself, prev: first },
      { seq: answer, prev: toHerself },
    ]);
    expect(secondForm(cluster, toBia)).toMatchObject([
      { seq: first, prev: 0 },
      { seq: answer, prev: first },
      { seq: other, prev: answer },
    ]);
  });

  test("[P2] a subscription to the beginning of a topic matches the topic, as in ZeroMQ", () => {
    const cluster = servingCluster(1);
    const server = cluster.server(1);
    cluster.subscribe("");
    cluster.request(server, "publish", hello);
    expect(server.published.map(({ topic }) => topic).sort()).toEqual([geral, "geral"]);
  });

  test("[P2] if several publications on a topic are committed together, the server sends them in one message", () => {
    const cluster = servingCluster(2);
    const server = cluster.server(1);
    cluster.subscribe(geral);
    const requests = ["1", "2", "3"].map((message) => {
      return { service: "publish", data: { ...hello, message } };
    });
    cluster.askPayload(server, requests);
    cluster.runUntilEqual();
    expect(publishedOn(server, geral)).toHaveLength(1);
    expect(secondForm(cluster, geral).map(({ message }) => message)).toEqual(["1", "2", "3"]);
  });

  test("[P3] `prev` is the `seq` of the same server's previous publication on the topic", () => {
    const cluster = servingCluster(2);
    cluster.subscribe(geral);
    cluster.subscribe(toBia);
    for (let round = 0; round < 4; round += 1) {
      for (const server of cluster.servers) {
        cluster.request(server, "publish", hello);
        cluster.request(server, "message", { src: "ana", dst: "bia", message: "Oi" });
      }
    }
    for (const topic of [geral, toBia]) {
      for (const server of cluster.servers) {
        const chain = publishedOn(server, topic).flat() as Publication[];
        expect(chain).toHaveLength(4);
        expect(chain.map(({ prev }) => prev)).toEqual([
          0,
          ...chain.slice(0, -1).map(({ seq }) => seq),
        ]);
        expect(chain.every((publication) => publication.server === server.name)).toBe(true);
      }
    }
  });

  test("[P3] `prev` names the previous publication even if nobody had subscribed, so a late subscriber sees the gap", () => {
    const cluster = servingCluster(1);
    const server = cluster.server(1);
    const { seq } = cluster.request(server, "publish", hello).entry as { seq: number };
    cluster.subscribe(geral);
    cluster.request(server, "publish", hello);
    expect(secondForm(cluster, geral)).toMatchObject([{ prev: seq }]);
  });

  test("[P3] a restarted server publishes the messages that were still unpublished at the crash, each with the correct `prev`", () => {
    const cluster = servingCluster(3);
    const [a, b, c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    const first = cluster.request(a, "publish", hello).entry as { seq: number };
    cluster.network.partition([a.name], [b.name, c.name]);
    cluster.ask(a, "publish", { ...hello, message: "late" });
    cluster.runUntil(() => a.disk.durable[a.name] === first.seq + 1, "it is on its own disk");
    cluster.crash(a);
    cluster.network.heal();
    cluster.start(a);
    cluster.subscribe(geral);
    cluster.runUntilServing();
    cluster.runUntilEqual();
    expect(secondForm(cluster, geral)).toMatchObject([{ message: "late", prev: first.seq }]);
  });

  test("[P3] a restarted server continues `prev` for the private messages on both users' topics", () => {
    const cluster = servingCluster(3);
    const [a, b, c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    const hi = { src: "ana", dst: "bia", message: "hi" };
    const first = cluster.request(a, "message", hi).entry as { seq: number };
    cluster.network.partition([a.name], [b.name, c.name]);
    cluster.ask(a, "message", { ...hi, src: "bia", dst: "ana", message: "late" });
    cluster.runUntil(() => a.disk.durable[a.name] === first.seq + 1, "it is on its own disk");
    cluster.crash(a);
    cluster.network.heal();
    cluster.start(a);
    for (const topic of [toAna, toBia]) cluster.subscribe(topic);
    cluster.runUntilServing();
    cluster.runUntilEqual();
    for (const topic of [toAna, toBia]) {
      expect(secondForm(cluster, topic)).toMatchObject([{ message: "late", prev: first.seq }]);
    }
  });

  test("[P5] each committed publication is sent exactly once, by its origin", () => {
    const cluster = servingCluster(3);
    cluster.subscribe(geral);
    cluster.network.broadcastLoss = 0.3;
    for (let number = 0; number < 30; number += 1) {
      cluster.ask(cluster.server(1 + (number % 3)), "publish", { ...hello, message: `${number}` });
      cluster.runFor(20);
    }
    cluster.network.heal();
    cluster.runUntilEqual();
    const texts = secondForm(cluster, geral).map(({ message }) => Number(message));
    expect(texts.sort((x, y) => x - y)).toEqual(Array.from({ length: 30 }, (_, index) => index));
  });
});
