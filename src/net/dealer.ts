import { Outgoing } from "../zmtp/connection.ts";
import type { Refusal } from "./connection-refusal.ts";
import { DealerConnection } from "./dealer-connection.ts";
import type { Wire } from "./wire.ts";
import { tickWires } from "./wire-ticks.ts";

interface DealerEvents {
  onMessage(frames: Buffer[]): void;
  /** Called with the number of connected peers after each change. */
  onConnections(count: number): void;
  /** Called when peers may take messages again, after `send` has returned false. */
  onSendable(): void;
  /** Called at each refusal while all endpoints refuse; with undefined when one that refused accepts. */
  onRefusal(refusal: Refusal | undefined): void;
  /** Called before each pause between two attempts to connect, with its length in milliseconds. */
  onRetry?(inMs: number): void;
}

/**
 * A connecting DEALER without libzmq, so that no message has to pass from thread to thread (Z8). It
 * keeps a connection to each endpoint, and sends each message to the next of the connected peers.
 */
export class Dealer {
  readonly #events: DealerEvents;
  readonly #all: readonly DealerConnection[];
  /** The connections whose handshake has succeeded. */
  #ready: readonly Wire[] = [];
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #isSendAwaited = false;

  /**
   * @param longestPauseMs the longest pause between two attempts to connect
   * @throws Problem if an endpoint is invalid
   */
  constructor(endpoints: readonly string[], events: DealerEvents, longestPauseMs?: number) {
    this.#events = events;
    const connectionEvents = {
      onReady: (wire: Wire) => this.#change([...this.#ready, wire]),
      onMessage: (frames: Buffer[]) => events.onMessage(frames),
      onDrained: () => this.#tellSendable(),
      onGone: (wire: Wire) => this.#change(this.#ready.filter((one) => one !== wire)),
      onRefusal: (refusal: Refusal | undefined) => {
        const isRefusedByAll = this.#all.every((one) => one.refusal !== undefined);
        if (refusal === undefined || isRefusedByAll) events.onRefusal(refusal);
      },
      onRetry: (inMs: number) => events.onRetry?.(inMs),
    };
    this.#all = endpoints.map(
      (endpoint) => new DealerConnection(endpoint, connectionEvents, longestPauseMs),
    );
    for (const one of this.#all) one.start();
    this.#timer = tickWires(() => this.#all.flatMap(({ wire }) => wire ?? []));
  }

  get connections(): number {
    return this.#ready.length;
  }

  /** @returns false if nobody is connected, or each peer has too much to read already */
  send(frames: readonly Uint8Array[]): boolean {
    const free = this.#ready.filter(({ isFull }) => !isFull);
    const wire = free[this.#next % free.length];
    this.#next += 1;
    this.#isSendAwaited ||= wire === undefined;
    wire?.send(new Outgoing(frames));
    return wire !== undefined;
  }

  /** Ends all connections when what was sent is written, but after `lingerMs` at the latest. */
  close(): void {
    clearInterval(this.#timer);
    this.#ready = [];
    for (const one of this.#all) one.close();
  }

  #change(ready: readonly Wire[]): void {
    this.#ready = ready;
    this.#events.onConnections(ready.length);
    this.#tellSendable();
  }

  #tellSendable(): void {
    if (!this.#isSendAwaited || this.#ready.every(({ isFull }) => isFull)) return;
    this.#isSendAwaited = false;
    this.#events.onSendable();
  }
}
