import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { now } from "../platform/clock.ts";
import { durations, limits } from "../protocol/limits.ts";
import { Connection, type ConnectionOptions, type Outgoing } from "../zmtp/connection.ts";
import { pieceBytes } from "../zmtp/frames.ts";
import { Refused, type RefusedBecause } from "../zmtp/refused.ts";

/** A connection whose handshake has succeeded. */
export type Peer = Omit<Wire, "destroy" | "giveUp" | "leave" | "excuse" | "tick" | "unreadBytes">;

type WireSettings = Pick<ConnectionOptions, "socketType" | "peers" | "security" | "bounds"> & {
  readonly address: string;
};

interface WireEvents {
  /** Called when the handshake has ended, successfully or not. */
  onShaken(): void;
  /** Called when the handshake has succeeded. */
  onReady(): void;
  onMessage(frames: Buffer[]): void;
  /** Called when all that waited for the peer is written. */
  onDrained(): void;
  /** @param end `byPeer` if the peer closed the connection without an error */
  onClosed(end: { readonly wasReady: boolean; readonly byPeer: boolean }): void;
  onRefused(because: RefusedBecause): void;
  /** Called after each change of the bytes that the peer's unfinished message takes in memory. */
  onHeld(bytes: number): void;
}

/** The most milliseconds for which a closing connection may write its queued data. */
export const lingerMs = 500;
const nameBytes = 8;

/** One ZMTP connection over TCP or a Unix socket. */
export class Wire {
  /** 8 random bytes; no other connection of any process has the same name. */
  readonly name = randomBytes(nameBytes);
  /** The address for which the listener counts connections: a host, or an IPv6 network. */
  readonly address: string;
  readonly #socket: Socket;
  readonly #events: WireEvents;
  readonly #connection: Connection;
  /** Bytes to be written together at the end of this turn of the event loop. */
  #unwritten: Buffer[] = [];
  #unwrittenBytes = 0;
  #isShaking = true;
  #isPaused = false;
  #isEndedByPeer = false;
  /** Steady time at which closing began; undefined while the connection is open. */
  #endedMs: number | undefined;
  readonly #openedMs = now().steadyMs;
  #heardMs = now().steadyMs;
  #pingedMs = 0;
  #heldBytes = 0;

  constructor(socket: Socket, { address, ...settings }: WireSettings, events: WireEvents) {
    this.#socket = socket;
    this.address = address;
    this.#events = events;
    this.#connection = new Connection(
      { ...settings, random: randomBytes, isEqual },
      {
        write: (bytes) => this.#write(bytes),
        onReady: () => {
          this.#shaken();
          events.onReady();
        },
        onMessage: (frames) => {
          this.#hold(0);
          events.onMessage(frames);
        },
      },
    );
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("drain", () => events.onDrained());
    socket.on("error", () => {});
    socket.on("end", () => {
      this.#isEndedByPeer = !this.isEnding;
      this.end();
    });
    socket.on("close", () => this.#closed());
    this.#connection.start();
  }

  /**
   * The name that the peer gives itself, one character per byte; empty if the peer gives no name.
   * No decision depends on the name (Z2).
   */
  get identity(): string {
    return this.#connection.identity;
  }

  get isReady(): boolean {
    return this.#connection.isReady;
  }

  get unreadBytes(): number {
    return this.#socket.writableLength + this.#unwrittenBytes;
  }

  /**
   * Whether `send` drops messages: the peer reads too slowly, or the connection is being closed.
   */
  get isFull(): boolean {
    return this.isEnding || this.unreadBytes > limits.unreadBytes;
  }

  get isEnding(): boolean {
    return this.#endedMs !== undefined;
  }

  /** Sends a message; drops it while `isFull`. */
  send(message: Outgoing): void {
    if (!this.isFull) this.#connection.send(message);
  }

  /** Stops reading from the peer until `resume`. */
  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#heardMs = now().steadyMs;
    this.#socket.resume();
  }

  /** Reports a peer that breaks a bound, and ends its connection. */
  refuse(because: RefusedBecause): void {
    if (this.isEnding) return;
    this.#events.onRefused(because);
    this.end();
  }

  /**
   * Ends the connection when its queued data is written, but after `lingerMs` at the latest,
   * because the peer may never read.
   */
  end(): void {
    if (this.isEnding) return;
    this.#flush();
    this.#endedMs = now().steadyMs;
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /**
   * Ends an unfinished handshake. The connection is reset: an orderly end would make the peer
   * believe that its key is wrong.
   */
  giveUp(): void {
    this.#shaken();
    // Unix sockets, and those that are not connected yet, can't be reset.
    if (this.isEnding || this.#socket.remoteAddress === undefined) this.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Ends the connection of a socket that no longer ticks. An unfinished handshake is reset. */
  leave(): void {
    if (!this.isReady) return this.giveUp();
    this.end();
    setTimeout(() => this.destroy(), lingerMs).unref();
  }

  /** Ignores the peer's silence before this time. */
  excuse(steadyMs: number): void {
    this.#heardMs = steadyMs;
  }

  tick(steadyMs: number): void {
    if (this.#endedMs !== undefined) {
      if (steadyMs - this.#endedMs > lingerMs) this.destroy();
      return;
    }
    if (this.#isShaking) {
      if (steadyMs - this.#openedMs > durations.handshakeMs) this.giveUp();
      return;
    }
    if (!this.#connection.knowsHeartbeats) return;
    // A paused peer is not read, so this side receives no sign of life. A failed write shows that
    // such a peer is gone.
    const silentMs = steadyMs - this.#heardMs;
    if (!this.#isPaused && silentMs > durations.zmtpTimeoutMs) return this.destroy();
    // A peer that sends heartbeats itself needs no PING to show that it lives.
    const quietMs = Math.min(silentMs, steadyMs - this.#pingedMs);
    if (quietMs < durations.zmtpIntervalMs || this.isFull) return;
    this.#pingedMs = steadyMs;
    this.#connection.ping();
  }

  #take(chunk: Buffer): void {
    if (this.isEnding) return;
    this.#heardMs = now().steadyMs;
    try {
      this.#connection.receive(chunk);
      this.#hold(this.#connection.heldBytes);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.refuse(error.because);
    }
  }

  #hold(bytes: number): void {
    if (bytes !== this.#heldBytes) this.#events.onHeld(bytes);
    this.#heldBytes = bytes;
  }

  #shaken(): void {
    if (this.#isShaking) this.#events.onShaken();
    this.#isShaking = false;
  }

  #closed(): void {
    this.#endedMs ??= now().steadyMs;
    this.#shaken();
    const byPeer = this.#isEndedByPeer;
    this.#events.onClosed({ wasReady: this.#connection.isReady, byPeer });
  }

  /**
   * Queues bytes to be written in this turn. While `isFull`, drops them, even an answer to the
   * peer's PING.
   */
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
    if (bytes.length === 1) this.#socket.write(bytes[0] as Buffer);
    else if (!bytes.some(({ length }) => length >= pieceBytes)) {
      this.#socket.write(Buffer.concat(bytes));
    } else {
      this.#socket.cork();
      for (const piece of bytes) this.#socket.write(piece);
      this.#socket.uncork();
    }
  }
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
