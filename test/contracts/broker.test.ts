import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { Dealer, Request, Router } from "zeromq";
import { broker as brokerRole } from "../../src/broker/main.ts";
import { startForwarder } from "../../src/forwarder/forwarder.ts";
import { Responder } from "../../src/net/responder.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { limits } from "../../src/protocol/limits.ts";
import { linksBetween, Relay } from "../../src/trials/relay.ts";
import { encodeCommand, encodeMessage } from "../../src/zmtp/frames.ts";
import { type Asked, bareWorker, Client, ourWorker } from "../support/broker-parties.ts";
import { anyPort, Closing, forwarderOptions, localBroker } from "../support/local-wires.ts";
import { until } from "../support/until.ts";
import { RawPeer } from "../support/zmtp.ts";

const patienceMs = 10_000;
const empty = Buffer.alloc(0);

const question = (id: string) => encode({ service: "time", data: { id } });

const workers = [
  ["a server's", ourWorker],
  ["a bare ROUTER's", bareWorker],
] as const;

describe("[B3] a worker's late replies reach no client but the one that asked", () => {
  test.each(workers)(
    "after a broker was replaced, late replies to its clients reach no client of the new broker (the replies are %s)",
    async (_, workerOf) => {
      await using closing = new Closing();
      const first = await startForwarder(
        brokerRole,
        forwarderOptions(() => {}),
      );
      const worker = workerOf(closing, first.back);
      const before = Array.from({ length: 20 }, () => new Client(closing, first.front));
      for (const [number, client] of before.entries()) await client.ask(question(`old ${number}`));
      await until(() => worker.asked.length === 20, "the worker has all requests");
      const owed = worker.asked.splice(0);
      await first.close();
      // Half of the replies wait in libzmq's queue before the new broker starts; the other half is
      // sent later.
      for (const { to } of owed.slice(0, 10)) worker.reply(to, "owed to another one");
      const options = forwarderOptions(() => {});
      const next = closing.add(
        await startForwarder(brokerRole, {
          ...options,
          ...{ front: first.front, back: first.back },
        }),
      );
      const after = Array.from({ length: 20 }, () => new Client(closing, next.front));
      for (const [number, client] of after.entries()) await client.ask(question(`new ${number}`));
      await until(() => worker.asked.length === 20, "the worker has the new requests");
      for (const { to } of owed) worker.reply(to, "owed to another one");
      // The late replies were sent on the same connection before these.
      for (const { to, payload } of worker.asked) worker.reply(to, `to ${idOf(payload)}`);
      await until(() => after.every(({ got }) => got.length > 0), "all are answered");
      expect(after.map(({ got }) => got)).toEqual(after.map((_, number) => [`to new ${number}`]));
      expect(before.map(({ got }) => got)).toEqual(
        before.map((_, number) => [`unavailable old ${number}`]),
      );
    },
  );

  test.each(workers)(
    "a client that reconnects to a broker gets a worker's reply only if the client asks again (the reply is %s)",
    async (_, workerOf) => {
      await using closing = new Closing();
      await using broker = await localBroker();
      await using relay = await Relay.open(1);
      const way = relay.add({ from: "client", to: "broker", target: broker.front });
      const worker = workerOf(closing, broker.back);
      const client = new Client(closing, way);
      for (const number of [1, 2, 3]) await client.ask(question(`${number}`));
      await until(() => worker.asked.length === 3, "the worker has them");
      const owed = worker.asked.splice(0);
      relay.cut(linksBetween("client", ["broker"])).heal({ reset: true });
      await until(() => broker.connections.front === 0, "the connection is lost");
      await until(() => broker.connections.front === 1, "there is another");
      for (const { to } of owed) worker.reply(to, "owed to the earlier connection");
      await client.ask(question("2"));
      await until(() => worker.asked.length === 1, "it asks again");
      for (const { to, payload } of worker.asked) worker.reply(to, `to ${idOf(payload)}`);
      await until(() => client.got.length > 0, "it is answered");
      expect(client.got).toEqual(["to 2"]);
    },
  );

  test.each(workers)(
    "of two brokers, only the broker that gave a worker a request delivers the worker's reply (the reply is %s)",
    async (_, workerOf) => {
      await using closing = new Closing();
      await using one = await localBroker();
      await using other = await localBroker();
      const worker = workerOf(closing, one.back, other.back);
      const [here, there] = [new Client(closing, one.front), new Client(closing, other.front)];
      for (let number = 0; number < 10; number += 1) {
        await here.ask(`here ${number}`);
        await there.ask(`there ${number}`);
      }
      await until(() => worker.asked.length === 20, "the worker has all requests");
      const byBroker = new Map<string, Asked[]>();
      for (const asked of worker.asked) {
        const key = String(asked.to[0]?.toString("hex"));
        byBroker.set(key, [...(byBroker.get(key) ?? []), asked]);
      }
      const [a = [], b = []] = [...byBroker.values()];
      expect([a.length, b.length]).toEqual([10, 10]);
      // The worker sends each of one broker's tags to the other broker, which has no such open
      // request.
      for (const [index, asked] of a.entries()) {
        const swapped = [asked.to[0], ...(b[index]?.to.slice(1) ?? [])] as Buffer[];
        worker.reply(swapped, "from the wrong broker");
      }
      for (const { to, payload } of worker.asked.reverse()) {
        worker.reply(to, `to ${payload}`);
        worker.reply(to, "a second answer");
      }
      await until(() => here.got.length + there.got.length >= 20, "all are answered");
      const answers = (what: string) =>
        Array.from({ length: 10 }, (_, number) => `to ${what} ${number}`);
      expect(here.got.sort()).toEqual(answers("here"));
      expect(there.got.sort()).toEqual(answers("there"));
    },
  );

  test("a broker drops a reply of a worker that was not asked, and a reply without a payload", async () => {
    await using closing = new Closing();
    await using broker = await localBroker();
    const asked = bareWorker(closing, broker.back);
    await until(() => broker.connections.back === 1, "the worker is connected");
    const client = new Client(closing, broker.front);
    await client.ask("hello");
    await until(() => asked.asked.length === 1, "it has the request");
    const other = bareWorker(closing, broker.back);
    await until(() => broker.connections.back === 2, "another is connected");
    const second = new Client(closing, broker.front);
    await second.ask("of the second");
    await until(() => other.asked.length === 1, "it has a request too");
    const [{ to, payload }, { to: otherTo }] = [asked.asked[0], other.asked[0]] as [Asked, Asked];
    other.reply([otherTo[0] as Buffer, ...to.slice(1)], "forged");
    // The worker's own reply follows the forged one on the same connection.
    other.reply(otherTo, "to the second");
    await until(() => second.got.length === 1, "the second is answered");
    // This reply has the tag alone.
    asked.reply(to.slice(0, 1), to[1] as Buffer);
    asked.reply(to, `to ${payload}`);
    await until(() => client.got.length > 0, "the first is answered");
    expect(client.got).toEqual(["to hello"]);
  });
});

describe("[B2] a request with a long envelope", () => {
  test("a broker returns the whole envelope of a request, even a very long one, and stays connected to the worker", async () => {
    await using closing = new Closing();
    await using broker = await localBroker();
    const worker = ourWorker(closing, broker.back);
    const client = closing.add(new Dealer({ linger: 0, receiveTimeout: patienceMs }));
    client.connect(broker.front);
    const front = Buffer.alloc(limits.frameBytes, "f");
    const reply = Buffer.alloc(limits.frameBytes, "r");
    await client.send([front, empty, "a question"]);
    await until(() => worker.asked.length === 1, "the worker is asked");
    for (const { to } of worker.asked) worker.reply(to, reply);
    const [returned, , payload] = await client.receive();
    expect([returned?.equals(front), payload?.equals(reply)]).toEqual([true, true]);
    expect(broker.connections.back).toBe(1);
  });
});

describe("[B4] a request whose worker or broker ends", () => {
  test("if a worker ends, the broker answers the worker's open requests with `unavailable`, each in the request's own format", async () => {
    await using closing = new Closing();
    await using broker = await localBroker();
    const worker = closing.add(new Router({ linger: 0 }));
    worker.connect(broker.back);
    await until(() => broker.connections.back === 1, "the worker is connected");
    const request = { service: "publish", data: { id: "7" } };
    const text = Buffer.from(JSON.stringify([request, { service: "users", data: {} }]));
    const plain = ["msgpack", "json"].map(() => {
      const socket = closing.add(new Request({ linger: 0, receiveTimeout: patienceMs }));
      socket.connect(broker.front);
      return socket;
    });
    await plain[0]?.send(encode(request));
    await plain[1]?.send(text);
    for (const _ of plain) await worker.receive();
    worker.close();
    const [map, list] = await Promise.all(plain.map((socket) => socket.receive()));
    const error = { status: "erro", code: "unavailable", retry: true, server: "forwarder" };
    const refusal = { service: "publish", data: { ...error, id: "7" } };
    expect(decode(map?.[0] as Buffer)).toMatchObject(refusal);
    expect(JSON.parse(String(list?.[0]))).toMatchObject([refusal, { service: "users" }]);
  });

  test("a broker that stops sends the answer `unavailable` to each request that its workers have not answered", async () => {
    await using closing = new Closing();
    const broker = await startForwarder(
      brokerRole,
      forwarderOptions(() => {}),
    );
    const waiting = new Client(closing, broker.front);
    await waiting.ask(question("for a worker"));
    const worker = ourWorker(closing, broker.back);
    await until(() => worker.asked.length === 1, "the worker has it");
    await broker.close();
    await until(() => waiting.got.length === 1, "it is told");
    expect(waiting.got).toEqual(["unavailable for a worker"]);
  });
});

describe("[B5] a client that waits for a worker", () => {
  test("if a client ends while its request waits in the broker for a worker, the broker drops the request", async () => {
    await using closing = new Closing();
    await using broker = await localBroker();
    const { socket } = closing.add(await RawPeer.shaken(broker.front));
    socket.write(encodeMessage([empty, Buffer.from("one")]));
    // Once a second peer is let in, the broker has read the first one's message.
    closing.add(await RawPeer.shaken(broker.front));
    socket.end(encodeCommand("PING", Buffer.from("\0\0")));
    await until(() => broker.connections.front === 1, "its end is noticed");
    const client = new Client(closing, broker.front);
    await client.ask("two");
    const worker = ourWorker(closing, broker.back);
    await until(() => worker.asked.length > 0, "the worker is asked");
    expect(worker.asked.map(({ payload }) => String(payload))).toEqual(["two"]);
  });

  test("a client that waits for a worker still gets answers to its heartbeats from the broker", async () => {
    await using closing = new Closing();
    await using broker = await localBroker();
    const peer = closing.add(await RawPeer.shaken(broker.front));
    peer.say(encodeMessage([empty, Buffer.from("hello")]));
    await until(() => broker.connections.front === 1, "it is there");
    for (const number of [1, 2, 3]) {
      const context = `heartbeat ${number}`;
      peer.say(encodeCommand("PING", Buffer.from(`\0\0${context}`)));
      await until(() => peer.heard.includes(context), "it is answered");
    }
  });
});

test("[X8] a broker ends unfinished handshakes to let in new connections from the same address", async () => {
  await using closing = new Closing();
  await using broker = await localBroker();
  const worker = ourWorker(closing, broker.back);
  const { port } = new URL(broker.front);
  const idle = Array.from({ length: 2 * limits.addressHandshakes }, () => {
    const socket = connect(Number(port), "127.0.0.1").on("error", () => {});
    closing.add({ close: () => void socket.destroy() });
    return socket.resume();
  });
  const ended = () => idle.filter(({ closed }) => closed).length;
  await until(() => ended() === limits.addressHandshakes, "the oldest are ended");
  const client = new Client(closing, broker.front);
  await client.ask("a question");
  await until(() => worker.asked.length === 1, "somebody else of that address is let in");
  expect(ended()).toBe(limits.addressHandshakes + 1);
});

test("[X8] a bound socket cuts off a peer that breaks the protocol, even if the peer does not read", async () => {
  await using closing = new Closing();
  let asked = 0;
  const page = Buffer.alloc(1_000_000);
  const responder: Responder = closing.add(
    new Responder((to) => {
      asked += 1;
      responder.reply(to, page);
    }),
  );
  responder.start();
  const endpoint = await responder.bind(anyPort);
  // The peer speaks ZMTP 3.0, which has no heartbeats, so no missing heartbeat can end it.
  const peer = closing.add(await RawPeer.shaken(endpoint, { minor: 0 }));
  const { socket } = peer;
  socket.pause();
  // The replies are more than the kernels on both sides hold.
  for (let number = 0; number < 16; number += 1) {
    socket.write(encodeMessage([empty, Buffer.from("a page")]));
  }
  await until(() => asked === 16, "it has asked");
  socket.write(Buffer.from([0xff, 0, 0, 0]));
  // The peer writes until the kernel reports that the connection is gone.
  await until(() => {
    socket.write(Buffer.from([0xff]));
    return peer.isClosed || socket.destroyed;
  }, "it is cut off");
});

function idOf(payload: Buffer): string {
  return (decode(payload) as { data: { id: string } }).data.id;
}
