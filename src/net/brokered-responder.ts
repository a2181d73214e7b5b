import { Dealer } from "zeromq";
import { connect } from "./connect.ts";
import { type Envelope, type OnRequest, unwrap } from "./envelope.ts";
import { SendQueue } from "./send-queue.ts";
import { receiveAll, socketOptions } from "./socket.ts";

/**
 * A link leaves its broker at a moment with no message to read or send. After this many
 * milliseconds, the link checks for such a moment, even if no message has arrived.
 */
const shortestWaitMs = 10;
/** After this many milliseconds, the link leaves the broker even without such a moment. */
const longestWaitMs = 200;

/**
 * Receives requests from brokers, and answers them in any order. Each broker has its own DEALER
 * socket.
 */
export class BrokeredResponder {
  readonly #onRequest: OnRequest;
  readonly #links = new Map<string, Link>();
  /** The links by name. The first frame of each request's envelope is the name of its link. */
  readonly #named = new Map<string, Link>();
  #isStarted = false;
  #made = 0;

  constructor(onRequest: OnRequest) {
    this.#onRequest = onRequest;
  }

  /** Begins to read requests. Earlier requests have waited in the sockets, and are read now. */
  start(): void {
    this.#isStarted = true;
    for (const link of this.#links.values()) this.#read(link);
  }

  /** @throws Problem if an argument is not an endpoint */
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
   * Leaves a broker. Handles the requests that have arrived, and sends the queued replies. Only a
   * request that is in transit at this moment is lost; the broker itself answers this request with
   * `unavailable` (B4).
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
 * The connection to one broker. Each link has its own socket, and leaves the broker by closing this
 * socket. A single ROUTER for all brokers would be unsafe: if it left a broker after reading a part
 * of a message, libzmq would look for the rest and abort the process.
 */
class Link {
  readonly name: string;
  /**
   * Drops replies to a broker that has ended. A restarted broker would drop these replies too,
   * because it did not send their requests (B3).
   */
  readonly #socket = new Dealer({ ...socketOptions, immediate: true, sendTimeout: 0 });
  readonly #queue = new SendQueue((frames) => this.#socket.send(frames));
  /** The callbacks of all pending calls of `leave`. */
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

  /** @returns true if the link has left the broker, false if `stay` was called meanwhile */
  leave(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#leaving.push(resolve);
      // `read` reports an idle moment only after a message, so timers check too whether the link is
      // idle.
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
