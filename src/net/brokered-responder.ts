import { now } from "../platform/clock.ts";
import { limits } from "../protocol/limits.ts";
import { Dealer } from "./dealer.ts";
import { type Envelope, type OnRequest, unwrap } from "./envelope.ts";

/** A link leaves its broker once no request has come for so many milliseconds. */
const quietMs = 10;
/** After this many milliseconds, the link leaves the broker although requests come. */
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

  /** Begins to read requests. Those that came earlier are handled now. */
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

  close(): void {
    for (const link of this.#links.values()) link.close();
  }

  #read(link: Link): void {
    const name = Buffer.from(link.name);
    link.read((frames) => {
      const { envelope, payload } = unwrap(frames);
      this.#onRequest([name, ...envelope], payload);
    });
  }
}

/** The connection to one broker. */
class Link {
  readonly name: string;
  readonly #dealer: Dealer;
  #take: ((frames: Buffer[]) => void) | undefined;
  /** What arrived before `read` was called. */
  #early: Buffer[][] = [];
  /** Replies to a broker that has too much to read. */
  #unsent: Uint8Array[][] = [];
  #heardMs = Number.NEGATIVE_INFINITY;
  /** The callbacks of all pending calls of `leave`. */
  #leaving: ((hasLeft: boolean) => void)[] = [];

  constructor(endpoint: string, name: string) {
    this.name = name;
    this.#dealer = new Dealer([endpoint], {
      onMessage: (frames) => {
        this.#heardMs = now().steadyMs;
        if (this.#take === undefined) this.#early.push(frames);
        else this.#take(frames);
      },
      onConnections: (count) => {
        if (count === 0) this.#unsent = [];
      },
      onSendable: () => {
        for (const frames of this.#unsent.splice(0)) this.send(frames);
      },
      onRefusal: () => {},
    });
  }

  read(take: (frames: Buffer[]) => void): void {
    this.#take = take;
    for (const frames of this.#early.splice(0)) take(frames);
  }

  /**
   * Drops replies to a broker that has ended. A restarted broker would drop these replies too,
   * because it did not send their requests (B3).
   */
  send(frames: Uint8Array[]): void {
    const mayWait = this.#dealer.connections > 0 && this.#unsent.length < limits.sendQueueMessages;
    if (this.#unsent.length > 0 || !this.#dealer.send(frames)) {
      if (mayWait) this.#unsent.push(frames);
    }
  }

  /** @returns true if the link has left the broker, false if `stay` was called meanwhile */
  leave(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#leaving.push(resolve);
      this.#leaveOnceQuiet(now().steadyMs + longestWaitMs);
    });
  }

  stay(): void {
    for (const told of this.#leaving.splice(0)) told(false);
  }

  close(): void {
    this.#dealer.close();
    for (const told of this.#leaving.splice(0)) told(true);
  }

  #leaveOnceQuiet(latestMs: number): void {
    setTimeout(() => {
      if (this.#leaving.length === 0) return;
      const { steadyMs } = now();
      const isQuiet = steadyMs - this.#heardMs >= quietMs;
      if (isQuiet || steadyMs >= latestMs) this.close();
      else this.#leaveOnceQuiet(latestMs);
    }, quietMs);
  }
}
