import { Dealer } from "zeromq";
import { connect } from "./connect.ts";
import { type Envelope, type OnRequest, unwrap } from "./envelope.ts";
import { SendQueue } from "./send-queue.ts";
import { receiveAll, socketOptions } from "./socket.ts";

/** Before a broker is left, the wait for a moment with nothing to read and nothing to send. */
const shortestWaitMs = 10;
const longestWaitMs = 200;

/** Takes requests from brokers, and answers them in any order. It has a DEALER for each broker. */
export class BrokeredResponder {
  readonly #onRequest: OnRequest;
  readonly #links = new Map<string, Link>();
  /** The links by name. A link's name is the first frame of each of its envelopes. */
  readonly #named = new Map<string, Link>();
  #isStarted = false;
  #made = 0;

  constructor(onRequest: OnRequest) {
    this.#onRequest = onRequest;
  }

  /** Takes requests from now on; earlier ones have waited. */
  start(): void {
    this.#isStarted = true;
    for (const link of this.#links.values()) this.#read(link);
  }

  /** @throws Problem if one is not an endpoint */
  connect(...endpoints: string[]): void {
    for (const endpoint of endpoints) {
      const known = this.#links.get(endpoint);
      known?.stay();
      if (known !== undefined) continue;
      this.#made += 1;
      const link = new Link(endpoint, `${this.#made}`);
      this.#links.set(endpoint, link);
      this.#named.set(link.name, link);
      if (this.#isStarted) this.#read(link);
    }
  }

  /**
   * Leaves a broker. Requests that have come are taken first, and queued replies go out. Only a
   * request that is on the wire at that very moment is lost, and the broker answers it (B4).
   */
  async disconnect(endpoint: string): Promise<void> {
    const link = this.#links.get(endpoint);
    if (link === undefined || !(await link.leave())) return;
    if (this.#links.get(endpoint) === link) this.#links.delete(endpoint);
    this.#named.delete(link.name);
  }

  reply([name, ...envelope]: Envelope, payload: Uint8Array): void {
    this.#named.get(String(name))?.send([...envelope, payload]);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  #read(link: Link): void {
    const name = Buffer.from(link.name);
    link.read((frames) => {
      const { envelope, payload } = unwrap(frames);
      this.#onRequest([name, ...envelope], payload);
    });
  }
}

/**
 * The connection to one broker. It has a socket of its own, which is closed to leave the broker.
 * One ROUTER for all brokers would not do: when it disconnects from a broker in the middle of a
 * message, libzmq looks for the rest and aborts the process.
 */
class Link {
  readonly name: string;
  /** Replies to a broker that is gone are dropped: its next process would drop them too (B3). */
  readonly #socket = new Dealer({ ...socketOptions, immediate: true, sendTimeout: 0 });
  readonly #queue = new SendQueue((frames) => this.#socket.send(frames));
  /** Callbacks of `leave`. */
  #leaving: ((hasLeft: boolean) => void)[] = [];

  constructor(endpoint: string, name: string) {
    this.name = name;
    connect(this.#socket, [endpoint]);
  }

  read(take: (frames: Buffer[]) => void): void {
    void receiveAll(this.#socket, take, {
      isWanted: () => this.#leaving.length > 0,
      reached: () => this.#leave(),
    });
  }

  send(frames: Uint8Array[]): void {
    this.#queue.push(frames);
  }

  /** @returns whether it has left: false if `stay` was called first */
  leave(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#leaving.push(resolve);
      // If nothing comes, `read` finds no idle moment: it looks for one after each message.
      setTimeout(() => this.#leave(), shortestWaitMs);
      setTimeout(() => this.#leave({ evenIfBusy: true }), longestWaitMs);
    });
  }

  stay(): void {
    for (const told of this.#leaving.splice(0)) told(false);
  }

  async close(): Promise<void> {
    await this.#queue.empty();
    this.#end();
  }

  #leave({ evenIfBusy = false } = {}): void {
    if (this.#leaving.length === 0 || !(this.#queue.isEmpty || evenIfBusy)) return;
    this.#end();
  }

  #end(): void {
    this.#queue.close();
    if (!this.#socket.closed) this.#socket.close();
    for (const told of this.#leaving.splice(0)) told(true);
  }
}
