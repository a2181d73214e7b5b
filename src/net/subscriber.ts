import { Subscriber as ZmqSubscriber } from "zeromq";
import { connect } from "./connect.ts";
import { receiveAll, socketOptions, watchConnections } from "./socket.ts";

/** zeromq does not accept the option `sendHighWaterMark` for a SUB socket, which never sends. */
const { sendHighWaterMark: _, ...receivingOptions } = { ...socketOptions, linger: 0 };

/** Receives publications from all proxies; with two proxies, each publication arrives twice. */
export class Subscriber {
  readonly #socket = new ZmqSubscriber(receivingOptions);

  constructor(
    endpoints: readonly string[],
    onMessage: (topic: string, payload: Buffer, seal?: Buffer) => void,
    onConnections: (count: number) => void = () => {},
  ) {
    watchConnections(this.#socket.events, onConnections);
    connect(this.#socket, endpoints);
    void receiveAll(this.#socket, ([topic, payload, seal]) => {
      if (topic !== undefined && payload !== undefined) onMessage(topic.toString(), payload, seal);
    });
  }

  subscribe(...topics: string[]): void {
    if (!this.#socket.closed) this.#socket.subscribe(...topics);
  }

  unsubscribe(...topics: string[]): void {
    if (!this.#socket.closed) this.#socket.unsubscribe(...topics);
  }

  close(): void {
    this.#socket.close();
  }
}
