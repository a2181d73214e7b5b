import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Receipt, ReplyData } from "../../../src/protocol/client-messages.ts";
import type { ChannelName, UserName } from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { readNames, SortedNames } from "../../../src/server/core/chat/names.ts";
import { Scene } from "../../support/account-scene.ts";
import { CoreCluster, checkpointText, servingCluster } from "../../support/core-cluster.ts";

const room = () => ({ bytes: limits.replyBytes });

describe("[W2] pages of lists of names", () => {
  test("the pages of a list of names together give the whole list, for any page size and prefix", () => {
    const name = fc.stringMatching(/^[a-c\u{10400}é]{1,4}$/u);
    const property = fc.property(
      fc.record({
        all: fc.uniqueArray(name, { maxLength: 40 }),
        looks: fc.array(fc.boolean()),
        limit: fc.integer({ min: 1, max: 7 }),
        prefix: fc.constantFrom("", "a", "ab", "\u{10400}", "z"),
      }),
      ({ all, looks, limit, prefix }) => {
        const list = new SortedNames<string>();
        all.forEach((one, at) => {
          list.add(one);
          // A read between two additions does not change the result.
          if (looks[at]) expect(list.sorted).toEqual(all.slice(0, at + 1).sort());
        });
        const isShown = (one: string) => !one.endsWith("c");
        const wanted = all.filter((one) => one.startsWith(prefix) && isShown(one)).sort();
        const found: string[] = [];
        let from: string | undefined;
        do {
          const query = { prefix, from, limit };
          const page = readNames(list.sorted, query, { room: room(), copies: 1, isShown });
          expect(page.names.length).toBeLessThanOrEqual(limit);
          found.push(...page.names);
          from = page.next;
        } while (from !== undefined);
        expect(found).toEqual(wanted);
      },
    );
    fc.assert(property);
  });

  test("a list of names that does not fit into a reply is sent in part, with the name to continue from", () => {
    const cluster = servingCluster(1);
    const server = cluster.server(1);
    const long = (number: number) => `${"\u{10400}".repeat(58)}${String(number).padStart(6, "0")}`;
    for (const [service, field, count] of [
      ["login", "user", 9_500],
      ["channel", "channel", 4_700],
    ] as const) {
      for (let made = 0; made < count; made += 1_000) {
        const some = Array.from({ length: Math.min(1_000, count - made) }, (_, at) =>
          long(made + at),
        );
        for (const half of [some.slice(0, 500), some.slice(500)]) {
          if (half.length === 0) continue;
          const question = cluster.askPayload(
            server,
            half.map((name) => ({ service, data: { [field]: name } })),
          );
          cluster.runUntil(() => question.replies !== undefined, "they are made");
        }
      }
    }
    for (const service of ["users", "channels"]) {
      const first = cluster.request(server, service);
      expect(first).toMatchObject({ status: "OK" });
      const second = cluster.request(server, service, { from: first.next });
      expect(second.status).toBe("OK");
      expect(second.next).toBeUndefined();
      const all = [...(first[service] as string[]), ...(second[service] as string[])];
      expect(all.length).toBeGreaterThan(4_600);
      expect(all).toEqual([...new Set(all)].sort());
      const own = cluster.request(server, service, { prefix: long(7), limit: 1 });
      expect(own[service]).toEqual([long(7)]);
    }
  }, 60_000);

  test("the list of channels has only committed names", () => {
    const cluster = servingCluster(3);
    const server = cluster.server(1);
    const names = ["a", "b", "c", "d"];
    for (const channel of names) cluster.request(server, "channel", { channel });
    const page = cluster.request(server, "channels", { from: "b", limit: 2 });
    expect(page).toMatchObject({ channels: ["b", "c"], users: ["b", "c"], next: "d" });
    for (const other of cluster.servers.slice(1)) cluster.crash(other);
    cluster.ask(server, "channel", { channel: "bb" });
    expect(server.core.chat.knowsChannel("bb" as ChannelName)).toBe(true);
    const asked = cluster.ask(server, "channels", { from: "b", limit: 2 });
    cluster.runUntil(() => asked.reply !== undefined, "a reply");
    expect(asked.reply?.channels).toEqual(["b", "c"]);
  });
});

describe("[X4] the limit on the channels of one user", () => {
  test("a user who has made the maximum number of channels can make no further channel, but another user can", () => {
    const scene = new Scene();
    const [ana, bia] = [scene.user("ana"), scene.user("bia")];
    const make = (channel: string, token: string, server = scene.server) =>
      scene.ask("channel", { channel, token, after: {} }, server);
    for (let made = 0; made < limits.userChannels; made += 1) {
      expect(make(`c${made}`, ana)).toMatchObject({ status: "sucesso" });
    }
    const refused = { code: "forbidden", reason: "too_many_channels" };
    expect(make("one_more", ana)).toMatchObject(refused);
    expect(make("hers", bia)).toMatchObject({ status: "sucesso" });
    // A removed channel does not count toward the maximum.
    const { operator: token } = scene;
    scene.ask("removal", { channel: "c0", removed: true, token });
    expect(make("one_more", ana)).toMatchObject({ status: "sucesso" });
    scene.cluster.runUntilEqual();
    for (const server of scene.cluster.servers) {
      expect(make("another", ana, server)).toMatchObject(refused);
    }
  });

  test("in an open cluster, where anybody may use any name, a user may make more channels than the maximum", () => {
    const cluster = new CoreCluster({ servers: 1 });
    cluster.runUntilServing();
    for (let made = 0; made <= limits.userChannels; made += 1) {
      const channel = { channel: `c${made}`, user: "ana" };
      const reply = cluster.request(cluster.server(1), "channel", channel);
      expect(reply).toMatchObject({ status: "sucesso" });
    }
  });
});

describe("[A10] an administrator removes a channel", () => {
  const geral = "geral" as ChannelName;

  function furnish() {
    const scene = new Scene();
    const ana = scene.user("ana");
    scene.ask("channel", { channel: "geral", token: ana, id: "made" });
    const write = { user: "ana", channel: "geral", message: "Olá!", token: ana };
    scene.ask("publish", write);
    const remove = (removed: boolean, more = {}, server = scene.server) =>
      scene.ask("removal", { channel: "geral", removed, token: scene.operator, ...more }, server);
    return { scene, ana, write, remove };
  }

  test("a removed channel can't be listed, read, written to or created again on any server", () => {
    const { scene, ana, write, remove } = furnish();
    expect(remove(true)).toMatchObject({ status: "OK", entry: {} });
    scene.cluster.runUntilEqual();
    for (const server of scene.cluster.servers) {
      const ask = (service: string, data: object) =>
        scene.ask(service, { token: ana, ...data }, server);
      expect(ask("channels", {}).channels).toEqual([]);
      expect(ask("history", { channel: "geral" })).toMatchObject({ code: "channel_not_found" });
      expect(ask("publish", write)).toMatchObject({ code: "channel_not_found", retry: false });
      expect(ask("keys", { topics: ["#geral\0"] })).toMatchObject({ code: "forbidden" });
      const again = { code: "forbidden", reason: "channel_removed" };
      expect(ask("channel", { channel: "geral" })).toMatchObject(again);
    }
    expect(checkpointText(scene.server)).toContain("Olá!");
    expect(remove(true, { channel: "nowhere" })).toMatchObject({ code: "channel_not_found" });
  });

  test("a restored channel has all its messages, and a repeated removal request does not remove it again", () => {
    const { scene, ana, write, remove } = furnish();
    const removed = remove(true, { id: "away" });
    expect(remove(false, { id: "back" })).toMatchObject({ status: "OK" });
    expect(remove(true, { id: "away" }).entry).toMatchObject({ id: "away", seq: seqOf(removed) });
    const page = scene.ask("history", { channel: "geral", token: ana });
    expect(page.entries).toMatchObject([{ message: "Olá!" }]);
    expect(scene.ask("publish", write)).toMatchObject({ status: "OK" });
  });

  test("[R4] concurrent requests to remove and to restore a channel have the same result on all replicas", () => {
    const { scene, remove } = furnish();
    const { cluster } = scene;
    const [a, b] = cluster.servers;
    if (a === undefined || b === undefined) throw new Error("no servers");
    const asked = [a, b].map((server, at) => {
      const data = { channel: "geral", removed: at === 0, token: scene.operator };
      return cluster.ask(server, "removal", data);
    });
    cluster.runUntil(() => asked.every(({ reply }) => reply !== undefined), "both are answered");
    cluster.runUntilEqual();
    const states = () => cluster.servers.map(({ core }) => core.chat.knowsChannel(geral));
    expect(new Set(states()).size).toBe(1);
    expect(new Set(cluster.servers.map((server) => checkpointText(server))).size).toBe(1);
    remove(true);
    cluster.runUntilEqual();
    for (const server of cluster.servers) cluster.kill(server);
    for (const server of cluster.servers) cluster.start(server);
    cluster.runUntilServing();
    expect(states()).toEqual([false, false, false]);
  });

  test("[R9] a client that has seen that a channel was restored can use the channel even at a server that lags", () => {
    const { scene, ana, write, remove } = furnish();
    remove(true);
    scene.cluster.runUntilEqual();
    const [a, , c] = scene.cluster.servers;
    if (a === undefined || c === undefined) throw new Error("no servers");
    scene.cluster.network.cut(a.name, c.name, ["broadcast"]);
    const back = remove(false, { after: {} }, a);
    const after = { [a.name]: seqOf(back) };
    expect(scene.ask("publish", { ...write, after }, c)).toMatchObject({ status: "OK" });
    expect(c.core.chat.knowsUser("ana" as UserName)).toBe(true);
    expect(scene.ask("history", { channel: "geral", token: ana, after }, c).status).toBe("OK");
  });
});

function seqOf({ entry }: ReplyData): number {
  return (entry as Receipt).seq;
}
