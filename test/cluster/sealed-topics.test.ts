import { describe, expect, test } from "vitest";
import { Publisher, Subscriber } from "zeromq";
import { connect } from "../../src/net/connect.ts";
import { encrypt } from "../../src/platform/encryption.ts";
import { encode } from "../../src/protocol/codec.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import type { Entry } from "../../src/protocol/publications.ts";
import type { DayKey } from "../../src/protocol/replies.ts";
import { dayOf, sealedForm } from "../../src/protocol/sealed.ts";
import { conversationTopic } from "../../src/protocol/topics.ts";
import { withinTheDoor } from "../support/members-door.ts";
import { until } from "../support/until.ts";
import { accountsScene, passwordOf, topicOf } from "./accounts-scene.ts";

const scene = accountsScene();

describe("[X5] a SUB socket without keys", { timeout: 60_000 }, () => {
  test("a SUB socket without keys receives no readable text on any topic", async () => {
    const [ana, bea] = [await scene.enter("ana"), await scene.enter("bea")];
    const got: Entry[] = [];
    await bea.subscribe({ user: "bea" as never }, (entry) => got.push(entry));
    await bea.subscribe({ channel: "geral" as never }, (entry) => got.push(entry));
    const wire = ["replication", ...[{ channel: "geral" }, { user: "bea" }].map(topicOf)];
    const heard = await scene.overhear(async (frames) => {
      await ana.publish(parseChannelName("geral"), "said to all of the channel");
      await ana.message(parseUserName("bea"), "said to one alone");
      await until(() => got.length === 2, "who may read it has read it");
      const topics = () => frames.map(([topic]) => String(topic));
      await until(() => wire.every((topic) => topics().includes(topic)), "it went over the proxy");
    });
    expect(got.map((entry) => entry.message).sort()).toEqual([
      "said to all of the channel",
      "said to one alone",
    ]);
    const topics = new Set(heard.map(([topic]) => String(topic)));
    // No topic has the old form, which is not encrypted.
    expect(topics).not.toContain("geral");
    expect(topics).not.toContain("bea");
    for (const [, payload] of heard) {
      expect(payload?.includes("said to")).toBe(false);
      expect(payload?.includes("founder")).toBe(false);
    }
  });

  test("a new password changes the key of the user's private topic", async () => {
    const [ana, eva] = [await scene.enter("ana"), await scene.enter("eva")];
    const topic = topicOf({ user: "eva" });
    const keyOf = async () => JSON.stringify((await eva.ask("keys", { topics: [topic] })).keys);
    const before = await keyOf();
    expect(await keyOf()).toBe(before);
    await eva.changePassword(parseUserName("eva"), passwordOf("eva"), "another one");
    expect(await keyOf()).not.toBe(before);
    const got: Entry[] = [];
    await eva.subscribe({ user: "eva" as never }, (entry) => got.push(entry));
    await ana.message(parseUserName("eva"), "after the change");
    await until(() => got.length === 1, "she reads on");
  });
});

describe("[X5] a guest that can connect to the proxy's end for servers", {
  timeout: 60_000,
}, () => {
  test("clients ignore a guest's forged publication, whether it is unencrypted or encrypted with the guest's own key", async () => {
    const [ana, bea] = [await scene.enter("ana"), await scene.enter("bea")];
    const got: Entry[] = [];
    const channel = "geral" as never;
    await bea.subscribe({ channel }, (entry) => got.push(entry));
    const topic = conversationTopic({ channel });
    const { server, seq } = await ana.publish(parseChannelName("geral"), "true");
    await until(() => got.length === 1, "the true one comes");
    const lie = { user: "ana", channel, message: "forged", timestamp: "2026-01-01T00:00:00.000Z" };
    const place = { server, seq: seq + 1, prev: seq, clock: 1, id: "forged" };
    const plain = encode([{ ...lie, ...place }]);
    const sealed = sealedForm(dayOf(Date.now()), encrypt(Buffer.alloc(32, 7), plain, topic));
    const socket = new Publisher({ linger: 0 });
    connect(socket, [withinTheDoor(scene.cluster.folder, scene.cluster.endpoints.proxyIn)]);
    const heard = await scene.overhear(async () => {
      let arrived = 0;
      const ears = new Subscriber({ linger: 0 });
      ears.connect(scene.cluster.endpoints.proxy);
      ears.subscribe(topic);
      void (async () => {
        for await (const [, payload] of ears) arrived += payload?.equals(sealed) ? 1 : 0;
      })();
      await until(async () => {
        await socket.send([topic, plain]);
        await socket.send([topic, sealed]);
        return arrived >= 5;
      }, "the forged ones have gone over the proxy");
      ears.close();
      await ana.publish(parseChannelName("geral"), "true again");
      await until(() => got.length === 2, "the next true one comes");
    });
    socket.close();
    expect(heard.some(([, payload]) => payload?.equals(Buffer.from(plain)))).toBe(true);
    expect(got.map(({ message }) => message)).toEqual(["true", "true again"]);
    // The reader's vector does not include the forged message, so the reader's requests do not wait
    // for it.
    await expect(bea.channels()).resolves.toContain("geral");
  });
});

describe("[X5] a user who has a channel's key", { timeout: 60_000 }, () => {
  test("a user with a channel's key can neither publish in another user's name nor prevent other readers from receiving messages", async () => {
    const [ana, bea, mallory] = [
      await scene.enter("ana"),
      await scene.enter("bea"),
      await scene.enter("mallory"),
    ];
    const got: Entry[] = [];
    const channel = "geral" as never;
    const topic = conversationTopic({ channel });
    await bea.subscribe({ channel }, (entry) => got.push(entry));
    const { server, seq, clock } = await ana.publish(parseChannelName("geral"), "true");
    await until(() => got.length === 1, "the true one comes");

    const { keys, publisher } = await mallory.ask("keys", { topics: [topic] });
    expect(publisher).toMatch(/^[\w-]{43}$/);
    const [, { day, key }] = keys[topic] as [DayKey, DayKey];
    const seal = (plain: Uint8Array) =>
      sealedForm(day, encrypt(Buffer.from(key, "base64url"), plain, topic));
    const lie = { user: "ana", channel, message: "forged", timestamp: "2026-01-01T00:00:00.000Z" };
    const forge = (place: object) => {
      const plain = encode([{ ...lie, server, clock, id: "forged", ...place }]);
      return [seal(plain), seal(Buffer.concat([Buffer.alloc(64, 7), plain]))];
    };
    const forged = [
      ...forge({ seq: seq + 1, prev: seq }),
      ...forge({ seq: 2 ** 40, prev: seq, clock: 2 ** 50 }),
      ...forge({ seq: 2 ** 41, prev: 2 ** 40, clock: 2 ** 50 }),
    ];
    const socket = new Publisher({ linger: 0 });
    connect(socket, [withinTheDoor(scene.cluster.folder, scene.cluster.endpoints.proxyIn)]);
    await scene.overhear(async (frames) => {
      const arrived = () => frames.filter(([, sent]) => sent?.equals(forged.at(-1) as Buffer));
      await until(async () => {
        for (const one of forged) await socket.send([topic, one]);
        return arrived().length >= 5;
      }, "the forged ones have gone over the proxy");
      await ana.publish(parseChannelName("geral"), "true again");
      await until(() => got.length === 2, "the next true one comes");
    });
    socket.close();
    expect(got.map(({ message }) => message)).toEqual(["true", "true again"]);
    expect(bea.connection.clock.value).toBeLessThan(2 ** 40);
    // Bea's reads and writes do not wait for a message that never existed.
    await expect(bea.channels()).resolves.toContain("geral");
    await expect(bea.publish(parseChannelName("geral"), "hers")).resolves.toBeDefined();
  });
});
