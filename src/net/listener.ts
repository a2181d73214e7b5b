import { randomInt } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { now } from "../platform/clock.ts";
import { limits } from "../protocol/limits.ts";
import type { Bounds } from "../zmtp/connection.ts";
import type { Door } from "../zmtp/handshake.ts";
import type { SocketType } from "../zmtp/metadata.ts";
import type { RefusedBecause } from "../zmtp/refused.ts";
import { AddressBook, addressOf } from "./address-book.ts";
import { listen } from "./listen.ts";
import { lingerMs, type Peer, Wire } from "./wire.ts";
import { tickWires } from "./wire-ticks.ts";

/** Decides which peers a bound socket accepts. */
export interface Entrance {
  /** The accepted ways to connect; a peer may use any of them. */
  readonly doors: readonly Door[];
  /** Called when a peer was refused, or when its connection was ended for breaking a bound. */
  onRefused(endpoint: string, why: string): void;
}

export interface ListenerOptions {
  readonly socketType: SocketType;
  /** The socket types of peers that may connect. */
  readonly peers: readonly SocketType[];
  readonly bounds: Bounds;
  readonly entrance: Entrance;
  onPeer(peer: Peer): void;
  onMessage(peer: Peer, frames: Buffer[]): void;
  onGone(peer: Peer): void;
}

export const anybody: Entrance = { doors: [{ mechanism: "NULL" }], onRefused: () => {} };

/** The bounds for requests and publications. */
export const messageBounds = {
  frameBytes: limits.frameBytes,
  frames: limits.messageFrames,
  messageBytes: limits.frameBytes + limits.requestBytes,
} as const;

/**
 * A bound ZeroMQ socket without libzmq, because any peer's bytes can make libzmq abort, hang or use
 * much memory (decision 0013). The class speaks ZMTP over TCP and Unix sockets, within bounds for
 * each peer and each address (Z1 to Z7).
 */
export class Listener {
  /** The bound endpoint with its real port. */
  readonly endpoint: string;
  readonly #server: Server;
  readonly #options: ListenerOptions;
  readonly #addresses = new AddressBook();
  readonly #wires = new Set<Wire>();
  /** The connections in their handshake. */
  readonly #shaking = new Set<Wire>();
  /** Bytes of unfinished messages by connection; the oldest message comes first. */
  readonly #held = new Map<Wire, number>();
  #heldBytes = 0;
  readonly #timer: NodeJS.Timeout;

  private constructor(server: Server, endpoint: string, options: ListenerOptions) {
    this.#server = server;
    this.endpoint = endpoint;
    this.#options = options;
    server.on("connection", (socket) => this.#accept(socket));
    // An error here means that no file descriptor is left for a new connection; open connections go on.
    server.on("error", () => {});
    this.#timer = tickWires(
      () => this.#wires,
      () => this.#boundUnread(),
    );
  }

  /** @throws Problem if the port is taken, or the address is not this machine's */
  static async bind(endpoint: string, options: ListenerOptions): Promise<Listener> {
    const server = createServer({ noDelay: true, keepAlive: true });
    const bound = await listen(server, endpoint);
    return new Listener(server, bound, options);
  }

  /**
   * Stops listening, and ends each connection when its queued data is written, but after `lingerMs`
   * at the latest.
   */
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
    if (!this.#addresses.admit(address, now().steadyMs)) {
      socket.resetAndDestroy();
      return;
    }
    const { socketType, peers, bounds, entrance, onPeer, onMessage, onGone } = this.#options;
    const settings = { address, socketType, peers, bounds, security: { doors: entrance.doors } };
    const wire: Wire = new Wire(socket, settings, {
      onShaken: () => {
        this.#shaking.delete(wire);
        this.#addresses.shaken(address);
      },
      onReady: () => onPeer(wire),
      onMessage: (frames) => onMessage(wire, frames),
      onDrained: () => {},
      onClosed: ({ wasReady }) => {
        this.#addresses.gone(address);
        this.#wires.delete(wire);
        this.#hold(wire, 0);
        if (wasReady) onGone(wire);
      },
      onRefused: (because) => this.#tell(because),
      onHeld: (bytes) => this.#hold(wire, bytes),
    });
    this.#wires.add(wire);
    if (this.#addresses.isCrowded(address)) this.#giveOneUp(address);
    this.#shaking.add(wire);
  }

  /**
   * Ends one unfinished handshake of the address, chosen at random. Honest handshakes are short, so
   * they are rarely chosen. Even if many slow handshakes begin at once, some succeed.
   */
  #giveOneUp(address: string): void {
    const shaking = [...this.#shaking].filter((wire) => wire.address === address);
    shaking[randomInt(Math.max(1, shaking.length))]?.giveUp();
  }

  /**
   * Limits the memory for unfinished messages: above the bound, ends the connections with the
   * oldest unfinished messages (Z6).
   */
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

  #boundUnread(): void {
    let unread = 0;
    for (const wire of this.#wires) unread += wire.unreadBytes;
    if (unread > limits.unreadBytesOfAll) this.#endLargest(unread);
  }

  /**
   * Closes the connections with the most unread bytes, one after the other, until the sum of all
   * unread bytes is within the bound.
   */
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
  keyUnwanted: "it gives a key, and nothing is encrypted here",
  memberWanted: "it is no member of this cluster: its secret differs, or it has none",
  otherKey: "it has another key than this endpoint's",
  otherSocket: "its socket is of a type that has nothing to say here",
  tooLarge: protocolBroken,
  malformed: protocolBroken,
};
