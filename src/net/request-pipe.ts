import { Dealer } from "zeromq";
import { connect, receiveAll, socketOptions, watchConnections } from "./socket.ts";

/**
 * A client's connection to all brokers: payloads out, payloads in, matched by whoever uses it.
 * Payloads go only to brokers that are there; one that dies leaves the rotation.
 */
export class RequestPipe {
  readonly #socket = new Dealer({ ...socketOptions, linger: 0, immediate: true });

  constructor(
    endpoints: readonly string[],
    onPayload: (payload: Buffer) => void,
    onConnections: (count: number) => void,
  ) {
    watchConnections(this.#socket.events, onConnections);
    for (const endpoint of endpoints) connect(this.#socket, endpoint);
    void receiveAll(this.#socket, (frames) => {
      const payload = frames.at(-1);
      if (payload !== undefined) onPayload(payload);
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
