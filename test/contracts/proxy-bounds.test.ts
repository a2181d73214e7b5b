import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { XPublisher, Publisher as ZmqPublisher, Subscriber as ZmqSubscriber } from "zeromq";
import type { Entrance } from "../../src/net/listener.ts";
import { limits } from "../../src/protocol/limits.ts";
import { replicationTopic } from "../../src/protocol/topics.ts";
import { Closing, type LocalForwarder, localProxy } from "../support/local-wires.ts";
import { until } from "../support/until.ts";
import {
  command,
  frame,
  framesOf,
  greeting,
  message,
  metadata,
  plainHello,
  RawPeer,
  restOf,
} from "../support/zmtp.ts";

let closing: Closing;
let proxy: LocalForwarder;
beforeEach(async () => {
  closing = new Closing();
  proxy = await localProxy();
});
afterEach(async () => {
  await closing[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

const subscriber = (manner = {}) =>
  RawPeer.shaken(proxy.back, { type: "SUB", ...manner }).then((peer) => closing.add(peer));

/** A member's publisher, with the subscriptions that it gets from the proxy. */
function publisher() {
  const socket = closing.add(new XPublisher({ linger: 0 }));
  socket.connect(proxy.front);
  const told: string[] = [];
  void (async () => {
    for await (const [frameOfOne] of socket) told.push(frameOfOne?.toString("latin1") ?? "");
  })().catch(() => {});
  return { told, say: (topic: string, text: string) => socket.send([topic, text]) };
}

const subscribe = (topic: string) => message(`\u0001${topic}`);
const cancel = (topic: string) => message(`\u0000${topic}`);
/** Waits until the peer has received a message with this text. */
const hears = (peer: RawPeer, text: string) =>
  until(
    () => framesOf(peer.heard).some(({ body }) => body.toString() === text),
    `${text} is heard`,
  );

describe("[P4] [X8] a proxy", { timeout: 60_000 }, () => {
  test("a proxy tells members once that replication is wanted, whatever guests subscribe to or cancel", async () => {
    const guest = await subscriber();
    guest.say(cancel(replicationTopic), cancel(""), subscribe(replicationTopic));
    guest.say(
      cancel(replicationTopic),
      cancel(replicationTopic),
      command("CANCEL", replicationTopic),
    );
    guest.say(subscribe("told"));
    const { told } = publisher();
    await until(() => told.includes("\u0001told"), "what guests want is told");
    expect(told.filter((text) => text.includes(replicationTopic))).toEqual([
      `\u0001${replicationTopic}`,
    ]);
    guest.say(subscribe(replicationTopic), cancel(replicationTopic));
    guest.close();
    await until(() => told.includes("\u0000told"), "that it went is told");
    expect(told.filter((text) => text.includes(replicationTopic))).toHaveLength(1);
  });

  test("members learn from a proxy which topics are wanted at present, however often guests change their subscriptions", async () => {
    const { told, say } = publisher();
    await until(() => told.includes(`\u0001${replicationTopic}`), "it is there");
    const words: Buffer[] = [];
    for (let count = 0; count < 20_000; count += 1) words.push(subscribe("often"), cancel("often"));
    const guest = await subscriber({ minor: 0 });
    guest.say(...words, subscribe("at last"));
    await until(() => told.includes("\u0001at last"), "all of it was heard", 20_000);
    expect(told.length).toBeLessThan(1_000);
    const mine = told.filter((text) => text.endsWith("often"));
    expect(mine).toEqual(mine.map((_, at) => (at % 2 === 0 ? "\u0001often" : "\u0000often")));
    // All 500 subscriptions that come at one moment are reported in the end, and later all their
    // ends.
    const topics = Array.from({ length: 500 }, (_, at) => `topic ${at}`);
    guest.say(...topics.map(subscribe));
    await until(() => topics.every((topic) => told.includes(`\u0001${topic}`)), "all are told");
    await say("topic 499", "news");
    await hears(guest, "news");
    guest.close();
    await until(() => topics.every((topic) => told.includes(`\u0000${topic}`)), "all have ended");
  });

  test("a guest that cancels a topic of other subscribers does not end their subscriptions", async () => {
    const { told, say } = publisher();
    const ana = await subscriber();
    ana.say(subscribe("geral"));
    await until(() => told.includes("\u0001geral"), "it is told");
    const guest = await subscriber();
    for (const topic of ["geral", "gera", "", "geral!"])
      guest.say(cancel(topic), command("CANCEL", topic));
    guest.say(subscribe("last"));
    await until(() => told.includes("\u0001last"), "all is read");
    expect(told.filter((text) => text.startsWith("\0"))).toEqual([]);
    await say("geral", "still heard");
    await hears(ana, "still heard");
  });

  test("a proxy accepts topics of the maximum size, and cuts off a peer that names a longer topic", async () => {
    const longest = "t".repeat(limits.topicBytes);
    const { told, say } = publisher();
    const ana = await subscriber();
    ana.say(subscribe(longest));
    const bia = await subscriber();
    bia.say(command("SUBSCRIBE", `${longest.slice(1)}!`), subscribe("geral"));
    await until(() => told.length === 4, "all are told");
    for (const bytes of [
      subscribe(`${longest}!`),
      command("SUBSCRIBE", `${longest}!`),
      command("CANCEL", `${longest}!`),
      subscribe("x".repeat(1_024 * 1_024)),
      Buffer.concat([frame(`\u0001${longest.slice(2)}`, 1), subscribe("abc")]),
    ]) {
      const greedy = await subscriber();
      greedy.say(bytes);
      await greedy.closed();
    }
    expect([ana.isClosed, bia.isClosed]).toEqual([false, false]);
    await say(longest, "for ana");
    await say("geral", "for bia");
    await hears(ana, "for ana");
    await hears(bia, "for bia");
    expect(told.filter((text) => text.includes(`${longest}!`))).toEqual([]);
  });

  test("a proxy cuts off only the connection with too many topics, and tells members that this connection's topics have ended", async () => {
    const { told } = publisher();
    const ana = await subscriber({ minor: 0 });
    ana.say(subscribe("geral"));
    const greedy = await subscriber({ minor: 0 });
    const names = Array.from({ length: limits.connectionTopics }, (_, number) => `t${number}`);
    greedy.say(...names.map(subscribe), ...names.map(subscribe));
    await until(() => told.length === names.length + 2, "all are told");
    expect(greedy.isClosed).toBe(false);
    greedy.say(subscribe("one more"));
    await greedy.closed();
    await until(() => told.length === 2 * names.length + 2, "all have ended");
    expect(told).not.toContain("\u0001one more");
    expect(told).not.toContain("\u0000geral");
    expect(ana.isClosed).toBe(false);
  });

  test("if all topics together exceed the limit, a proxy cuts off a connection of the address with the most topics", async () => {
    const { told, say } = publisher();
    // A peer of this version need not answer PINGs, however long the test takes.
    const ana = await subscriber({ minor: 0 });
    ana.say(...Array.from({ length: 200 }, (_, number) => subscribe(`of ana ${number}`)));
    await until(() => told.length === 201, "hers are told");
    const padding = "x".repeat(limits.topicBytes - 10);
    const greedy: RawPeer[] = [];
    const most = Math.ceil(limits.topicBytesOfAll / limits.topicBytes);
    for (let first = 0; first < most + 1_500; first += 1_000) {
      const peer = await subscriber({ localAddress: "127.8.8.8" });
      const topics = Array.from({ length: 1_000 }, (_, at) => `${padding}${first + at}`);
      peer.say(...topics.map(subscribe));
      greedy.push(peer);
    }
    // The proxy first reads some 28,000 topics, which takes a while on a busy machine.
    const someoneIsCutOff = () => greedy.some(({ isClosed }) => isClosed);
    await until(someoneIsCutOff, "one of them is cut off", 40_000);
    await until(async () => {
      await say("of ana 7", "still heard");
      return framesOf(ana.heard).some(({ body }) => body.toString() === "still heard");
    }, "ana still hears");
    expect(ana.isClosed).toBe(false);
  });
});

const byPassword: Entrance = {
  doors: [{ mechanism: "PLAIN", password: Buffer.from("members'") }],
  onRefused: () => {},
};

describe("[X7] a stranger's publisher", { timeout: 20_000 }, () => {
  test("a stranger's publisher reaches no subscriber, whatever its socket type and mechanism", async () => {
    const closed = closing.add(
      await localProxy({
        front: byPassword,
        back: { doors: [{ mechanism: "NULL" }], onRefused: () => {} },
      }),
    );
    const heard: string[] = [];
    const ana = closing.add(new ZmqSubscriber({ linger: 0 }));
    ana.connect(closed.back);
    ana.subscribe("");
    void (async () => {
      for await (const [topic] of ana) heard.push(String(topic));
    })().catch(() => {});
    await until(() => closed.connections.back === 1, "she is there");
    const strangers = [
      new ZmqPublisher({ linger: 0 }),
      new XPublisher({ linger: 0 }),
      new ZmqPublisher({ linger: 0, plainUsername: "member", plainPassword: "a guess" }),
    ];
    for (const stranger of strangers) {
      closing.add(stranger).connect(closed.front);
      await new Promise((resolve) => stranger.events.on("disconnect", resolve));
      await stranger.send(["geral", "a lie"]);
    }
    const member = closing.add(
      new ZmqPublisher({ linger: 0, plainUsername: "any", plainPassword: "members'" }),
    );
    member.connect(closed.front);
    await until(async () => {
      await member.send(["true", "news"]);
      return heard.length > 0;
    }, "the member is heard");
    expect(new Set(heard)).toEqual(new Set(["true"]));
    expect(closed.connections.front).toBe(1);
  });
});

test("[X7] a proxy lets in a peer that gives the members' password", async () => {
  const closed = closing.add(await localProxy({ front: byPassword, back: byPassword }));
  const peer = closing.add(new RawPeer(closed.back));
  peer.say(greeting("PLAIN"), plainHello("members'"), command("INITIATE", metadata("SUB")));
  await until(() => restOf(peer.heard, "READY") !== undefined, "it is in");
  expect(closed.connections.back).toBe(1);
});
