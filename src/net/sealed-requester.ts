import { ProtocolError } from "../protocol/errors.ts";
import type { Refusal } from "./handshake.ts";
import { Requester } from "./requester.ts";
import type { Seals } from "./seal.ts";

/** The first answer to a process whose clock lags only tells the clock; others may be quicker then. */
const mostTries = 3;

/** Asks one member, and takes nobody else's answer. */
export class SealedRequester {
  readonly #requester: Requester;
  readonly #seals: Seals;
  readonly #to: string;

  constructor(endpoints: readonly string[], seals: Seals, to: string) {
    this.#requester = new Requester(endpoints);
    this.#seals = seals;
    this.#to = to;
  }

  set onDisconnect(call: () => void) {
    this.#requester.onDisconnect = call;
  }

  set onRefusal(call: (refusal: Refusal | undefined) => void) {
    this.#requester.onRefusal = call;
  }

  /**
   * For a question to a process that may not know seals.
   * @throws ProtocolError as `ask`
   */
  askUnsealed(payload: Uint8Array, timeoutMs: number): Promise<Buffer> {
    return this.#requester.ask(payload, timeoutMs);
  }

  /** @throws ProtocolError `unavailable` without an answer of that member within `timeoutMs` */
  async ask(payload: Uint8Array, timeoutMs: number): Promise<Buffer> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const seal = this.#seals.seal(this.#to, payload);
      const answer = await this.#requester.askSealed(payload, seal, timeoutMs);
      if (!this.#seals.isAnswer(this.#to, seal, answer)) {
        throw new ProtocolError("unavailable", `Somebody else than ${this.#to} answered.`);
      }
      if (answer.payload.length > 0) return answer.payload;
    }
    throw new ProtocolError("unavailable", `${this.#to} has not taken the question.`);
  }

  close(): void {
    this.#requester.close();
  }
}
