import { describe, expect, test } from "vitest";
import type { ReplyData } from "../../../src/protocol/client-messages.ts";
import type { ServerName, UserName } from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import type { ChannelEntry } from "../../../src/protocol/publications.ts";
import type { FoundPage } from "../../../src/protocol/replies.ts";
import { readTerms } from "../../../src/protocol/search-words.ts";
import { Conversation } from "../../../src/server/core/chat/chat-state.ts";
import { foundPage, searchKept } from "../../../src/server/core/chat/search-service.ts";
import { Scene } from "../../support/account-scene.ts";
import { type CoreCluster, servingCluster } from "../../support/core-cluster.ts";
import { serverName } from "../../support/event-lines.ts";

function texts(page: FoundPage | ReplyData): string[] {
  return (page.entries as ChannelEntry[]).map(({ message }) => message);
}

/** A cluster whose three servers published texts to a channel in turn. */
function clusterWith(said: readonly string[]): CoreCluster {
  const cluster = servingCluster(3);
  for (const [at, message] of said.entries()) {
    const data = { user: "ana", channel: "geral", message, after: {} };
    cluster.request(cluster.server(1 + (at % 3)), "publish", data);
  }
  cluster.runUntilEqual();
  return cluster;
}

describe("search", () => {
  test("[Q31] a search finds the messages that have all words, at every server", () => {
    const cluster = clusterWith(["Bom dia!", "boa noite", "dia de sol", "um dia bom"]);
    const found = cluster.servers.map((server) =>
      cluster.request(server, "search", { channel: "geral", words: "bom dia" }),
    );
    expect(texts(found[0] as ReplyData)).toEqual(["Bom dia!", "um dia bom"]);
    expect(found[0]?.next).toBeUndefined();
    expect(found[1]?.entries).toEqual(found[0]?.entries);
    expect(found[2]?.entries).toEqual(found[0]?.entries);
  });

  test("[Q31] a client pages back through what a search finds", () => {
    const cluster = clusterWith(Array.from({ length: 20 }, (_, at) => `nota ${at} ${at % 2}`));
    const collected: string[] = [];
    for (let before: unknown = null; before !== undefined; ) {
      const asked = { channel: "geral", words: "nota 1", limit: 3, before };
      const page = cluster.request(cluster.server(1), "search", asked);
      expect(texts(page).length).toBeLessThanOrEqual(3);
      collected.unshift(...texts(page));
      before = page.next;
    }
    expect(collected).toEqual(
      Array.from({ length: 20 }, (_, at) => `nota ${at} ${at % 2}`).filter((_, at) => at % 2 === 1),
    );
  });

  test("[Q31] a search of private messages finds those of the user, and with `with` those of two users", () => {
    const cluster = servingCluster(1);
    const server = cluster.server(1);
    cluster.request(server, "login", { user: "caio" });
    for (const [src, dst] of [
      ["ana", "bia"],
      ["caio", "ana"],
      ["bia", "caio"],
    ]) {
      cluster.request(server, "message", { src, dst, message: `plano de ${src}` });
    }
    const ask = (more: object) =>
      texts(cluster.request(server, "search", { user: "ana", words: "plano", ...more }));
    expect(ask({})).toEqual(["plano de ana", "plano de caio"]);
    expect(ask({ with: "bia" })).toEqual(["plano de ana"]);
    expect(ask({ with: "ana" })).toEqual([]);
  });

  test("[Q31] [A3] nobody searches the private messages of another user, or a removed channel", () => {
    const scene = new Scene();
    const [ana, bia] = ["ana", "bia"].map((user) => scene.user(user));
    scene.ask("channel", { channel: "geral", user: "ana", token: ana });
    scene.ask("publish", { channel: "geral", user: "ana", message: "oi", token: ana });
    const search = (data: object) => scene.ask("search", { words: "oi", ...data });
    expect(texts(search({ channel: "geral", token: bia }))).toEqual(["oi"]);
    expect(search({ user: "ana", token: bia })).toMatchObject({ code: "forbidden" });
    expect(search({ channel: "geral" })).toMatchObject({ code: "unauthenticated" });
    scene.ask("removal", { channel: "geral", removed: true, token: scene.operator });
    const none = { code: "channel_not_found" };
    expect(search({ channel: "geral", token: ana })).toMatchObject(none);
    expect(search({ channel: "nowhere", token: ana })).toMatchObject(none);
  });

  test("[Q31] [X4] a search counts as 5 requests for its connection's pace", () => {
    const pace = { perSecond: 1, burst: 10 };
    const scene = new Scene({ user: undefined, connection: pace }, "open");
    const ask = () => scene.ask("search", { channel: "nowhere", words: "oi" }).code;
    expect([ask(), ask(), ask()]).toEqual([
      "channel_not_found",
      "channel_not_found",
      "rate_limited",
    ]);
    expect(limits.searchCost).toBe(5);
  });
});

describe("a page of found messages", () => {
  const [ana, bia, server] = ["ana" as UserName, "bia" as UserName, serverName(1)];
  const conversation = new Conversation(20_000);
  for (let seq = 1; seq <= 20_000; seq += 1) {
    const text = seq === 7 ? "agulha" : `palha ${seq}`;
    const placed = { server, seq, clock: seq, time: seq, id: undefined };
    conversation.add({ ...placed, from: bia, to: { user: ana }, hook: undefined, text });
  }
  const committed = { [server]: 20_000 };
  const query = { conversation: { user: ana }, terms: readTerms("agulha"), limit: 10 };

  test("[Q31] a page of a search costs a bounded part of the room, and next goes on where it ended", () => {
    let [pages, found] = [0, [] as string[]];
    for (let next: string | undefined = "", before = undefined as never; next !== undefined; ) {
      const room = { bytes: limits.replyBytes };
      const page = searchKept(conversation, { ...query, before }, { committed, room });
      expect(limits.replyBytes - room.bytes).toBeLessThan(limits.pageBytes + 1_000);
      pages += 1;
      found = [...texts(page), ...found];
      next = page.next;
      const [clock, name] = next?.split(":") ?? [];
      before = { clock: Number(clock), server: name as ServerName } as never;
    }
    expect(found).toEqual(["agulha"]);
    expect(pages).toBe(3);
  });

  test("[W2] the searches of one payload look at a bounded number of messages together", () => {
    const room = { bytes: limits.replyBytes };
    let pages = 0;
    for (; room.bytes > 0; pages += 1) searchKept(conversation, query, { committed, room });
    expect(pages).toBe(3);
    const late = searchKept(conversation, query, { committed, room });
    expect(late).toEqual({ entries: [], next: `20001:server_00000000` });
  });

  const entries = Array.from({ length: 12 }, (_, at) => {
    const clock = 12 - at;
    const placed = { server, seq: clock, clock, id: `${clock}`, timestamp: "" };
    return { ...placed, src: bia, dst: ana, message: `${clock}` };
  });

  test("[Q31] a page of what an engine has found ends at its limit, and one entry more means that there is a next page", () => {
    const room = { bytes: limits.replyBytes };
    const page = foundPage(entries, 11, room);
    expect(texts(page)).toEqual(Array.from({ length: 11 }, (_, at) => `${at + 2}`));
    expect(page.next).toBe(`2:${server}`);
    expect(foundPage(entries, 12, room)).not.toHaveProperty("next");
    expect(foundPage([], 12, room)).toEqual({ entries: [] });
  });

  test("[Q31] a page of what an engine has found fits into what is left of the replies to a payload", () => {
    const few = foundPage(entries, 12, { bytes: 700 });
    expect(texts(few)).toEqual(["10", "11", "12"]);
    expect(few.next).toBe(`10:${server}`);
    expect(foundPage(entries, 12, { bytes: 0 })).toEqual({
      entries: [],
      next: "13:server_00000000",
    });
  });
});
