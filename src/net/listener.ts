import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { unlinkSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { now } from "../platform/clock.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import { durations, limits } from "../protocol/limits.ts";
import { type Bounds, Connection, type Outgoing } from "../zmtp/connection.ts";
import { curveReady } from "../zmtp/curve-handshake.ts";
import type { Door } from "../zmtp/handshake.ts";
import type { SocketType } from "../zmtp/metadata.ts";
import { Refused, type RefusedBecause } from "../zmtp/refused.ts";
import { AddressBook, addressOf } from "./address-book.ts";

/** Who is let in at a bound socket. */
export interface Entrance {
  readonly doors: readonly Door[];
  /** Somebody was not let in at that endpoint, or was cut off. */
  onRefused(endpoint: string, why: string): void;
}

/** One connection whose handshake was good. */
export interface Peer {
  /** 8 random bytes that no other connection ever has, here or at another process. */
  readonly name: Buffer;
  /** Where it connects from, as far as bounds go. */
  readonly address: string;
  /** Above the bound of what waits for it the message is dropped: whoever misses it asks again. */
  send(message: Outgoing): void;
  /** Whether it is sent no more: it reads too slowly, or its connection is being closed. */
  readonly isFull: boolean;
  /** Reads nothing of it until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends the connection, for a peer that goes beyond a bound. */
  refuse(because: RefusedBecause): void;
  /** Ends the connection, once what it is to be told is told; the peer may come again. */
  end(): void;
}

export interface ListenerOptions {
  readonly socketType: SocketType;
  /** Types of sockets that may connect. */
  readonly peers: readonly SocketType[];
  readonly bounds: Bounds;
  readonly entrance: Entrance;
  onPeer(peer: Peer): void;
  onMessage(peer: Peer, frames: Buffer[]): void;
  onGone(peer: Peer): void;
}

export const anybody: Entrance = { doors: [{ mechanism: "NULL" }], onRefused: () => {} };

const tickMs = 250;
const lingerMs = 500;
const nameBytes = 8;

/**
 * A bound ZeroMQ socket without libzmq, which aborts, swells or stops at what any peer may send. Speaks
 * ZMTP 3 over TCP and Unix sockets; what each peer may send, and each address, is bounded.
 */
export class Listener {
  /** Where it is bound, with its real port. */
  readonly endpoint: string;
  readonly #server: Server;
  readonly #options: ListenerOptions;
  readonly #addresses = new AddressBook();
  readonly #wires = new Set<Wire>();
  /** Bytes of messages that have not wholly come; where one began first stands first. */
  readonly #held = new Map<Wire, number>();
  #heldBytes = 0;
  readonly #timer: NodeJS.Timeout;
  #tickedMs = now().steadyMs;

  private constructor(server: Server, endpoint: string, options: ListenerOptions) {
    this.#server = server;
    this.endpoint = endpoint;
    this.#options = options;
    server.on("connection", (socket) => this.#accept(socket));
    // An address with no file left for one more connection: those that are there go on.
    server.on("error", () => {});
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** @throws Problem if the port is taken, or the address is not this machine's */
  static async bind(endpoint: string, options: ListenerOptions): Promise<Listener> {
    await curveReady;
    const server = createServer({ noDelay: true, keepAlive: true });
    const bound = await listen(server, endpoint);
    return new Listener(server, bound, options);
  }

  /** Sends what waits, for a moment at most, and lets go of all. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const wire of this.#wires) wire.end();
    const late = setTimeout(() => {
      for (const wire of this.#wires) wire.destroy();
    }, lingerMs);
    await closed;
    clearTimeout(late);
  }

  #accept(socket: Socket): void {
    const address = addressOf(socket.remoteAddress);
    const { steadyMs } = now();
    if (!this.#addresses.admit(address, steadyMs)) {
      socket.resetAndDestroy();
      return;
    }
    const wire: Wire = new Wire(socket, address, this.#options, {
      onShaken: () => this.#addresses.shaken(address),
      onClosed: () => {
        this.#addresses.gone(address);
        this.#wires.delete(wire);
        this.#hold(wire, 0);
      },
      onRefused: (because) => this.#tell(because),
      onHeld: (bytes) => this.#hold(wire, bytes),
    });
    this.#wires.add(wire);
    if (this.#addresses.isCrowded(address)) this.#endOldestHandshake(address);
  }

  /** A handshake takes milliseconds: whoever holds one up gives way to whoever has just come. */
  #endOldestHandshake(address: string): void {
    for (const wire of this.#wires) {
      if (!wire.isShaking || wire.address !== address) continue;
      return wire.giveWay();
    }
  }

  /** However many peers begin messages that they don't end, what they fill has a bound. */
  #hold(wire: Wire, bytes: number): void {
    this.#heldBytes += bytes - (this.#held.get(wire) ?? 0);
    if (bytes > 0) this.#held.set(wire, bytes);
    else this.#held.delete(wire);
    for (const [oldest, held] of this.#held) {
      if (this.#heldBytes <= limits.heldBytesOfAll) return;
      this.#heldBytes -= held;
      this.#held.delete(oldest);
      this.#tell("tooLarge");
      oldest.destroy();
    }
  }

  #tell(because: RefusedBecause): void {
    this.#options.entrance.onRefused(this.endpoint, whyRefused[because]);
  }

  #tick(): void {
    const { steadyMs } = now();
    // A process that was stopped has heard nobody meanwhile, which is nobody's fault.
    const wasStopped = steadyMs - this.#tickedMs > 2 * tickMs;
    this.#tickedMs = steadyMs;
    let unread = 0;
    for (const wire of this.#wires) {
      if (wasStopped) wire.excuse(steadyMs);
      wire.tick(steadyMs);
      unread += wire.unreadBytes;
    }
    if (unread > limits.unreadBytesOfAll) this.#endLargest(unread);
  }

  /** Those who read least pay for it. */
  #endLargest(unread: number): void {
    const largest = [...this.#wires].sort((a, b) => b.unreadBytes - a.unreadBytes);
    let left = unread;
    for (const wire of largest) {
      if (left <= limits.unreadBytesOfAll) return;
      left -= wire.unreadBytes;
      wire.destroy();
    }
  }
}

const protocolBroken = "it breaks the protocol, or a bound of it";

const whyRefused: Readonly<Record<RefusedBecause, string>> = {
  notZmtp: "it speaks something else than ZMTP: a browser, a scanner, or ZeroMQ below 3.2",
  keyWanted: "it is not encrypted: a member wants --curve, a client the cluster's key",
  memberWanted: "it is no member of this cluster: its secret differs, or it has none",
  otherKey: "it has another key than this endpoint's",
  otherSocket: "its socket is of a type that has nothing to say here",
  tooLarge: protocolBroken,
  malformed: protocolBroken,
};

interface WireEvents {
  onShaken(): void;
  onClosed(): void;
  onRefused(because: RefusedBecause): void;
  /** So many bytes of a message have come, but not its end. */
  onHeld(bytes: number): void;
}

/** One TCP connection and what is said over it. */
class Wire implements Peer {
  readonly name = randomBytes(nameBytes);
  readonly address: string;
  readonly #socket: Socket;
  readonly #options: ListenerOptions;
  readonly #events: WireEvents;
  readonly #connection: Connection;
  /** What this turn of the loop has to say, to be written at once. */
  #unwritten: Buffer[] = [];
  #unwrittenBytes = 0;
  #isShaking = true;
  #isPaused = false;
  /** When it began to end. */
  #endedMs: number | undefined;
  readonly #openedMs = now().steadyMs;
  #heardMs = now().steadyMs;
  #pingedMs = 0;
  #heldBytes = 0;

  constructor(socket: Socket, address: string, options: ListenerOptions, events: WireEvents) {
    this.#socket = socket;
    this.address = address;
    this.#options = options;
    this.#events = events;
    const { socketType, peers, bounds, entrance } = options;
    const settings = { socketType, peers, bounds, doors: entrance.doors };
    this.#connection = new Connection(
      { ...settings, random: randomBytes, isEqual },
      {
        write: (bytes) => this.#write(bytes),
        onReady: () => this.#ready(),
        onMessage: (frames) => options.onMessage(this, frames),
      },
    );
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", () => {});
    socket.on("end", () => this.end());
    socket.on("close", () => this.#closed());
    this.#connection.start();
  }

  get unreadBytes(): number {
    return this.#socket.writableLength + this.#unwrittenBytes;
  }

  get isFull(): boolean {
    return this.#isEnding || this.unreadBytes > limits.unreadBytes;
  }

  get isShaking(): boolean {
    return this.#isShaking;
  }

  get #isEnding(): boolean {
    return this.#endedMs !== undefined;
  }

  send(message: Outgoing): void {
    if (!this.isFull) this.#connection.send(message);
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#heardMs = now().steadyMs;
    this.#socket.resume();
  }

  refuse(because: RefusedBecause): void {
    if (this.#isEnding) return;
    this.#events.onRefused(because);
    this.end();
  }

  /** Closes it once what it has to say is said: soon, for a peer may never read it. */
  end(): void {
    if (this.#isEnding) return;
    this.#flush();
    this.#endedMs = now().steadyMs;
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends its handshake, and counts as gone from it at once. */
  giveWay(): void {
    this.#shaken();
    this.destroy();
  }

  excuse(steadyMs: number): void {
    this.#heardMs = steadyMs;
  }

  tick(steadyMs: number): void {
    if (this.#endedMs !== undefined) {
      if (steadyMs - this.#endedMs > lingerMs) this.destroy();
      return;
    }
    if (this.#isShaking) {
      if (steadyMs - this.#openedMs > durations.handshakeMs) this.destroy();
      return;
    }
    if (!this.#connection.knowsHeartbeats) return;
    // A peer that is not read can't be heard; that it is gone shows by what is written to it.
    const isSilent = !this.#isPaused && steadyMs - this.#heardMs > durations.zmtpTimeoutMs;
    if (isSilent) return this.destroy();
    if (steadyMs - this.#pingedMs < durations.zmtpIntervalMs || this.isFull) return;
    this.#pingedMs = steadyMs;
    this.#connection.ping();
  }

  #take(chunk: Buffer): void {
    if (this.#isEnding) return;
    this.#heardMs = now().steadyMs;
    try {
      this.#connection.receive(chunk);
      const { heldBytes } = this.#connection;
      if (heldBytes !== this.#heldBytes) this.#events.onHeld(heldBytes);
      this.#heldBytes = heldBytes;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.refuse(error.because);
    }
  }

  #ready(): void {
    this.#shaken();
    this.#options.onPeer(this);
  }

  #shaken(): void {
    if (!this.#isShaking) return;
    this.#isShaking = false;
    this.#events.onShaken();
  }

  #closed(): void {
    this.#endedMs ??= now().steadyMs;
    this.#shaken();
    this.#events.onClosed();
    if (this.#connection.isReady) this.#options.onGone(this);
  }

  /** Also what answers a peer's own words is dropped above the bound. */
  #write(bytes: Buffer): void {
    if (this.isFull) return;
    this.#unwrittenBytes += bytes.length;
    if (this.#unwritten.push(bytes) === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const bytes = this.#unwritten;
    if (bytes.length === 0) return;
    this.#unwritten = [];
    this.#unwrittenBytes = 0;
    if (this.#socket.destroyed) return;
    this.#socket.write(bytes.length === 1 ? (bytes[0] as Buffer) : Buffer.concat(bytes));
  }
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** @returns the endpoint with its real port */
async function listen(server: Server, endpoint: string): Promise<string> {
  const [, path] = /^ipc:\/\/(.+)$/.exec(endpoint) ?? [];
  const [, host = "", port = ""] = /^tcp:\/\/(.+):(\d+|\*)$/.exec(endpoint) ?? [];
  try {
    if (path !== undefined) {
      await removeStale(path);
      server.listen(path);
    } else {
      const number = port === "*" ? 0 : Number(port);
      server.listen({
        host: host === "*" ? "0.0.0.0" : host.replace(/^\[(.+)\]$/, "$1"),
        port: number,
      });
    }
    await once(server, "listening");
  } catch (error) {
    throw new Problem(whyUnbound(endpoint, errorCode(error)));
  }
  if (path !== undefined) return endpoint;
  const { address, port: bound, family } = server.address() as AddressInfo;
  return `tcp://${family === "IPv6" ? `[${address}]` : address}:${bound}`;
}

function whyUnbound(endpoint: string, code: string | undefined): string {
  if (code === "EADDRINUSE") {
    return `${endpoint} is taken: stop what uses it, or choose another port.`;
  }
  if (code === "EACCES") {
    return `${endpoint} may not be used by this user: choose a port above 1023.`;
  }
  return `${endpoint} can't be bound (${code}): give an address of this machine.`;
}

/** A process that was killed leaves its Unix socket behind, at which nobody answers. */
async function removeStale(path: string): Promise<void> {
  const probe = connect(path);
  try {
    await once(probe, "connect");
  } catch (error) {
    if (errorCode(error) === "ECONNREFUSED") unlinkSync(path);
  } finally {
    probe.destroy();
  }
}
