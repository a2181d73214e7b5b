import type { KeyObject } from "node:crypto";
import type { Refusal } from "./connection-refusal.ts";
import { Dealer } from "./dealer.ts";
import { GatewaySeals } from "./gateway-seal.ts";

export interface RequestPipeEvents {
  onPayload(payload: Buffer): void;
  /** Called with the number of connected brokers after each change. */
  onConnections(count: number): void;
  onRefusal(refusal: Refusal | undefined): void;
  /** Called if a broker can't be reached; the next attempt follows after `inMs` milliseconds. */
  onRetry?(inMs: number): void;
}

export interface RequestPipeOptions {
  /** The longest pause between two attempts to connect, if not the default. */
  readonly reconnectMaxMs?: number | undefined;
  /** A gateway's key, which seals each payload (X9). */
  readonly gatewayKey?: KeyObject | undefined;
}

const delimiter = Buffer.alloc(0);

/**
 * A client's connection to all brokers. It sends and receives payloads; the caller matches replies
 * to requests. A payload goes to one of the brokers that are connected.
 */
export class RequestPipe {
  readonly #dealer: Dealer;
  readonly #gateway: GatewaySeals | undefined;
  #isClosed = false;
  #onSendable: () => void = () => {};

  constructor(
    endpoints: readonly string[],
    events: RequestPipeEvents,
    { reconnectMaxMs, gatewayKey }: RequestPipeOptions = {},
  ) {
    this.#gateway = gatewayKey && new GatewaySeals([gatewayKey]);
    const dealerEvents = {
      ...events,
      onMessage: (frames: Buffer[]) => {
        const payload = frames.at(-1);
        if (payload !== undefined) events.onPayload(payload);
      },
      onSendable: () => this.#onSendable(),
    };
    this.#dealer = new Dealer(endpoints, dealerEvents, reconnectMaxMs);
  }

  /**
   * Sends a payload; waits while no broker is connected. A call must not begin before the previous
   * call has ended.
   * @throws Error if the pipe is closed
   */
  async send(payload: Uint8Array): Promise<void> {
    const seal = this.#gateway?.seal(payload);
    const frames = seal === undefined ? [delimiter, payload] : [seal, delimiter, payload];
    while (!this.#isClosed && !this.#dealer.send(frames)) {
      await new Promise<void>((resolve) => {
        this.#onSendable = resolve;
      });
    }
    if (this.#isClosed) throw new Error("The pipe is closed.");
  }

  close(): void {
    this.#isClosed = true;
    this.#dealer.close();
    this.#onSendable();
  }
}
