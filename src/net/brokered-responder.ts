import { Router } from "zeromq";
import { type Envelope, type OnRequest, unwrap } from "./envelope.ts";
import { SendQueue } from "./send-queue.ts";
import { connect, disconnect, receiveAll, socketOptions } from "./socket.ts";

/** What a disconnect waits for a moment with nothing to read: at least, and at most. */
const quietMs = 10;
const longestQuietMs = 200;

/** Takes requests that brokers hand on and answers them in any order: a ROUTER, connected to them. */
export class BrokeredResponder {
  readonly #onRequest: OnRequest;
  readonly #socket = new Router(socketOptions);
  readonly #queue = new SendQueue((frames) => this.#socket.send(frames));
  /** Endpoints that are wanted, and those that the socket is connected to. */
  readonly #wanted = new Set<string>();
  readonly #connected = new Set<string>();
  /** Endpoints to disconnect from at the next moment with nothing to read and nothing to send. */
  readonly #leaving = new Map<string, () => void>();

  constructor(onRequest: OnRequest) {
    this.#onRequest = onRequest;
  }

  /** Takes requests from now on; what came before has waited. */
  start(): void {
    const take = (frames: Buffer[]) => {
      const { envelope, payload } = unwrap(frames);
      this.#onRequest(envelope, payload);
    };
    void receiveAll(this.#socket, take, {
      isWanted: () => this.#leaving.size > 0,
      reached: () => this.#leave(),
    });
  }

  connect(...endpoints: string[]): void {
    for (const endpoint of endpoints) this.#wanted.add(endpoint);
    const fresh = endpoints.filter((endpoint) => !this.#connected.has(endpoint));
    connect(this.#socket, fresh);
    for (const endpoint of fresh) this.#connected.add(endpoint);
  }

  /**
   * Takes the way back from all that came from there: so what has come is still taken, and what is
   * queued goes out, before. Only what is on the wire at that very moment is lost.
   */
  async disconnect(endpoint: string): Promise<void> {
    this.#wanted.delete(endpoint);
    if (!this.#connected.has(endpoint)) return;
    await new Promise<void>((resolve) => {
      this.#leaving.set(endpoint, resolve);
      // Where nothing comes there is no next message to be idle after.
      setTimeout(() => this.#leave(), quietMs);
      setTimeout(() => this.#leave({ atAnyRate: true }), longestQuietMs);
    });
  }

  #leave({ atAnyRate = false } = {}): void {
    if (this.#leaving.size === 0 || !(this.#queue.isEmpty || atAnyRate)) return;
    for (const [endpoint, left] of this.#leaving) {
      if (!this.#wanted.has(endpoint) && !this.#socket.closed) {
        if (this.#connected.delete(endpoint)) disconnect(this.#socket, endpoint);
      }
      left();
    }
    this.#leaving.clear();
  }

  reply(to: Envelope, payload: Uint8Array): void {
    this.#queue.push([...to, payload]);
  }

  async close(): Promise<void> {
    await this.#queue.empty();
    this.#queue.close();
    this.#socket.close();
  }
}
