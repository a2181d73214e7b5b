import type { KeyObject } from "node:crypto";
import { Dealer } from "zeromq";
import { connect } from "./connect.ts";
import { GatewaySeals } from "./gateway-seal.ts";
import { type Refusal, watchRefusals } from "./handshake.ts";
import { receiveAll, socketOptions, watchConnections } from "./socket.ts";

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

/**
 * A client's connection to all brokers. It sends and receives payloads; the caller matches replies
 * to requests. A payload goes to one of the brokers that are connected.
 */
export class RequestPipe {
  readonly #socket: Dealer;
  readonly #gateway: GatewaySeals | undefined;

  constructor(
    endpoints: readonly string[],
    events: RequestPipeEvents,
    options: RequestPipeOptions = {},
  ) {
    this.#gateway = options.gatewayKey && new GatewaySeals([options.gatewayKey]);
    const reconnectMaxInterval = options.reconnectMaxMs ?? socketOptions.reconnectMaxInterval;
    const reconnecting = { reconnectMaxInterval, immediate: true };
    this.#socket = new Dealer({ ...socketOptions, ...reconnecting, linger: 0 });
    this.#socket.events.on("connect:retry", ({ interval }) => events.onRetry?.(interval));
    watchConnections(this.#socket.events, (count) => events.onConnections(count));
    watchRefusals(this.#socket.events, endpoints, (refusal) => events.onRefusal(refusal));
    connect(this.#socket, endpoints);
    void receiveAll(this.#socket, (frames) => {
      const payload = frames.at(-1);
      if (payload !== undefined) events.onPayload(payload);
    });
  }

  /**
   * Sends a payload; waits while no broker is connected. A call must not begin before the previous
   * call has ended.
   */
  async send(payload: Uint8Array): Promise<void> {
    const seal = this.#gateway?.seal(payload);
    await this.#socket.send(seal === undefined ? ["", payload] : [seal, "", payload]);
  }

  close(): void {
    this.#socket.close();
  }
}
