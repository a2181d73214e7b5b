import type { RequestPipe, RequestPipeEvents } from "../../src/net/request-pipe.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import type { StandInRequest } from "./stand-in-server.ts";

/** The delay of a payload's replies, and the answer to each of its requests. */
export interface Fate {
  readonly delayMs: number;
  readonly answer: "OK" | "retry" | "limit" | "none";
}

/** The lists are for `users` and `channels`, whose replies are invalid without a list. */
const success = { status: "OK", users: [], channels: [] };
const served: Fate = { delayMs: 1, answer: "OK" };
const refusal = { status: "erro", code: "unavailable", description: "", retry: true };
const limit = { ...refusal, code: "rate_limited", wait: 1 };

/** A simulated connection of a client to servers, whose answers and failures a test decides. */
export class StandInPipe {
  /**
   * Every request that reached the servers, in order; a request that came twice is in the list
   * twice.
   */
  readonly asked: StandInRequest[] = [];
  /** The fates of the next payloads, one each; later payloads are answered with success. */
  fates: Fate[] = [];
  #events: RequestPipeEvents | undefined;
  #isDown = false;
  #waiting: (() => void)[] = [];
  /**
   * The number of the present connection; replies to requests of an earlier connection are lost.
   */
  #connection = 0;

  open(events: RequestPipeEvents): Pick<RequestPipe, "send" | "close"> {
    this.#events = events;
    events.onConnections(1);
    return { send: (payload) => this.#send(payload), close: () => {} };
  }

  /** Breaks the connection; everything on its way is lost. */
  cut(): void {
    if (this.#isDown) return;
    this.#isDown = true;
    this.#connection += 1;
    this.#events?.onConnections(0);
  }

  heal(): void {
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#events?.onConnections(1);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #send(payload: Uint8Array): Promise<void> {
    while (this.#isDown) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const value = decode(payload) as StandInRequest | StandInRequest[];
    const requests = Array.isArray(value) ? value : [value];
    this.asked.push(...requests);
    const { delayMs, answer } = this.fates.shift() ?? served;
    if (answer === "none") return;
    const fields = { OK: success, retry: refusal, limit }[answer];
    const replies = requests.map(({ service, data: { id } }) => {
      return { service, data: { id, server: "server_0000000a", clock: 1, ...fields } };
    });
    const connection = this.#connection;
    setTimeout(() => {
      if (connection === this.#connection) this.#events?.onPayload(Buffer.from(encode(replies)));
    }, delayMs);
  }
}
