import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sodium from "libsodium-wrappers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { curveKeyPair, Router } from "zeromq";
import { BrokeredResponder } from "../../src/net/brokered-responder.ts";
import type { Refusal } from "../../src/net/connection-refusal.ts";
import { Dealer } from "../../src/net/dealer.ts";
import { listen } from "../../src/net/listen.ts";
import { anybody } from "../../src/net/listener.ts";
import { Requester } from "../../src/net/requester.ts";
import { Responder } from "../../src/net/responder.ts";
import { withKey } from "../../src/platform/endpoint.ts";
import { Problem } from "../../src/platform/problem.ts";
import { anyPort, Closing, localBroker } from "../support/local-wires.ts";
import { until } from "../support/until.ts";

await sodium.ready;
let closing: Closing;
beforeEach(() => {
  closing = new Closing();
});
afterEach(() => closing[Symbol.asyncDispose]());

/** A DEALER, and all that it has told. */
function open(...endpoints: string[]) {
  const told = {
    messages: [] as string[],
    connections: [] as number[],
    refusals: [] as (Refusal | undefined)[],
    sendable: 0,
  };
  const dealer = new Dealer(endpoints, {
    onMessage: (frames) => told.messages.push(frames.map(String).join("|")),
    onConnections: (count) => told.connections.push(count),
    onRefusal: (refusal) => told.refusals.push(refusal),
    onSendable: () => {
      told.sendable += 1;
    },
  });
  closing.add(dealer);
  const send = (...frames: string[]) => dealer.send(frames.map((frame) => Buffer.from(frame)));
  return { told, dealer, send };
}

const connected = ({ told }: ReturnType<typeof open>, count = 1) =>
  until(() => told.connections.at(-1) === count, `${count} connections`);

/** A ROUTER of libzmq that returns each message. */
async function echoing(options: ConstructorParameters<typeof Router>[0] = {}) {
  const router = new Router({ linger: 0, ...options });
  await router.bind(anyPort);
  void (async () => {
    try {
      for await (const frames of router) await router.send(frames);
    } catch {
      // The socket was closed.
    }
  })();
  closing.add(router);
  return router.lastEndpoint ?? "";
}

/** A responder that returns each payload after its own name. */
async function named(name: string, endpoint = anyPort, entrance = anybody) {
  const responder: Responder = new Responder((to, payload) =>
    responder.reply(to, Buffer.from(`${name}${payload}`)),
  );
  responder.start();
  closing.add(responder);
  return { responder, endpoint: await responder.bind(endpoint, entrance) };
}

/** A pipe to an endpoint, which stops reading what comes from the connecting side while a test wants it to. */
async function piped(endpoint: string) {
  const port = Number(endpoint.split(":").at(-1));
  const sockets: [Socket, Socket][] = [];
  const server = createServer((socket) => {
    const on = connect(port, "127.0.0.1");
    sockets.push([socket, on]);
    for (const one of [socket, on]) one.on("error", () => {});
    socket.pipe(on).pipe(socket);
    socket.on("close", () => on.destroy());
  });
  closing.add({ close: () => void server.close() });
  return {
    endpoint: await listen(server, anyPort),
    stop: () => {
      for (const [socket, on] of sockets) socket.unpipe(on).pause();
    },
    goOn: () => {
      for (const [socket, on] of sockets) socket.pipe(on);
    },
  };
}

describe("[Z8] a socket that connects", () => {
  test("a connecting socket exchanges messages with libzmq's ROUTER, without encryption and with CURVE", async () => {
    const { publicKey, secretKey } = curveKeyPair();
    const encrypted = { curveServer: true, curvePublicKey: publicKey, curveSecretKey: secretKey };
    const hex = decodeZ85(publicKey);
    const plain = await echoing();
    const curve = await echoing(encrypted);
    for (const endpoint of [plain, ...withKey([curve], hex)]) {
      const socket = open(endpoint);
      await connected(socket);
      const long = "x".repeat(100_000);
      for (const text of ["hello", long]) expect(socket.send("1", "", text)).toBe(true);
      await until(() => socket.told.messages.length === 2, "both come back");
      expect(socket.told.messages).toEqual(["1||hello", `1||${long}`]);
    }
  });

  test("a connecting socket has a new connection soon after the bound socket has restarted", async () => {
    const first = await named("first ");
    const socket = open(first.endpoint);
    await connected(socket);
    await first.responder.close();
    await connected(socket, 0);
    expect(socket.send("", "lost")).toBe(false);
    await named("second ", first.endpoint);
    await connected(socket);
    expect(socket.told.sendable).toBe(1);
    socket.send("", "hello");
    await until(() => socket.told.messages.length > 0, "an answer");
    expect(socket.told.messages).toEqual(["|second hello"]);
  });

  test("a connecting socket sends to its connected peers in turn", async () => {
    const [one, two] = [await named("one "), await named("two ")];
    const socket = open(one.endpoint, two.endpoint);
    await connected(socket, 2);
    for (let count = 0; count < 10; count += 1) socket.send("", "hello");
    await until(() => socket.told.messages.length === 10, "ten answers");
    const answers = socket.told.messages.map((text) => text.split(" ")[0]);
    expect(answers.filter((answer) => answer === "|one")).toHaveLength(5);
    await one.responder.close();
    await connected(socket, 1);
    socket.send("", "hello");
    await until(() => socket.told.messages.length === 11, "an answer of the other one");
    expect(socket.told.messages.at(-1)).toBe("|two hello");
  });

  test("a connecting socket reaches Unix sockets, and names of this machine", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tertulia-dealer-"));
    closing.add({ close: () => rmSync(folder, { recursive: true }) });
    const { endpoint: path } = await named("by path ", `ipc://${join(folder, "socket")}`);
    const { endpoint: address } = await named("by name ");
    const { endpoint: newer } = await named("by IPv6 ", "tcp://[::1]:*");
    const places = [path, address.replace("127.0.0.1", "localhost"), newer];
    for (const [at, how] of ["path", "name", "IPv6"].entries()) {
      const socket = open(places[at] ?? "");
      await connected(socket);
      socket.send("", "hello");
      await until(() => socket.told.messages.length > 0, "an answer");
      expect(socket.told.messages).toEqual([`|by ${how} hello`]);
    }
  });

  test("a connecting socket takes no message for a peer that does not read, and tells when there is room again", async () => {
    const { endpoint } = await named("");
    const pipe = await piped(endpoint);
    const socket = open(pipe.endpoint);
    await connected(socket);
    pipe.stop();
    const megabyte = "x".repeat(1_000_000);
    let taken = 0;
    await until(() => {
      if (socket.send("", megabyte)) taken += 1;
      else return true;
      return false;
    }, "the socket takes no more");
    expect(taken).toBeGreaterThan(15);
    expect(taken).toBeLessThan(40);
    expect(socket.told.sendable).toBe(0);
    pipe.goOn();
    await until(() => socket.told.sendable === 1, "there is room again");
    expect(socket.send("", "more")).toBe(true);
  });

  test("replies to a broker that reads too slowly wait, and all of them arrive", async () => {
    const broker = closing.add(await localBroker());
    const pipe = await piped(broker.back);
    const megabyte = Buffer.alloc(1_000_000, "x");
    let asked = 0;
    const worker: BrokeredResponder = new BrokeredResponder((to) => {
      asked += 1;
      worker.reply(to, megabyte);
    });
    worker.start();
    closing.add(worker).connect(pipe.endpoint);
    await until(() => broker.connections.back === 1, "the worker is connected");
    const requester = closing.add(new Requester([broker.front], { waits: true }));
    await requester.ask(Buffer.from("first"), 10_000);
    pipe.stop();
    const questions = Array.from({ length: 40 }, (_, at) =>
      requester.ask(Buffer.from(`${at}`), 10_000),
    );
    await until(() => asked === 41, "all questions have come");
    pipe.goOn();
    const answers = await Promise.all(questions);
    expect(answers.map(({ length }) => length)).toEqual(Array(40).fill(1_000_000));
  });

  test("a connecting socket is told why it is refused, and once it is accepted", async () => {
    const { publicKey, privateKey: secretKey } = sodium.crypto_box_keypair();
    const door = { mechanism: "CURVE", keys: { publicKey, secretKey } } as const;
    const { responder, endpoint } = await named("", anyPort, { ...anybody, doors: [door] });
    const otherKey = "ab".repeat(32);
    const [guest, stranger] = [open(endpoint), open(...withKey([endpoint], otherKey))];
    await until(() => guest.told.refusals.length > 0, "the one without a key is refused");
    await until(() => stranger.told.refusals.length > 0, "the one with another key is refused");
    expect(guest.told.refusals[0]).toBe("keyWanted");
    expect(stranger.told.refusals[0]).toBe("otherKey");
    await responder.close();
    await named("", endpoint);
    await until(() => guest.told.refusals.at(-1) === undefined, "it is accepted");
    await until(() => stranger.told.refusals.at(-1) === "keyUnwanted", "no key is wanted any more");
  });

  test("a connecting socket without a key is not refused by a peer that ends the connection", async () => {
    let ended = 0;
    const server = createServer((socket) => {
      ended += 1;
      socket.on("error", () => {});
      socket.end();
    });
    const socket = open(await listen(server, anyPort));
    closing.add({ close: () => void server.close() });
    await until(() => ended > 2, "it tries again");
    expect(socket.told.refusals).toEqual([]);
  });

  test("an invalid endpoint throws a Problem", () => {
    for (const endpoint of [
      "tcp://127.0.0.1",
      "tcp://:5555",
      "tcp://localhost:abc",
      "tcp://localhost:99999",
      "hello",
    ]) {
      expect(() => open(endpoint)).toThrow(Problem);
    }
  });

  test("a bound socket reports no refusal if the peer closes during the handshake", async () => {
    const refused: string[] = [];
    const responder = closing.add(new Responder(() => {}));
    const endpoint = await responder.bind(anyPort, {
      ...anybody,
      onRefused: (_, why) => refused.push(why),
    });
    for (let count = 0; count < 20; count += 1) {
      const { dealer } = open(endpoint);
      if (count % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      dealer.close();
    }
    await connected(open(endpoint));
    expect(refused).toEqual([]);
  });
});

/** The bytes of a key in libzmq's notation, in hex. */
function decodeZ85(text: string): string {
  const letters =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
  const bytes = Buffer.alloc((text.length / 5) * 4);
  for (let at = 0; at < text.length / 5; at += 1) {
    const part = [...text.slice(5 * at, 5 * at + 5)];
    bytes.writeUInt32BE(
      part.reduce((sum, letter) => sum * 85 + letters.indexOf(letter), 0),
      4 * at,
    );
  }
  return bytes.toString("hex");
}
