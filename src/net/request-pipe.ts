import { Dealer } from "zeromq";
import { connect } from "./connect.ts";
import { type Refusal, watchRefusals } from "./handshake.ts";
import { receiveAll, socketOptions, watchConnections } from "./socket.ts";

export interface RequestPipeEvents {
  onPayload(payload: Buffer): void;
  /** To how many brokers it is connected. */
  onConnections(count: number): void;
  onRefusal(refusal: Refusal | undefined): void;
  /** A broker is not there; it is tried again after so many milliseconds. */
  onRetry?(inMs: number): void;
}

export interface RequestPipeOptions {
  /** Between tries to connect, at most. */
  readonly reconnectMaxMs?: number | undefined;
}

/**
 * A client's connection to all brokers: payloads out, payloads in, matched by whoever uses it.
 * Payloads go only to brokers that are there; one that dies leaves the rotation.
 */
export class RequestPipe {
  readonly #socket: Dealer;

  constructor(
    endpoints: readonly string[],
    events: RequestPipeEvents,
    { reconnectMaxMs = socketOptions.reconnectMaxInterval }: RequestPipeOptions = {},
  ) {
    const reconnectMaxInterval = reconnectMaxMs;
    const options = { ...socketOptions, reconnectMaxInterval, linger: 0, immediate: true };
    this.#socket = new Dealer(options);
    this.#socket.events.on("connect:retry", ({ interval }) => events.onRetry?.(interval));
    watchConnections(this.#socket.events, (count) => events.onConnections(count));
    watchRefusals(this.#socket.events, endpoints, (refusal) => events.onRefusal(refusal));
    connect(this.#socket, endpoints);
    void receiveAll(this.#socket, (frames) => {
      const payload = frames.at(-1);
      if (payload !== undefined) events.onPayload(payload);
    });
  }

  /** Waits for a broker; one at a time. */
  async send(payload: Uint8Array): Promise<void> {
    await this.#socket.send(["", payload]);
  }

  close(): void {
    this.#socket.close();
  }
}
