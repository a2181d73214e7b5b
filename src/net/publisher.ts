import { XPublisher } from "zeromq";
import { connect } from "./connect.ts";
import { SendQueue } from "./send-queue.ts";
import { isSubscription, receiveAll, socketOptions } from "./socket.ts";

/** Publishes to all proxies. Their subscription messages say which topics clients want (P4). */
export class Publisher {
  readonly #socket = new XPublisher(socketOptions);
  readonly #queue = new SendQueue((frames) => this.#socket.send(frames));

  constructor(
    endpoints: readonly string[],
    onSubscription: (topic: string, active: boolean) => void,
  ) {
    connect(this.#socket, endpoints);
    void receiveAll(this.#socket, (frames) => {
      for (const frame of frames.filter(isSubscription)) {
        onSubscription(frame.toString("utf8", 1), frame[0] === 1);
      }
    });
  }

  publish(topic: string, payload: Uint8Array, seal?: Uint8Array): void {
    this.#queue.push(seal === undefined ? [topic, payload] : [topic, payload, seal]);
  }

  async close(): Promise<void> {
    await this.#queue.empty();
    this.#queue.close();
    this.#socket.close();
  }
}
