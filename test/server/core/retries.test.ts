import { describe, expect, test } from "vitest";
import type { Receipt } from "../../../src/protocol/client-messages.ts";
import type { ChannelName } from "../../../src/protocol/ids.ts";
import { servingCluster } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const hello = { user: "ana", channel: "geral", message: "Olá!", id: "once" };

describe("a repeated request", () => {
  test("[R6] a request repeated on the same server takes effect once and gets the same receipt", () => {
    const cluster = servingCluster(3);
    const first = cluster.request(cluster.server(1), "publish", hello);
    const again = cluster.request(cluster.server(1), "publish", hello);
    expect(first).toMatchObject({ status: "OK", id: "once", entry: { id: "once" } });
    const { server, seq, clock, timestamp } = first.entry as Record<string, unknown>;
    expect(again).toMatchObject({ status: "OK", entry: { server, seq, clock, timestamp } });
    const page = cluster.request(cluster.server(2), "history", { channel: "geral" });
    expect(page.entries).toHaveLength(1);
  });

  test("[R6] a request repeated on another server that holds the event gets that event's receipt", () => {
    const cluster = servingCluster(3);
    const first = cluster.request(cluster.server(1), "publish", hello);
    const again = cluster.request(cluster.server(2), "publish", hello);
    const { server, seq } = first.entry as Record<string, unknown>;
    expect(again).toMatchObject({ status: "OK", entry: { server, seq } });
    expect(again.server).toBe(cluster.server(2).name);
  });

  test("[R6] a request repeated while its first copy is unanswered makes no second event", () => {
    const cluster = servingCluster(3);
    const server = cluster.server(1);
    const seq = server.disk.durable[server.name] ?? 0;
    const questions = [1, 2, 3].map(() => cluster.ask(server, "publish", hello));
    cluster.runUntil(() => questions.every(({ reply }) => reply?.status === "OK"), "all are OK");
    expect(server.disk.durable[server.name]).toBe(seq + 1);
  });

  test("[R6] a server answers a repeated request only once it counts the event as committed", () => {
    const cluster = servingCluster(3);
    const [a, b, c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    // b gets the event from a, but neither of them hears from c.
    cluster.network.partition([b.name], [c.name]);
    cluster.network.partition([a.name], [c.name]);
    a.syncMs = 1;
    b.syncMs = 400;
    cluster.ask(a, "publish", hello);
    cluster.runUntil(() => b.core.ledger.held[a.name] !== undefined, "b holds it");
    cluster.runFor(20);
    const again = cluster.ask(b, "publish", hello);
    cluster.runFor(200);
    expect(again.reply).toBeUndefined();
    cluster.runUntil(() => again.reply?.status === "OK", "b has it on disk as the second");
  });

  test("[R6] if two servers make an event of the same request at the same time, readers see only one", () => {
    const cluster = servingCluster(5);
    // Both publish at the same instant, so that neither can hold the other's event.
    const duplicates = [
      cluster.ask(cluster.server(1), "publish", hello),
      cluster.ask(cluster.server(2), "publish", hello),
    ];
    cluster.runUntil(() => duplicates.every(({ reply }) => reply?.status === "OK"), "both are OK");
    cluster.runUntilEqual();
    for (const server of cluster.servers) {
      const page = cluster.request(server, "history", { channel: "geral" });
      expect(page.entries).toMatchObject([{ id: "once" }]);
      // The state has both events.
      const channel = server.core.chat.channels.get("geral" as ChannelName);
      expect(channel?.conversation.window.entries).toHaveLength(2);
    }
    // Every server answers a retry with the receipt of the same event.
    const origins = cluster.servers.map((server) => {
      return (cluster.request(server, "publish", hello).entry as Receipt).server;
    });
    expect(new Set(origins).size).toBe(1);
  });

  test("[R6] requests with the same id but another sender, operation or target are different requests", () => {
    const cluster = servingCluster(2);
    const server = cluster.server(1);
    const id = "same";
    cluster.request(server, "channel", { channel: "other", id });
    cluster.request(server, "publish", { user: "ana", channel: "geral", message: "1", id });
    cluster.request(server, "publish", { user: "bia", channel: "geral", message: "2", id });
    cluster.request(server, "publish", { user: "ana", channel: "other", message: "3", id });
    cluster.request(server, "message", { src: "ana", dst: "bia", message: "4", id });
    cluster.request(server, "message", { src: "bia", dst: "ana", message: "5", id });
    const texts = (data: Record<string, unknown>) => {
      const { entries } = cluster.request(server, "history", data);
      return (entries as { message: string }[]).map(({ message }) => message);
    };
    expect(texts({ channel: "geral" })).toEqual(["1", "2"]);
    expect(texts({ channel: "other" })).toEqual(["3"]);
    expect(texts({ user: "ana" })).toEqual(["4", "5"]);
    expect(texts({ user: "bia" })).toEqual(["4", "5"]);
  });

  test("[R6] a request with a used id and other content is refused and makes no event", () => {
    const cluster = servingCluster(3);
    const note = { src: "ana", dst: "bia", message: "first", id: "once" };
    const page = () => ({
      channel: textsOf(cluster.server(3), { channel: "geral" }),
      user: textsOf(cluster.server(3), { user: "ana" }),
    });
    const textsOf = (server: VirtualServer, data: Record<string, string>) => {
      const { entries } = cluster.request(server, "history", data);
      return (entries as { message: string }[]).map(({ message }) => message);
    };
    cluster.request(cluster.server(1), "publish", hello);
    cluster.request(cluster.server(1), "message", note);
    for (const server of cluster.servers) {
      const reused = { status: "erro", code: "id_reused", retry: false, id: "once" };
      const other = { message: "of the second run" };
      expect(cluster.request(server, "publish", { ...hello, ...other })).toMatchObject(reused);
      expect(cluster.request(server, "message", { ...note, ...other })).toMatchObject(reused);
      // The fields `timestamp`, `clock` and `after` are not part of a request's content.
      const again = { ...hello, timestamp: "later", clock: 7, after: {} };
      expect(cluster.request(server, "publish", again).status).toBe("OK");
    }
    expect(page()).toEqual({ channel: ["Olá!"], user: ["first"] });
  });

  test("[R6] a request with a used id and other content is refused even while the first request is unanswered", () => {
    const cluster = servingCluster(3);
    const copies = ["Olá!", "Oi!", "Olá!"].map((message) => {
      return cluster.ask(cluster.server(1), "publish", { ...hello, message });
    });
    cluster.runUntil(() => copies.every(({ reply }) => reply !== undefined), "all are answered");
    expect(copies.map(({ reply }) => reply?.code ?? reply?.status)).toEqual([
      "OK",
      "id_reused",
      "OK",
    ]);
  });

  test("[R6] if different texts under one id reach several servers at once, each text is stored and shown once", () => {
    const cluster = servingCluster(5);
    const bye = { ...hello, message: "Tchau!" };
    const duplicates = [hello, bye, hello].map((data, at) => {
      return cluster.ask(cluster.server(at + 1), "publish", data);
    });
    cluster.runUntil(() => duplicates.every(({ reply }) => reply?.status === "OK"), "all are OK");
    cluster.runUntilEqual();
    for (const server of cluster.servers) {
      const page = cluster.request(server, "history", { channel: "geral" });
      const texts = (page.entries as { message: string }[]).map(({ message }) => message);
      expect(texts.toSorted()).toEqual(["Olá!", "Tchau!"]);
      // A retry with either text gets that text's receipt; a third text is refused.
      expect(cluster.request(server, "publish", hello).status).toBe("OK");
      expect(cluster.request(server, "publish", bye).status).toBe("OK");
      expect(cluster.request(server, "publish", { ...hello, message: "?" }).code).toBe("id_reused");
    }
    const receipts = [hello, bye].map((data) => {
      return cluster.servers.map((server) => {
        const entry = cluster.request(server, "publish", data).entry as Receipt;
        return `${entry.server}/${entry.seq}`;
      });
    });
    expect(receipts.map((all) => new Set(all).size)).toEqual([1, 1]);
    expect(receipts[0]?.[0]).not.toBe(receipts[1]?.[0]);
  });

  test("[R6] a server waits for all events of a request's `after` before it refuses other content under a used id", () => {
    const cluster = servingCluster(3);
    const [a, b] = [cluster.server(1), cluster.server(2)];
    const first = cluster.request(a, "publish", hello).entry as Receipt;
    cluster.runUntilEqual();
    const after = { [first.server]: first.seq + 1 };
    const other = cluster.ask(b, "publish", { ...hello, message: "Oi!", after });
    cluster.runFor(100);
    expect(other.reply).toBeUndefined();
    cluster.request(a, "publish", { ...hello, id: "another" });
    cluster.runUntil(() => other.reply?.code === "id_reused", "it is refused");
  });

  test("[R6] a repeated request to create a channel gets sucesso if it has the same id, and channel_exists if it has no id", () => {
    const cluster = servingCluster(2);
    const data = { channel: "new", id: "make" };
    for (const server of [...cluster.servers, ...cluster.servers]) {
      expect(cluster.request(server, "channel", data).status).toBe("sucesso");
    }
    expect(cluster.request(cluster.server(2), "channel", { channel: "new" }).code).toBe(
      "channel_exists",
    );
  });

  test("[R6] a login repeated with its id makes no second event", () => {
    const cluster = servingCluster(2);
    const seq = () => cluster.server(1).disk.durable[cluster.server(1).name];
    cluster.request(cluster.server(1), "login", { user: "caio", id: "in" });
    const before = seq();
    cluster.request(cluster.server(1), "login", { user: "caio", id: "in" });
    cluster.request(cluster.server(2), "login", { user: "caio", id: "in" });
    expect(seq()).toBe(before);
  });

  test("[R6] a request repeated at another server after the first server crashed takes effect once", () => {
    const cluster = servingCluster(3);
    cluster.ask(cluster.server(1), "publish", hello);
    cluster.runFor(3);
    cluster.crash(cluster.server(1));
    expect(cluster.request(cluster.server(2), "publish", hello).status).toBe("OK");
    cluster.start(cluster.server(1));
    cluster.runUntilServing();
    cluster.runUntilEqual();
    for (const server of cluster.servers) {
      expect(cluster.request(server, "history", { channel: "geral" }).entries).toHaveLength(1);
    }
  });
});
