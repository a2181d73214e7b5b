import { Dealer, Router } from "zeromq";

/** A broker in front of the broker: passes everything on, and notes the requests. */
export class Tap implements Disposable {
  readonly requests: Buffer[] = [];
  readonly replies: Buffer[] = [];
  readonly #front = new Router({ linger: 0 });
  readonly #back = new Dealer({ linger: 0 });

  /** @param broker where clients reach it */
  constructor(broker: string) {
    this.#back.connect(broker);
  }

  /** @returns where clients reach the tap */
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
      // It was closed.
    }
  }

  [Symbol.dispose](): void {
    this.#front.close();
    this.#back.close();
  }
}
