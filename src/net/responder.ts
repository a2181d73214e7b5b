import { Router } from "zeromq";
import { SendQueue } from "./send-queue.ts";
import { bind, connect, disconnect, type Entrance, receiveAll, socketOptions } from "./socket.ts";

/** The frames in front of a payload: the way back to whoever asked. */
export type Envelope = readonly Buffer[];

/** @param seal the frame behind the payload, where seals are taken */
export type OnRequest = (to: Envelope, payload: Buffer, seal?: Buffer) => void;

/** What a disconnect waits for a moment with nothing to read: at least, and at most. */
const quietMs = 10;
const longestQuietMs = 200;

/** Takes requests and answers them in any order: a ROUTER, bound or connected to brokers. */
export class Responder {
  readonly #onRequest: OnRequest;
  readonly #takesSeals: boolean;
  readonly #socket = new Router(socketOptions);
  readonly #queue = new SendQueue((frames) => this.#socket.send(frames));
  /** Endpoints that are wanted, and those that the socket is connected to. */
  readonly #wanted = new Set<string>();
  readonly #connected = new Set<string>();

  /** Endpoints to disconnect from at the next moment with nothing to read and nothing to send. */
  readonly #leaving = new Map<string, () => void>();

  constructor(onRequest: OnRequest, { takesSeals = false } = {}) {
    this.#onRequest = onRequest;
    this.#takesSeals = takesSeals;
  }

  /** Takes requests from now on; what came before has waited. */
  start(): void {
    const take = (frames: Buffer[]) => {
      const seal = this.#takesSeals ? takeSeal(frames) : undefined;
      const { envelope, payload } = unwrap(frames);
      this.#onRequest(envelope, payload, seal);
    };
    void receiveAll(this.#socket, take, {
      isWanted: () => this.#leaving.size > 0,
      reached: () => this.#leave(),
    });
  }

  /** @returns the endpoint with its real port; @throws Problem if it can't be bound */
  bind(endpoint: string, entrance?: Entrance): Promise<string> {
    return bind(this.#socket, endpoint, entrance);
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

  reply(to: Envelope, payload: Uint8Array, seal?: Uint8Array): void {
    this.#queue.push(seal === undefined ? [...to, payload] : [...to, payload, seal]);
  }

  async close(): Promise<void> {
    await this.#queue.empty();
    this.#queue.close();
    this.#socket.close();
  }
}

/** Who seals a payload sends the delimiter, then just these two frames. */
function takeSeal(frames: Buffer[]): Buffer | undefined {
  const delimiter = frames.findIndex((frame) => frame.length === 0);
  return delimiter >= 0 && frames.length === delimiter + 3 ? frames.pop() : undefined;
}

/**
 * A payload stands behind the empty delimiter of a REQ; a DEALER may leave the delimiter out, then
 * it is the last frame. Frames that are too many become part of the payload and fail there.
 */
export function unwrap(frames: Buffer[]): { envelope: Envelope; payload: Buffer } {
  const delimiter = frames.findIndex((frame) => frame.length === 0);
  const split =
    delimiter < 0 || delimiter === frames.length - 1 ? frames.length - 1 : delimiter + 1;
  const [first = Buffer.alloc(0), ...rest] = frames.slice(split);
  const payload = rest.length === 0 ? first : Buffer.concat([first, ...rest]);
  return { envelope: frames.slice(0, split), payload };
}
