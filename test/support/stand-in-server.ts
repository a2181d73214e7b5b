import { Router } from "zeromq";
import { decode, encode } from "../../src/protocol/codec.ts";

export interface StandInRequest {
  readonly service: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * The answer to a request: any value, which is encoded, or bytes, which are sent as they are.
 * Undefined sends no reply. A promise sends the reply later, when other requests may have been
 * answered.
 */
export type StandInAnswer = (request: StandInRequest) => unknown;

/** Answers as a broker or a reference would, with the test's answers, and records the requests. */
export class StandInServer implements Disposable {
  readonly asked: unknown[] = [];
  /**
   * The number of frames that came after payloads: a REP of the original protocol would fail at the
   * first.
   */
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

  /**
   * If a test ends while a request is on its way, the socket is closed before the answer is sent.
   */
  async #send(frames: Uint8Array[]): Promise<void> {
    try {
      await this.#socket.send(frames);
    } catch (error) {
      if (!this.#socket.closed) throw error;
    }
  }
}
