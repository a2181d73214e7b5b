import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { now } from "../platform/clock.ts";
import { durations, limits } from "../protocol/limits.ts";
import { Connection, type ConnectionOptions, type Outgoing } from "../zmtp/connection.ts";
import { pieceBytes } from "../zmtp/frames.ts";
import { Refused, type RefusedBecause } from "../zmtp/refused.ts";

/** A connection whose handshake was good. */
export type Peer = Omit<Wire, "destroy" | "giveUp" | "excuse" | "tick" | "unreadBytes">;

type WireSettings = Pick<ConnectionOptions, "socketType" | "peers" | "doors" | "bounds"> & {
  readonly address: string;
};

interface WireEvents {
  /** The handshake is over, one way or the other. */
  onShaken(): void;
  /** The handshake was good. */
  onReady(): void;
  onMessage(frames: Buffer[]): void;
  onClosed(end: { readonly wasReady: boolean }): void;
  onRefused(because: RefusedBecause): void;
  /** How many bytes of an unfinished message are held now. */
  onHeld(bytes: number): void;
}

/** How long a connection that is being closed is still written to. */
export const lingerMs = 500;
const nameBytes = 8;

/** One connection over TCP or a Unix socket, in ZMTP. */
export class Wire {
  /** 8 random bytes that no other connection ever has, at this process or another. */
  readonly name = randomBytes(nameBytes);
  /** The address that bounds count by: a host, or a network of IPv6. */
  readonly address: string;
  readonly #socket: Socket;
  readonly #events: WireEvents;
  readonly #connection: Connection;
  /** The bytes of this turn of the loop, which are written in one piece. */
  #unwritten: Buffer[] = [];
  #unwrittenBytes = 0;
  #isShaking = true;
  #isPaused = false;
  /** When the connection began to be closed. */
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
    socket.on("error", () => {});
    socket.on("end", () => this.end());
    socket.on("close", () => this.#closed());
    this.#connection.start();
  }

  /**
   * The peer's name for itself, which decides nothing (Z2): one character a byte, empty if none.
   */
  get identity(): string {
    return this.#connection.identity;
  }

  get unreadBytes(): number {
    return this.#socket.writableLength + this.#unwrittenBytes;
  }

  /** Whether messages are dropped: the peer reads too slowly, or its connection is being closed. */
  get isFull(): boolean {
    return this.isEnding || this.unreadBytes > limits.unreadBytes;
  }

  /** Whether the connection is being closed. */
  get isEnding(): boolean {
    return this.#endedMs !== undefined;
  }

  /** Drops a message above the bound of unread bytes: the peer asks again for what it misses. */
  send(message: Outgoing): void {
    if (!this.isFull) this.#connection.send(message);
  }

  /** Reads nothing from the peer until `resume`. */
  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#heardMs = now().steadyMs;
    this.#socket.resume();
  }

  /** Ends the connection of a peer that breaks a bound. */
  refuse(because: RefusedBecause): void {
    if (this.isEnding) return;
    this.#events.onRefused(because);
    this.end();
  }

  /**
   * Ends the connection once all that waits is written, but soon: the peer may never read that. The
   * peer may connect again.
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

  /** Waits for its handshake no longer. A reset ends it: an orderly end would mean another key. */
  giveUp(): void {
    this.#shaken();
    if (this.isEnding) this.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Forgives the peer its silence up to now. */
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
    // A paused peer is not read, and so can't be heard. If it is gone, a write shows it.
    const isSilent = !this.#isPaused && steadyMs - this.#heardMs > durations.zmtpTimeoutMs;
    if (isSilent) return this.destroy();
    if (steadyMs - this.#pingedMs < durations.zmtpIntervalMs || this.isFull) return;
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
    this.#events.onClosed({ wasReady: this.#connection.isReady });
  }

  /** Answers to a peer's commands are dropped above the bound too. */
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
