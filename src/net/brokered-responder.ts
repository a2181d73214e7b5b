import { Dealer } from "zeromq";
import { connect } from "./connect.ts";
import { type Envelope, type OnRequest, unwrap } from "./envelope.ts";
import { SendQueue } from "./send-queue.ts";
import { receiveAll, socketOptions } from "./socket.ts";

/**
 * Shortest and longest time to wait, before leaving a broker, for a moment with no message to read
 * or send.
 */
const shortestWaitMs = 10;
const longestWaitMs = 200;

/**
 * Receives requests from brokers, and answers them in any order. Each broker has its own DEALER
 * socket.
 */
export class BrokeredResponder {
  readonly #onRequest: OnRequest;
  readonly #links = new Map<string, Link>();
  /** The links by name. The first frame of each envelope is the name of its link. */
  readonly #named = new Map<string, Link>();
  #isStarted = false;
  #made = 0;

  constructor(onRequest: OnRequest) {
    this.#onRequest = onRequest;
  }

  /**
   * Begins to read requests. Requests that arrived before this call were not read, and are read
   * now.
   */
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
   * Leaves a broker. Requests that have arrived are handled first, and queued replies are sent.
   * Only a request that is in transit at the moment of leaving is lost; the broker answers such a
   * request (B4).
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
 * socket. A single ROUTER for all brokers would be unsafe: if it disconnects from a broker within a
 * message, libzmq aborts the process while it looks for the rest.
 */
class Link {
  readonly name: string;
  /**
   * The socket drops replies to a broker that has ended, because the broker's next process would
   * drop such replies too (B3).
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

  /** @returns true if the link has left the broker, false if `stay` was called first */
  leave(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#leaving.push(resolve);
      // `read` looks for an idle moment only after a message, so a timer looks too.
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
