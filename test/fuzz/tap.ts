import { Dealer, Router } from "zeromq";

/** A broker in front of the broker, which forwards everything and records requests and replies. */
export class Tap implements Disposable {
  readonly requests: Buffer[] = [];
  readonly replies: Buffer[] = [];
  readonly #front = new Router({ linger: 0 });
  readonly #back = new Dealer({ linger: 0 });

  /** @param broker the endpoint of the real broker for clients */
  constructor(broker: string) {
    this.#back.connect(broker);
  }

  /** @returns the endpoint of the tap for clients */
  async open(): Promise<string> {
    await this.#front.bind("tcp://127.0.0.1:*");
    void this.#pass(this.#front, this.#back, this.requests);
    void this.#pass(this.#back, this.#front, this.replies);
    return this.#front.lastEndpoint ?? "";
  }

  async #pass(from: Router | Dealer, to: Router | Dealer, payloads: Buffer[]): Promise<void> {
    try {
      for await (const frames of from) {
        payloads.push(frames.at(-1) ?? Buffer.alloc(0));
        await to.send(frames);
      }
    } catch {
      // The socket was closed.
    }
  }

  [Symbol.dispose](): void {
    this.#front.close();
    this.#back.close();
  }
}
