import { describe, expect, test } from "vitest";
import { XSubscriber } from "zeromq";
import { Publisher } from "../../src/net/publisher.ts";
import { Subscriber } from "../../src/net/subscriber.ts";
import { replicationTopic } from "../../src/protocol/topics.ts";
import { anyPort, Closing, localProxy } from "../support/local-wires.ts";
import { until } from "../support/until.ts";

/** A publisher, with the set of topics that are subscribed to. */
function publisher(closing: Closing, endpoints: readonly string[]) {
  const topics = new Set<string>();
  const wire = closing.add(
    new Publisher(endpoints, (topic, active) => {
      // The members' topic is always wanted.
      if (topic === replicationTopic) return;
      if (active) topics.add(topic);
      else topics.delete(topic);
    }),
  );
  return {
    wire,
    topics,
    say: (topic: string, text: string) => wire.publish(topic, Buffer.from(text)),
  };
}

/** A subscriber that records what it receives. */
function subscriber(closing: Closing, endpoints: readonly string[], ...topics: string[]) {
  const got: string[] = [];
  const wire = closing.add(
    new Subscriber(endpoints, (topic, payload) => got.push(`${topic}: ${payload}`)),
  );
  wire.subscribe(...topics);
  return { wire, got };
}

describe("a publisher and a subscriber, through a proxy", () => {
  test("a publication on a topic reaches each subscriber of the topic, in order", async () => {
    await using proxy = await localProxy();
    await using closing = new Closing();
    const { say, topics } = publisher(closing, [proxy.front]);
    const { got } = subscriber(closing, [proxy.back], "geral");
    await until(() => topics.has("geral"), "the subscription is known");
    const texts = Array.from({ length: 500 }, (_, number) => `${number}`);
    for (const text of texts) say("geral", text);
    await until(() => got.length === texts.length, "all arrive");
    expect(got).toEqual(texts.map((text) => `geral: ${text}`));
  });

  test("[P2] a subscription matches topics that begin with its text, and no others", async () => {
    await using proxy = await localProxy();
    await using closing = new Closing();
    const { say, topics } = publisher(closing, [proxy.front]);
    const { got } = subscriber(closing, [proxy.back], "#geral\0", "bia");
    await until(() => topics.size === 2, "both subscriptions are known");
    say("#geral2\0", "not for us");
    say("geral", "nor this");
    say("#geral\0", "for us");
    say("biatriz", "and this, by its beginning");
    await until(() => got.length === 2, "two arrive");
    expect(got).toEqual(["#geral\0: for us", "biatriz: and this, by its beginning"]);
  });

  test("[P4] a publisher sees a subscription begin and end", async () => {
    await using proxy = await localProxy();
    await using closing = new Closing();
    const { topics } = publisher(closing, [proxy.front]);
    const { wire } = subscriber(closing, [proxy.back], "geral", "ação 🙂");
    await until(() => topics.size === 2, "both are seen");
    expect(topics).toEqual(new Set(["geral", "ação 🙂"]));
    wire.unsubscribe("geral");
    await until(() => !topics.has("geral"), "the end of one is seen");
    expect(topics).toEqual(new Set(["ação 🙂"]));
  });

  test("[P4] a topic stays wanted until its last subscriber has gone", async () => {
    await using proxy = await localProxy();
    await using closing = new Closing();
    const { topics } = publisher(closing, [proxy.front]);
    const first = new Subscriber([proxy.back], () => {});
    first.subscribe("geral", "only the first");
    const second = subscriber(closing, [proxy.back], "geral", "only the second");
    await until(() => topics.size === 3, "all subscriptions are seen");
    first.close();
    await until(() => !topics.has("only the first"), "a closed socket's subscriptions end");
    expect(topics.has("geral")).toBe(true);
    second.wire.unsubscribe("geral");
    await until(() => !topics.has("geral"), "the last one has gone");
  });

  test("[P4] a publisher sees the subscriptions that were made before it connected", async () => {
    await using proxy = await localProxy();
    await using closing = new Closing();
    const early = publisher(closing, [proxy.front]);
    const { got } = subscriber(closing, [proxy.back], "geral");
    await until(() => early.topics.has("geral"), "the early one sees it");
    const late = publisher(closing, [proxy.front]);
    await until(() => late.topics.has("geral"), "the late one sees it too");
    late.say("geral", "hello");
    await until(() => got.length === 1, "what it publishes arrives");
  });

  test("with two proxies each publication arrives twice, and with one remaining proxy it arrives once", async () => {
    await using first = await localProxy();
    await using closing = new Closing();
    const fronts: string[] = [first.front];
    const backs: string[] = [first.back];
    {
      await using second = await localProxy();
      fronts.push(second.front);
      backs.push(second.back);
      const both = publisher(closing, fronts);
      const { got } = subscriber(closing, backs, "geral");
      await until(
        () => first.connections.front + second.connections.front === 2 && both.topics.has("geral"),
        "the publisher is connected to both",
      );
      await until(() => {
        both.say("geral", "twice");
        return got.length >= 2 && got.length % 2 === 0;
      }, "it arrives by both");
    }
    const one = publisher(closing, fronts);
    const { got } = subscriber(closing, backs, "later");
    await until(() => one.topics.has("later"), "the subscription is known through the one left");
    one.say("later", "once");
    await until(() => got.length === 1, "it arrives by the one left");
  });

  test("[W7] [P4] a subscriber's message of several frames ends no proxy, and publishers learn all topics in the message", async () => {
    await using proxy = await localProxy();
    await using closing = new Closing();
    const { say, topics } = publisher(closing, [proxy.front]);
    const { got } = subscriber(closing, [proxy.back], "geral");
    await until(() => topics.has("geral"), "the subscription is known");
    const stranger = closing.add(new XSubscriber({ linger: 0 }));
    stranger.connect(proxy.back);
    // libzmq handles each frame that looks like a subscription as a subscription. It does not pass
    // on a subscription that it already has, so the message then lacks its last frame.
    for (const frames of [
      ["nothing", "\u0001geral"],
      ["\u0001bia", "nothing", "\u0001geral"],
      ["nothing", "\u0000unknown"],
      ["", "\u0001caio"],
    ]) {
      await stranger.send(frames);
    }
    await stranger.send("\u0001the last one");
    await until(() => topics.has("the last one"), "the proxy goes on");
    expect(topics).toEqual(new Set(["geral", "bia", "caio", "the last one"]));
    const late = subscriber(closing, [proxy.back], "caio");
    await until(() => proxy.connections.back === 3, "the late one is connected");
    await until(() => {
      say("caio", "hello");
      return late.got.length > 0;
    }, "it hears what is on a topic that came with such a message");
    say("geral", "hello");
    await until(() => got.length === 1, "who was there before still hears");
  });

  test("[W7] a proxy's message without a last frame ends no publisher", async () => {
    await using closing = new Closing();
    const proxy = closing.add(new XSubscriber({ linger: 0 }));
    await proxy.bind(anyPort);
    const connected = new Promise((resolve) => proxy.events.on("handshake", resolve));
    const { topics } = publisher(closing, [proxy.lastEndpoint as string]);
    await connected;
    await proxy.send("\u0001geral");
    await until(() => topics.has("geral"), "the subscription is known");
    await proxy.send(["nothing", "\u0001geral"]);
    await proxy.send("\u0001the last one");
    await until(() => topics.has("the last one"), "the publisher goes on");
  });

  test("before a publisher closes, the publisher sends its queued publications", async () => {
    await using proxy = await localProxy();
    await using closing = new Closing();
    const topics = new Set<string>();
    const wire = new Publisher([proxy.front], (topic) => topics.add(topic));
    const { got } = subscriber(closing, [proxy.back], "geral");
    await until(() => topics.has("geral"), "the subscription is known");
    for (let number = 0; number < 200; number += 1) wire.publish("geral", Buffer.from(`${number}`));
    await wire.close();
    await until(() => got.length === 200, "all arrive");
  });
});
