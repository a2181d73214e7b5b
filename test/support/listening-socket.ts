import { Subscriber } from "zeromq";
import { connect } from "../../src/net/connect.ts";
import { decode } from "../../src/protocol/codec.ts";

/** A socket as programs of the original protocol use it: it hears each publication, and asks nothing. */
export class ListeningSocket implements Disposable {
  readonly #socket = new Subscriber({ linger: 0 });

  constructor(endpoints: readonly string[], topic: string, hear: (message: string) => void) {
    connect(this.#socket, endpoints);
    this.#socket.subscribe(topic);
    void this.#listen(hear);
  }

  async #listen(hear: (message: string) => void): Promise<void> {
    for await (const [, payload] of this.#socket) {
      hear((decode(payload as Buffer) as { message: string }).message);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
