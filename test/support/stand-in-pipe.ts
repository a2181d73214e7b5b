import type { RequestPipe, RequestPipeEvents } from "../../src/net/request-pipe.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import type { StandInRequest } from "./stand-in-server.ts";

/** What becomes of a payload: how long it takes, and what each of its requests is answered. */
export interface Fate {
  readonly delayMs: number;
  readonly answer: "OK" | "retry" | "none";
}

/** The lists are for `users` and `channels`, which are no answers without. */
const success = { status: "OK", users: [], channels: [] };
const served: Fate = { delayMs: 1, answer: "OK" };
const refusal = { status: "erro", code: "unavailable", description: "", retry: true };

/** Stands in for a client's connection to servers of ours, on which a test decides all. */
export class StandInPipe {
  /** Every request that reached the servers, as often as it did. */
  readonly asked: StandInRequest[] = [];
  /** One for each payload to come; after the last, all are answered at once. */
  fates: Fate[] = [];
  #events: RequestPipeEvents | undefined;
  #isDown = false;
  #waiting: (() => void)[] = [];
  /** Replies of an earlier connection are lost. */
  #connection = 0;

  open(events: RequestPipeEvents): Pick<RequestPipe, "send" | "close"> {
    this.#events = events;
    events.onConnections(1);
    return { send: (payload) => this.#send(payload), close: () => {} };
  }

  /** Breaks the connection, with all that is on its way. */
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
    const fields = answer === "OK" ? success : refusal;
    const replies = requests.map(({ service, data: { id } }) => {
      return { service, data: { id, server: "server_0000000a", clock: 1, ...fields } };
    });
    const connection = this.#connection;
    setTimeout(() => {
      if (connection === this.#connection) this.#events?.onPayload(Buffer.from(encode(replies)));
    }, delayMs);
  }
}
