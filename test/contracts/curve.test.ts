import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { curveKeyPair, Dealer, Pull, Request, Subscriber as ZmqSubscriber } from "zeromq";
import { broker as brokerRole } from "../../src/broker/main.ts";
import { type Side, startForwarder } from "../../src/forwarder/forwarder.ts";
import { BrokeredResponder } from "../../src/net/brokered-responder.ts";
import { connect as join } from "../../src/net/connect.ts";
import type { Refusal } from "../../src/net/connection-refusal.ts";
import type { Entrance } from "../../src/net/listener.ts";
import { guestDoors, memberDoors } from "../../src/net/membership.ts";
import { probe } from "../../src/net/probe.ts";
import { Publisher } from "../../src/net/publisher.ts";
import { RequestPipe } from "../../src/net/request-pipe.ts";
import { Requester } from "../../src/net/requester.ts";
import { Responder } from "../../src/net/responder.ts";
import { Subscriber } from "../../src/net/subscriber.ts";
import { type CurveKeys, curveKeys } from "../../src/platform/curve.ts";
import { withKey } from "../../src/platform/endpoint.ts";
import { Secret } from "../../src/platform/secret.ts";
import {
  anyPort,
  Closing,
  forwarderOptions,
  localBroker,
  localProxy,
} from "../support/local-wires.ts";
import { until } from "../support/until.ts";

function secretOf(text: string): Secret {
  return new Secret(text, { text, path: "", isDefault: true, cluster: "tertulia" });
}

const [secret, stranger] = [secretOf("a secret of the cluster"), secretOf("that of another one")];
const keys: CurveKeys = curveKeys(secret);
const others: CurveKeys = curveKeys(stranger);

/**
 * The reason reported for every peer with another key, even for a client of this cluster at the
 * members' door.
 */
const otherKey = "it has another key than this endpoint's";

/** The refusals that sockets have reported. */
let refused: { endpoint: string; why: string }[] = [];
let entrance: Entrance;
let brokers: Readonly<Record<Side, Entrance>>;
let proxies: Readonly<Record<Side, Entrance>>;
let closing: Closing;

beforeEach(() => {
  // Each test has its own list, because closing sockets of the previous test may still report.
  const told: typeof refused = [];
  refused = told;
  const onRefused = (endpoint: string, why: string) => void told.push({ endpoint, why });
  entrance = { doors: guestDoors({ secret, keys }), onRefused };
  const members = { doors: memberDoors({ secret, keys }), onRefused };
  brokers = { front: entrance, back: members };
  proxies = { front: members, back: entrance };
  closing = new Closing();
});
afterEach(() => closing[Symbol.asyncDispose]());

const asMember = (endpoint: string) => withKey([endpoint], keys.members.publicKey);
const keyed = (...endpoints: string[]) => withKey(endpoints, keys.publicKey);
const whys = () => [...new Set(refused.map(({ why }) => why))];

/** A worker that answers each request with the request itself, and records it. */
function worker(taken: string[] = []): BrokeredResponder {
  const made: BrokeredResponder = new BrokeredResponder((to, payload) => {
    taken.push(payload.toString());
    made.reply(to, payload);
  });
  made.start();
  return closing.add(made);
}

/** Answers each request with the request itself, and records it. */
function echo(taken: string[] = []): Responder {
  const responder: Responder = new Responder((to, payload) => {
    taken.push(payload.toString());
    responder.reply(to, payload);
  });
  responder.start();
  return closing.add(responder);
}

describe("[X6] an encrypted socket", { timeout: 20_000 }, () => {
  test("an encrypted socket lets in any peer that knows its public key, and nobody can read the content on the wire", async () => {
    const endpoint = await echo().bind(anyPort, entrance);
    const wire = await tap(endpoint);
    const requester = closing.add(new Requester(keyed(wire.endpoint), { waits: true }));
    const answer = await requester.ask(Buffer.from("what nobody else may read"), 10_000);
    expect(String(answer)).toBe("what nobody else may read");
    const { publicKey: curvePublicKey, secretKey: curveSecretKey } = curveKeyPair();
    // The typings want the key as Z85, another form of the same bytes.
    const curveServerKey = z85(Buffer.from(keys.publicKey, "hex"));
    const plain = new Request({ linger: 0, curveServerKey, curvePublicKey, curveSecretKey });
    closing.add(plain).connect(endpoint);
    await plain.send("foreign");
    expect(String(await plain.receive())).toBe("foreign");
    expect(wire.bytes().length).toBeGreaterThan(200);
    expect(wire.bytes()).not.toContain("nobody else");
    expect(refused).toEqual([]);
  });

  test("an encrypted socket refuses a peer with no key or with a wrong key, and reports why", async () => {
    const taken: string[] = [];
    const endpoint = await echo(taken).bind(anyPort, entrance);
    const plain = closing.add(new Dealer({ linger: 0 }));
    plain.connect(endpoint);
    await plain.send(["", "plain"]);
    await until(() => refused.length > 0, "the plain one is refused");
    expect(refused[0]).toEqual({ endpoint, why: expect.stringMatching(/^it is not encrypted/) });
    const stranger = new Requester(withKey([endpoint], others.publicKey), { waits: true });
    void closing
      .add(stranger)
      .ask(Buffer.from("wrong key"), 60_000)
      .catch(() => {});
    await until(() => whys().length > 1, "the one with another key is refused");
    expect(whys()[1]).toBe(otherKey);
    const friend = closing.add(new Requester(keyed(endpoint), { waits: true }));
    await friend.ask(Buffer.from("right key"), 10_000);
    expect(taken).toEqual(["right key"]);
  });

  test("a client reports why it can't connect if its server wants a key, has another key, or is not encrypted", async () => {
    const seen = async (endpoints: readonly string[], wanted: Refusal) => {
      let told: Refusal | undefined;
      const onRefusal = (refusal: Refusal) => {
        told = refusal;
      };
      const events = { onPayload: () => {}, onConnections: () => {}, onRefusal };
      closing.add(new RequestPipe(endpoints, events));
      await until(() => told === wanted, `${wanted} is told`);
    };
    const encrypted = await echo().bind(anyPort, entrance);
    const plain = await echo().bind(anyPort);
    await seen([encrypted], "keyWanted");
    await seen(withKey([encrypted], others.publicKey), "otherKey");
    await seen(keyed(plain), "keyUnwanted");
  });

  test("a client encrypts a connection with the key in its endpoint, and does not encrypt it if the endpoint has no key", async () => {
    const otherEntrance = { ...entrance, doors: guestDoors({ secret: stranger, keys: others }) };
    const taken: [string[], string[], string[]] = [[], [], []];
    const endpoints = [
      ...keyed(await echo(taken[0]).bind(anyPort, entrance)),
      await echo(taken[1]).bind(anyPort),
      ...withKey([await echo(taken[2]).bind(anyPort, otherEntrance)], others.publicKey),
    ];
    const requester = closing.add(new Requester(endpoints, { waits: true }));
    const isTaken = () => taken.every((one) => one.length > 0);
    await until(async () => {
      await requester.ask(Buffer.from("hello"), 10_000);
      return isTaken();
    }, "all three are asked in turn");
    expect(refused).toEqual([]);
  });

  test("a health probe does not count as a refused peer", async () => {
    const endpoint = await echo().bind(anyPort, entrance);
    for (let count = 0; count < 20; count += 1)
      expect(await probe(endpoint, 5_000)).toBe("greeting");
    // Events come in order: this connection's event follows those of all probes.
    closing.add(new RequestPipe(withKey([endpoint], others.publicKey), quiet));
    await until(() => refused.length > 0, "a real one is refused");
    expect(whys()).toEqual([otherKey]);
  });
});

describe("[X6] a client with several endpoints of which one refuses it", {
  timeout: 20_000,
}, () => {
  test("a client reports a refusal only if every endpoint refuses the client", async () => {
    const told: (Refusal | undefined)[] = [];
    const plain = await echo().bind(anyPort);
    const good = echo();
    const endpoint = await good.bind(anyPort, entrance);
    const requester = new Requester(keyed(plain, endpoint), { waits: true });
    requester.onRefusal = (refusal) => told.push(refusal);
    closing.add(requester);
    expect(String(await requester.ask(Buffer.from("hello"), 10_000))).toBe("hello");
    const alone = new Requester(keyed(plain), { waits: true });
    alone.onRefusal = (refusal) => told.push(refusal);
    closing.add(alone);
    await until(() => told.length > 0, "the one that knows no other is told");
    expect(told).toEqual(["keyUnwanted"]);
  });
});

const quiet = { onPayload: () => {}, onConnections: () => {}, onRefusal: () => {} };

describe("[X6] an encrypted broker", { timeout: 20_000 }, () => {
  test("an encrypted broker passes requests on, counts its connections, and lets workers return", async () => {
    const broker = closing.add(await localBroker(brokers));
    const one = worker();
    one.connect(...asMember(broker.back));
    await until(() => broker.connections.back === 1, "the worker is connected");
    const requester = closing.add(new Requester(keyed(broker.front), { waits: true }));
    expect(String(await requester.ask(Buffer.from("one"), 10_000))).toBe("one");
    await Promise.all(asMember(broker.back).map((endpoint) => one.disconnect(endpoint)));
    await until(() => broker.connections.back === 0, "the worker is gone");
    one.connect(...asMember(broker.back));
    await until(() => broker.connections.back === 1, "the worker is back");
    expect(String(await requester.ask(Buffer.from("two"), 10_000))).toBe("two");
  });

  test("an encrypted broker does not count a worker that lacks encryption or the members' key, and gives this worker no requests", async () => {
    const broker = closing.add(await localBroker(brokers));
    const taken: string[] = [];
    worker(taken).connect(broker.back);
    await until(() => refused.length > 0, "it is refused");
    expect(refused[0]?.endpoint).toBe(broker.back);
    // This worker has only the key that every client has.
    worker(taken).connect(...keyed(broker.back));
    await until(() => whys().includes(otherKey), "so is a client");
    const one = worker();
    one.connect(...asMember(broker.back));
    await until(() => broker.connections.back === 1, "the other one is connected");
    const requester = closing.add(new Requester(keyed(broker.front), { waits: true }));
    for (const text of ["one", "two", "three"]) await requester.ask(Buffer.from(text), 10_000);
    expect(taken).toEqual([]);
    expect(broker.connections.back).toBe(1);
  });
});

describe("a broker's count of its connections", { timeout: 20_000 }, () => {
  /**
   * Starts a broker. @returns its endpoint for workers, and the connection counts that it reports
   * there
   */
  async function counting(entrances?: Readonly<Record<Side, Entrance>>) {
    const told: number[] = [];
    const broker = await startForwarder(
      brokerRole,
      forwarderOptions((side, count) => void (side === "back" && told.push(count)), entrances),
    );
    closing.add(broker);
    return { back: broker.back, port: Number(new URL(broker.back).port), told };
  }

  test.each([
    ["plain", false],
    ["encrypted", true],
  ])("a %s broker counts only peers whose handshake succeeded", async (_kind, isEncrypted) => {
    const { back, port, told } = await counting(isEncrypted ? brokers : undefined);
    const [endpoint = ""] = isEncrypted ? asMember(back) : [back];
    const one = worker();
    one.connect(endpoint);
    await until(() => told.at(-1) === 1, "the worker is counted");
    for (const text of ["", "GET / HTTP/1.1\r\n".repeat(10), "\u0001\u0000", "\u00ff"]) {
      const socket = connect(port, "127.0.0.1").on("error", () => {});
      socket.end(text, "latin1");
      await new Promise((resolve) => socket.resume().on("close", resolve));
    }
    const misfit = closing.add(new Pull());
    const isRefused = new Promise((resolve) => misfit.events.on("disconnect", resolve));
    join(misfit, [endpoint]);
    await isRefused;
    // Events come in order: this worker's event follows those of all the others.
    worker().connect(endpoint);
    await until(() => told.length > 1, "the next one is counted");
    await one.disconnect(endpoint);
    await until(() => told.length > 2, "one is left");
    expect(told).toEqual([1, 2, 1]);
  });

  test("a broker stops counting a worker even if the worker disconnects during another peer's handshake", async () => {
    const { back, port, told } = await counting();
    const one = worker();
    one.connect(back);
    await until(() => told.at(-1) === 1, "the worker is counted");
    const mute = connect(port, "127.0.0.1");
    await once(mute, "data");
    await one.disconnect(back);
    mute.destroy();
    await until(() => told.at(-1) === 0, "nobody is left");
    one.connect(back);
    await until(() => told.at(-1) === 1, "the worker is back");
    expect(told).toEqual([1, 0, 1]);
  });
});

describe("[X6] an encrypted proxy", { timeout: 20_000 }, () => {
  test("an encrypted proxy passes publications on, and a SUB socket without a key gets none", async () => {
    const proxy = closing.add(await localProxy(proxies));
    const [heard, subscribed]: [string[], string[]] = [[], []];
    const bare = closing.add(new ZmqSubscriber({ receiveTimeout: 0 }));
    bare.connect(proxy.back);
    bare.subscribe("");
    await until(() => refused.length > 0, "the bare one is refused");
    const subscriber = closing.add(
      new Subscriber(keyed(proxy.back), (_topic, payload) => heard.push(payload.toString())),
    );
    subscriber.subscribe("topic");
    const publisher = closing.add(
      new Publisher(asMember(proxy.front), (topic) => subscribed.push(topic)),
    );
    const stranger = closing.add(new Publisher(keyed(proxy.front), () => {}));
    await until(() => whys().includes(otherKey), "it is refused");
    stranger.publish("topic", Buffer.from("a lie"));
    await until(() => subscribed.includes("topic"), "the subscription has come through");
    expect(subscribed).not.toContain("");
    publisher.publish("topic", Buffer.from("news"));
    await until(() => heard.length > 0, "it is heard");
    expect(heard).toEqual(["news"]);
    await expect(bare.receive()).rejects.toThrow();
  });
});

/** A relay in front of an endpoint that records all bytes. */
async function tap(endpoint: string) {
  const port = Number(endpoint.split(":").at(-1));
  const chunks: Buffer[] = [];
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const side of [near, far]) side.on("data", (chunk: Buffer) => chunks.push(chunk));
    for (const side of [near, far]) side.on("error", () => {});
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.add({ close: () => void server.close() });
  const bytes = () => Buffer.concat(chunks).toString("latin1");
  return { endpoint: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, bytes };
}

/** Encodes bytes as ZeroMQ RFC 32 says. */
function z85(bytes: Buffer): string {
  const digits =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    const word = bytes.readUInt32BE(at);
    for (let power = 85 ** 4; power >= 1; power /= 85) {
      text += digits[Math.floor(word / power) % 85];
    }
  }
  return text;
}
