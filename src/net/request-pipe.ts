import { Dealer } from "zeromq";
import { connect } from "./connect.ts";
import { type Refusal, watchRefusals } from "./handshake.ts";
import { receiveAll, socketOptions, watchConnections } from "./socket.ts";

export interface RequestPipeEvents {
  onPayload(payload: Buffer): void;
  /** How many brokers it is connected to. */
  onConnections(count: number): void;
  onRefusal(refusal: Refusal | undefined): void;
  /** A broker can't be reached; the next try follows in so many milliseconds. */
  onRetry?(inMs: number): void;
}

/**
 * A client's connection to all brokers: payloads out, payloads in, which the caller matches.
 * Payloads go only to connected brokers; one that dies leaves the rotation.
 */
export class RequestPipe {
  readonly #socket: Dealer;

  /** @param options the longest pause between two tries to connect, if it is not the usual one */
  constructor(
    endpoints: readonly string[],
    events: RequestPipeEvents,
    options: { readonly reconnectMaxMs?: number | undefined } = {},
  ) {
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

  /** Waits for a broker. One call at a time. */
  async send(payload: Uint8Array): Promise<void> {
    await this.#socket.send(["", payload]);
  }

  close(): void {
    this.#socket.close();
  }
}
