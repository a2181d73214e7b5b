import { describe, expect, test } from "vitest";
import type { ReplyData } from "../../../src/protocol/client-messages.ts";
import { compareOrder } from "../../../src/protocol/event.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import type { ChannelEntry } from "../../../src/protocol/publications.ts";
import type { Vector } from "../../../src/protocol/vector.ts";
import { Conversation } from "../../../src/server/core/chat/chat-state.ts";
import { readHistory } from "../../../src/server/core/chat/history.ts";
import { type CoreCluster, servingCluster } from "../../support/core-cluster.ts";
import { serverName } from "../../support/event-lines.ts";

interface Page {
  readonly entries: ChannelEntry[];
  readonly next?: string;
  readonly seen: Vector;
}

function page(cluster: CoreCluster, data: Record<string, unknown>): Page {
  const reply: ReplyData = cluster.request(cluster.server(1), "history", data);
  expect(reply.status).toBe("OK");
  return reply as unknown as Page;
}

/** A cluster whose three servers published the texts 1 … `count` to a channel in turn. */
function clusterWith(count: number): CoreCluster {
  const cluster = servingCluster(3);
  for (let number = 1; number <= count; number += 1) {
    const message = { user: "ana", channel: "geral", message: `${number}`, after: {} };
    cluster.ask(cluster.server(1 + (number % 3)), "publish", message);
    if (number % 4 === 0) cluster.runFor(3);
  }
  cluster.runUntilEqual();
  return cluster;
}

function texts({ entries }: Page): string[] {
  return entries.map(({ message }) => message);
}

describe("history", () => {
  test("history is in the total order and the same on every server", () => {
    const cluster = clusterWith(30);
    const pages = cluster.servers.map((server) => {
      return cluster.request(server, "history", { channel: "geral" }).entries as ChannelEntry[];
    });
    expect(pages[0]).toHaveLength(30);
    expect(pages[0]).toEqual([...(pages[0] ?? [])].sort(compareOrder));
    expect(pages[1]).toEqual(pages[0]);
    expect(pages[2]).toEqual(pages[0]);
  });

  test.each([1, 7, 30, 1_000])(
    "a client pages back through history with `before` and `next`, %i at a time",
    (limit) => {
      const cluster = clusterWith(30);
      const whole = texts(page(cluster, { channel: "geral" }));
      const collected: string[] = [];
      let { next, entries } = page(cluster, { channel: "geral", limit });
      collected.unshift(...texts({ entries, seen: {} }));
      while (next !== undefined) {
        const older = page(cluster, { channel: "geral", limit, before: next });
        expect(older.entries.length).toBeLessThanOrEqual(limit);
        collected.unshift(...texts(older));
        next = older.next as string;
      }
      expect(collected).toEqual(whole);
    },
  );

  test("a page requested with `before` stays the same after a new message is published", () => {
    const cluster = clusterWith(10);
    const { next } = page(cluster, { channel: "geral", limit: 5 });
    const before = page(cluster, { channel: "geral", limit: 5, before: next });
    cluster.request(cluster.server(2), "publish", {
      user: "ana",
      channel: "geral",
      message: "new",
    });
    expect(texts(page(cluster, { channel: "geral", limit: 5, before: next }))).toEqual(
      texts(before),
    );
  });

  test.each([1, 4, 1_000])(
    "[C3] history with `since` returns all messages that a reader missed, %i at a time",
    (limit) => {
      const cluster = clusterWith(12);
      let { seen } = page(cluster, { channel: "geral" });
      const missed = Array.from({ length: 9 }, (_, index) => `missed ${index}`);
      for (const [index, message] of missed.entries()) {
        const data = { user: "bia", channel: "geral", message };
        cluster.request(cluster.server(1 + (index % 3)), "publish", data);
      }
      cluster.runUntilEqual();
      const got: string[] = [];
      for (;;) {
        const part = page(cluster, { channel: "geral", since: seen, limit });
        expect(part.entries.length).toBeLessThanOrEqual(limit);
        got.push(...texts(part));
        seen = part.seen;
        if (part.next === undefined) break;
      }
      expect(got).toEqual(missed);
      expect(texts(page(cluster, { channel: "geral", since: seen }))).toEqual([]);
    },
  );

  test("[C3] history with an empty `since` returns all messages", () => {
    const cluster = clusterWith(8);
    expect(texts(page(cluster, { channel: "geral", since: {} }))).toHaveLength(8);
  });

  test("[R3] a page of history has only committed messages, and its `seen` covers only committed events", () => {
    const cluster = clusterWith(3);
    const [a, b, c] = [cluster.server(1), cluster.server(2), cluster.server(3)];
    b.syncMs = 1_000;
    c.syncMs = 1_000;
    const held = a.disk.durable[a.name] ?? 0;
    cluster.ask(a, "publish", { user: "ana", channel: "geral", message: "not yet" });
    cluster.runUntil(() => a.core.ledger.allDurable, "its own disk has it");
    for (const data of [{}, { since: {} }]) {
      const part = page(cluster, { channel: "geral", ...data });
      expect(part.entries).toHaveLength(3);
      expect(part.seen[a.name]).toBe(held);
    }
    cluster.runUntilEqual();
    expect(texts(page(cluster, { channel: "geral" })).at(-1)).toBe("not yet");
  });

  test("each private message is exactly once in its sender's and once in its recipient's history", () => {
    const cluster = servingCluster(3);
    cluster.request(cluster.server(1), "login", { user: "caio" });
    const send = (src: string, dst: string, message: string) => {
      cluster.request(cluster.server(2), "message", { src, dst, message });
    };
    send("ana", "bia", "1");
    send("bia", "ana", "2");
    send("ana", "ana", "to myself");
    send("caio", "bia", "3");
    expect(texts(page(cluster, { user: "ana" }))).toEqual(["1", "2", "to myself"]);
    expect(texts(page(cluster, { user: "bia" }))).toEqual(["1", "2", "3"]);
    expect(texts(page(cluster, { user: "caio" }))).toEqual(["3"]);
    expect(page(cluster, { user: "caio" }).entries).toMatchObject([{ src: "caio", dst: "bia" }]);
  });

  test("[H8] a history request with the field `with` returns the messages between two users, both with `before` and with `since`", () => {
    const cluster = servingCluster(3);
    cluster.request(cluster.server(1), "login", { user: "caio" });
    for (let number = 1; number <= 12; number += 1) {
      const [src, dst] = [
        ["ana", "bia"],
        ["caio", "ana"],
        ["bia", "ana"],
        ["ana", "ana"],
      ][number % 4] as [string, string];
      const server = cluster.server(1 + (number % 3));
      cluster.request(server, "message", { src, dst, message: `${number}` });
    }
    const asked = { user: "ana", with: "bia", limit: 2 };
    const all = ["2", "4", "6", "8", "10", "12"];
    const back: string[] = [];
    for (let next: string | undefined | null = null; next !== undefined; ) {
      const found: Page = page(cluster, { ...asked, before: next });
      back.unshift(...texts(found));
      next = found.next;
    }
    expect(back).toEqual(all);
    const forth: string[] = [];
    let since: Vector = {};
    for (let next: string | undefined = ""; next !== undefined; ) {
      const found: Page = page(cluster, { ...asked, since });
      expect(found.entries.length).toBeLessThanOrEqual(2);
      forth.push(...texts(found));
      ({ next, seen: since } = found);
    }
    expect(forth).toEqual(all);
    expect(texts(page(cluster, { ...asked, with: "ana" }))).toEqual(["7", "11"]);
    expect(texts(page(cluster, { ...asked, with: "nobody" }))).toEqual([]);
    const refused = cluster.request(cluster.server(1), "history", {
      channel: "geral",
      with: "bia",
    });
    expect(refused).toMatchObject({ code: "bad_request" });
  });

  test.each([
    [{ channel: "missing" }, "channel_not_found"],
    [{ user: "missing" }, "user_not_found"],
  ])("a request for the history of %j gets the error %s", (data, code) => {
    const cluster = servingCluster(1);
    expect(cluster.request(cluster.server(1), "history", data)).toMatchObject({ code });
  });

  test("all history pages of one payload together have at most three megabytes, and a client continues with `next`", () => {
    const cluster = servingCluster(1);
    const server = cluster.server(1);
    const message = "x".repeat(4_000);
    const publish = { service: "publish", data: { user: "ana", channel: "geral", message } };
    for (let batch = 0; batch < 2; batch += 1) {
      cluster.askPayload(
        server,
        Array.from({ length: 100 }, () => publish),
      );
    }
    cluster.runUntilEqual();
    const history = { service: "history", data: { channel: "geral", limit: 1_000 } };
    const question = cluster.askPayload(server, [history, history, history, history]);
    const [first, , , last] = (question.replies ?? []).map(({ data }) => data as unknown as Page);
    expect(first?.entries.length).toBeGreaterThan(50);
    expect(first?.entries.length).toBeLessThan(100);
    expect(last?.entries).toEqual([]);
    const rest = page(cluster, { channel: "geral", limit: 1_000, before: last?.next });
    expect(rest.entries.at(-1)?.seq).toBe(server.disk.durable[server.name]);
    const older = page(cluster, { channel: "geral", limit: 1_000, before: rest.next });
    expect(older.entries.at(-1)?.seq).toBe((rest.entries[0]?.seq ?? 0) - 1);
  });
});

describe("[W2] the bound on messages that the pages of one payload read", () => {
  const conversation = new Conversation(1_000);
  const [ana, bia, server] = ["ana" as UserName, "bia" as UserName, serverName(1)];
  for (let seq = 1; seq <= 100; seq += 1) {
    const placed = { server, seq, clock: seq, time: seq, id: undefined };
    conversation.add({ ...placed, from: bia, to: { user: ana }, hook: undefined, text: "" });
  }
  const query = {
    conversation: { user: ana },
    with: "caio" as UserName,
    limit: 1,
    before: undefined,
  };
  const committed = { [server]: 100 };

  test.each([undefined, {}])(
    "every message that is read for a payload's history pages counts toward one common limit, even if no page shows the message (since: %j)",
    (since) => {
      const room = { bytes: limits.replyBytes };
      let pages = 0;
      for (; room.bytes > 0; pages += 1) {
        const page = readHistory(conversation, { ...query, since }, { committed, room });
        expect(page).toMatchObject({ entries: [], seen: committed });
      }
      expect(pages).toBeGreaterThan(1_000);
      const late = readHistory(conversation, { ...query, since }, { committed, room });
      expect({ entries: late.entries, goesOn: late.next !== undefined }).toEqual({
        entries: [],
        goesOn: true,
      });
    },
  );
});
