import { Router } from "zeromq";
import { decode, encode } from "../../src/protocol/codec.ts";

export interface PlainRequest {
  readonly service: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What is answered to a request: any value, bytes as they are; undefined for no answer. */
export type PlainAnswer = (request: PlainRequest) => unknown;

/** A server of the original protocol, or of anything else, that keeps what it was asked. */
export class PlainStandIn implements Disposable {
  readonly asked: unknown[] = [];
  /** Frames behind payloads: a REP of the original protocol breaks at one. */
  sealed = 0;
  readonly #socket = new Router({ linger: 0 });
  #answer: PlainAnswer;

  private constructor(answer: PlainAnswer) {
    this.#answer = answer;
  }

  static async start(answer: PlainAnswer): Promise<PlainStandIn> {
    const standIn = new PlainStandIn(answer);
    await standIn.#socket.bind("tcp://127.0.0.1:*");
    void standIn.#serve();
    return standIn;
  }

  get endpoint(): string {
    return this.#socket.lastEndpoint ?? "";
  }

  set answer(answer: PlainAnswer) {
    this.#answer = answer;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  async #serve(): Promise<void> {
    for await (const frames of this.#socket) {
      const envelope = frames.slice(0, frames.findIndex((frame) => frame.length === 0) + 1);
      const [payload, ...more] = frames.slice(envelope.length);
      if (payload === undefined) continue;
      const request = decode(payload) as PlainRequest;
      this.sealed += more.length;
      this.asked.push(request);
      const answer = this.#answer(request);
      if (answer === undefined) continue;
      const bytes = answer instanceof Uint8Array ? answer : encode(answer);
      await this.#socket.send([...envelope, bytes]);
    }
  }
}
