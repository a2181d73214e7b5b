import { Router } from "zeromq";
import { decode, encode } from "../../src/protocol/codec.ts";

export interface StandInRequest {
  readonly service: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * What is answered to a request: any value, bytes as they are; undefined for no answer, a promise
 * for one that comes late, when others may have been answered.
 */
export type StandInAnswer = (request: StandInRequest) => unknown;

/** Stands in for a broker or a reference, with answers of the test's own; remembers the questions. */
export class StandInServer implements Disposable {
  readonly asked: unknown[] = [];
  /** How many frames came behind payloads: a REP of the original protocol would break at one. */
  sealed = 0;
  readonly #socket = new Router({ linger: 0 });
  #answer: StandInAnswer;

  private constructor(answer: StandInAnswer) {
    this.#answer = answer;
  }

  static async start(answer: StandInAnswer): Promise<StandInServer> {
    const standIn = new StandInServer(answer);
    await standIn.#socket.bind("tcp://127.0.0.1:*");
    void standIn.#serve();
    return standIn;
  }

  get endpoint(): string {
    return this.#socket.lastEndpoint ?? "";
  }

  set answer(answer: StandInAnswer) {
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
      const request = decode(payload) as StandInRequest;
      this.sealed += more.length;
      this.asked.push(request);
      void this.#reply(envelope, request);
    }
  }

  async #reply(envelope: Buffer[], request: StandInRequest): Promise<void> {
    const answer = await this.#answer(request);
    if (answer === undefined) return;
    const bytes = answer instanceof Uint8Array ? answer : encode(answer);
    await this.#send([...envelope, bytes]);
  }

  /** A test that ends while a request is on its way closes the socket under the answer. */
  async #send(frames: Uint8Array[]): Promise<void> {
    try {
      await this.#socket.send(frames);
    } catch (error) {
      if (!this.#socket.closed) throw error;
    }
  }
}
