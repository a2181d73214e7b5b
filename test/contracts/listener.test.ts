import { once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Dealer, Request } from "zeromq";
import type { Peer, Wire } from "../../src/net/wire.ts";
import { durations, limits } from "../../src/protocol/limits.ts";
import { Outgoing } from "../../src/zmtp/connection.ts";
import { byPassword, hungry, Scene } from "../support/listener-scene.ts";
import { Closing } from "../support/local-wires.ts";
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
} from "../support/zmtp.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

let closing: Closing;
beforeEach(() => {
  closing = new Closing();
});
afterEach(() => closing[Symbol.asyncDispose]());

/** Sends to a peer that does not read, until the peer's queue is full. */
function fill(peer: Peer): Promise<void> {
  return until(() => {
    peer.send(new Outgoing([Buffer.alloc(1_024 * 1_024)]));
    return peer.isFull;
  }, "it is full");
}

describe("[X8] a bound socket", { timeout: 30_000 }, () => {
  test("a bound socket gives each connection a unique name, whatever identity the peer states", async () => {
    const scene = await Scene.open(closing);
    const next = Buffer.from("006b8b4567", "hex");
    for (const identity of ["", "", next, next, Buffer.alloc(255, 1), "ana", "ana"]) {
      const [peer] = await scene.peer({ identity, minor: 0 });
      expect(framesOf(peer.heard)).toHaveLength(1);
    }
    expect(new Set(scene.names).size).toBe(7);
    for (const name of scene.names) {
      expect(name).toMatch(/^[0-9a-f]{16}$/);
      expect(name).not.toContain("6b8b4567");
    }
  });

  test("a bound socket sends each connection its own replies, even if two peers state the same identity", async () => {
    const scene = await Scene.open(closing);
    scene.onMessage = (peer) => peer.send(new Outgoing(scene.messages.at(-1)?.frames ?? []));
    const sockets = ["one", "two"].map((text) => {
      const socket = closing.add(
        new Dealer({ linger: 0, routingId: "the same", receiveTimeout: 9_000 }),
      );
      socket.connect(scene.endpoint);
      return { socket, text };
    });
    for (const { socket, text } of sockets) await socket.send(["", text]);
    for (const { socket, text } of sockets)
      expect((await socket.receive()).map(String)).toEqual(["", text]);
  });

  test.each([
    [
      "a browser",
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n\u0001\u0000\u0000\u0000",
    ],
    ["a TLS client", "\u0016\u0003\u0001\u0002\u0000\u0001"],
    ["ZMTP 1.0", "\u0001\u0000\u0000\u0003\u0000hey"],
  ])("a bound socket cuts off %s, and reports why", async (_kind, text) => {
    const scene = await Scene.open(closing);
    const peer = closing.add(new RawPeer(scene.endpoint));
    peer.say(Buffer.from(text, "latin1"));
    await peer.closed();
    expect(scene.refused).toEqual([
      expect.stringMatching(/a browser, a scanner, or ZeroMQ below 3.2/),
    ]);
    expect(scene.names).toEqual([]);
  });

  test("a peer of ZMTP 2.0 is let in where anybody may connect, and refused at members' doors", async () => {
    const asReq = Buffer.concat([greeting().subarray(0, 10), Buffer.of(1, 3), frame("a name")]);
    const [open, closed] = [
      await Scene.open(closing),
      await Scene.open(closing, { entrance: byPassword }),
    ];
    const guest = closing.add(new RawPeer(open.endpoint));
    guest.say(asReq, message("", "hello"));
    await until(() => open.messages.length === 1, "it is heard");
    const stranger = closing.add(new RawPeer(closed.endpoint));
    stranger.say(asReq, message("", "hello"));
    await stranger.closed();
    expect(closed.messages).toEqual([]);
    expect(closed.refused).toEqual([expect.stringMatching(/^it is no member/)]);
  });

  test("a bound socket ends a handshake that takes too long, but no connection whose handshake is finished", async () => {
    const scene = await Scene.open(closing);
    const [good] = await scene.peer({ minor: 0 });
    const late = [greeting().subarray(0, 1), greeting(), Buffer.alloc(0)].map((bytes) => {
      const peer = closing.add(new RawPeer(scene.endpoint));
      peer.say(bytes);
      return peer;
    });
    for (const peer of late) await peer.closed(3 * durations.handshakeMs);
    expect(good.isClosed).toBe(false);
    expect(scene.refused).toEqual([]);
  });

  test("a bound socket cuts off a silent peer whose ZMTP version has heartbeats, but no peer of an older version", async () => {
    const scene = await Scene.open(closing);
    const [old] = await scene.peer({ minor: 0 });
    const [mute] = await scene.peer();
    const lively = closing.add(new Dealer({ linger: 0 }));
    lively.connect(scene.endpoint);
    await mute.closed();
    expect(framesOf(mute.heard).map(({ flags }) => flags)).toContain(4);
    await until(() => scene.peers.size === 2, "it is gone");
    expect(old.isClosed).toBe(false);
    expect(framesOf(old.heard)).toHaveLength(1);
  });

  test("[Z5] a bound socket sends no PING to a peer that sends a PING more often than each `zmtpIntervalMs`", async () => {
    const scene = await Scene.open(closing);
    const [peer] = await scene.peer();
    const [quiet] = await scene.peer();
    const heard = ({ heard: bytes }: RawPeer, name: string) =>
      framesOf(bytes).filter(({ flags, body }) => flags === 4 && body.includes(name)).length;
    const beat = setInterval(() => peer.say(command("PING", "\0\0")), durations.zmtpIntervalMs / 4);
    await quiet.closed();
    clearInterval(beat);
    expect(heard(quiet, "PING")).toBeGreaterThan(0);
    expect(heard(peer, "PONG")).toBeGreaterThan(5);
    expect(heard(peer, "PING")).toBe(0);
  });

  test("a bound socket notices that a peer has ended even while it does not read from the peer", async () => {
    const scene = await Scene.open(closing);
    scene.onMessage = (from) => from.pause();
    const [peer] = await scene.peer();
    peer.say(message("", "a request that waits"));
    await until(() => scene.messages.length > 0, "it has come");
    await new Promise((said) => peer.socket.write(message("", "one more"), said));
    peer.socket.destroy();
    await until(() => scene.peers.size === 0, "it is gone");
  });

  test("a bound socket that pauses its reading from a peer keeps this peer connected, and later continues to read", async () => {
    const scene = await Scene.open(closing);
    const [first] = await scene.peer();
    scene.onMessage = (from) => from.pause();
    first.say(message("one"));
    await until(() => scene.messages.length === 1, "the first has come");
    const [second] = await scene.peer();
    await second.closed();
    // The socket has not read from the first peer for even longer.
    expect(first.isClosed).toBe(false);
    scene.onMessage = () => {};
    first.say(message("two"));
    for (const { from } of scene.messages) from.resume();
    await until(() => scene.messages.length === 2, "the second has come");
  });

  test("a bound socket limits the queue for a peer that does not read, and cuts off this peer after a protocol error", async () => {
    const scene = await Scene.open(closing);
    const [deaf, its] = await scene.peer({ minor: 0 });
    deaf.socket.pause();
    const large = new Outgoing([Buffer.alloc(1_024 * 1_024)]);
    await until(() => {
      its.send(large);
      return its.isFull;
    }, "it is full");
    const full = heldBytes();
    for (let count = 0; count < 1_000; count += 1)
      its.send(new Outgoing([Buffer.alloc(1_024 * 1_024)]));
    expect(heldBytes() - full).toBeLessThan(200 * 1_024 * 1_024);
    // This command has no name, so it breaks the protocol.
    deaf.say(frame("", 5));
    await until(() => scene.refused.length > 0, "it is refused");
    await until(() => scene.peers.size === 0, "it is ended");
  });

  test("a bound socket does not answer the PINGs of a peer whose queue is full", async () => {
    const scene = await Scene.open(closing);
    const [deaf, its] = await scene.peer({ minor: 0 });
    deaf.socket.pause();
    await fill(its);
    const before = (its as Wire).unreadBytes;
    const pings = Buffer.alloc(100_000 * 9, command("PING", "\0\0"));
    deaf.say(pings, message("the last"));
    await until(() => scene.messages.length > 0, "all is read");
    expect((its as Wire).unreadBytes).toBeLessThanOrEqual(before);
  });

  test("if unfinished messages have too many bytes, a bound socket cuts off the peer with the oldest unfinished message", async () => {
    const scene = await Scene.open(closing);
    const head = Buffer.from("0200000000003fffff", "hex");
    const [oldest] = await scene.peer({ minor: 0 });
    oldest.say(head, "begun");
    const many: RawPeer[] = [];
    for (let count = 0; count < 40; count += 1) {
      many.push((await scene.peer({ minor: 0 }))[0]);
    }
    const part = Buffer.alloc(3 * 1_024 * 1_024);
    const before = heldBytes();
    for (const peer of many) peer.say(head, part);
    await oldest.closed();
    await until(() => many.filter(({ isClosed }) => isClosed).length >= 20, "more go");
    expect(new Set(scene.refused)).toEqual(new Set([hungry]));
    expect(many.some(({ isClosed }) => !isClosed)).toBe(true);
    // The bound includes the 120 MiB that this process itself sends.
    expect(heldBytes() - before).toBeLessThan(400 * 1_024 * 1_024);
    const plain = closing.add(new Request({ linger: 0, sendTimeout: 9_000 }));
    plain.connect(scene.endpoint);
    await plain.send(Buffer.alloc(1_024 * 1_024));
    await until(() => scene.messages.length > 0, "a large one that ends is taken");
  });

  test("the age of a message counts from the first byte of this message, not of the sender's previous message", async () => {
    const scene = await Scene.open(closing);
    const [busy] = await scene.peer({ minor: 0 });
    const whole = message("", "a message");
    const middle = 3;
    busy.say(whole, whole.subarray(0, middle));
    await until(() => scene.messages.length === 1, "the first is there");
    const head = Buffer.from("0200000000003fffff", "hex");
    const begun: RawPeer[] = [];
    for (let count = 0; count < 40; count += 1) {
      const [peer] = await scene.peer({ minor: 0 });
      peer.say(head, "begun");
      begun.push(peer);
    }
    // The busy peer ends the older message and begins the next one in the same write.
    busy.say(whole.subarray(middle), whole.subarray(0, middle));
    await until(() => scene.messages.length === 2, "the second is there");
    const part = Buffer.alloc(3 * 1_024 * 1_024);
    for (const peer of begun) peer.say(part);
    await until(() => begun.filter(({ isClosed }) => isClosed).length >= 20, "the oldest go");
    busy.say(whole.subarray(middle));
    await until(() => scene.messages.length === 3, "the third is there");
  });

  test("a bound socket refuses a message of a million empty frames before it takes much memory", async () => {
    const scene = await Scene.open(closing);
    const before = heldBytes();
    for (const socketless of [1, 2, 3]) {
      const [peer] = await scene.peer({ minor: socketless % 2 });
      peer.say(Buffer.alloc(2_000_000, Buffer.of(1, 0)));
      await peer.closed();
    }
    expect(scene.messages).toEqual([]);
    expect(scene.refused).toEqual([hungry, hungry, hungry]);
    expect(heldBytes() - before).toBeLessThan(50 * 1_024 * 1_024);
  });

  test("a members' door lets in a peer with the password, and no peer that guesses", async () => {
    const scene = await Scene.open(closing, { entrance: byPassword });
    const stranger = closing.add(new RawPeer(scene.endpoint));
    stranger.say(greeting("PLAIN"), plainHello("a guess"), command("INITIATE", metadata("DEALER")));
    await stranger.closed();
    const plain = closing.add(new RawPeer(scene.endpoint));
    plain.say(greeting(), command("READY", metadata("DEALER")), message("", "hello"));
    await plain.closed();
    const member = closing.add(
      new Dealer({ linger: 0, plainUsername: "any", plainPassword: "the password" }),
    );
    member.connect(scene.endpoint);
    await member.send(["", "hello"]);
    await until(() => scene.messages.length > 0, "the member is heard");
    expect(scene.names).toHaveLength(1);
    expect(new Set(scene.refused)).toEqual(
      new Set(["it is no member of this cluster: its secret differs, or it has none"]),
    );
  });

  test("a handshake above an address's limit ends a random unfinished handshake of the same address, and no handshake of other addresses", async () => {
    const scene = await Scene.open(closing);
    const localAddress = "127.9.9.9";
    const other = closing.add(new RawPeer(scene.endpoint, { localAddress: "127.9.9.8" }));
    await other.hears((heard) => heard.length > 0, 5_000);
    const [shaken] = await scene.peer({ localAddress });
    const silent: RawPeer[] = [];
    for (let count = 0; count < limits.addressHandshakes + 40; count += 1) {
      const peer = closing.add(new RawPeer(scene.endpoint, { localAddress }));
      silent.push(peer);
      await once(peer.socket, "connect");
    }
    await until(() => silent.filter(({ isClosed }) => isClosed).length === 40, "40 are ended");
    // A peer that finishes its handshake is still let in.
    await scene.peer({ localAddress });
    expect([shaken.isClosed, other.isClosed]).toEqual([false, false]);
  });

  test("if one address has twice as many peers as its handshake limit, refused peers retry until all are connected", async () => {
    const scene = await Scene.open(closing);
    for (let count = 0; count < 2 * limits.addressHandshakes; count += 1) {
      const plain = closing.add(new Request({ linger: 0, reconnectInterval: 50 }));
      plain.connect(scene.endpoint);
    }
    await until(() => scene.peers.size === 2 * limits.addressHandshakes, "all are there", 20_000);
  });

  test("closing a bound socket ends all its connections, even those to peers that do not read", async () => {
    const scene = await Scene.open(closing);
    const [deaf, its] = await scene.peer({ minor: 0 });
    deaf.socket.pause();
    await fill(its);
    const [other] = await scene.peer();
    await closing[Symbol.asyncDispose]();
    await other.closed();
    closing = new Closing();
  });
});

/** The bytes of buffers that something still holds. Memory in use would have garbage too. */
function heldBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}
