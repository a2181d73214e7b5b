import { Outgoing } from "../zmtp/connection.ts";
import { type Envelope, type OnRequest, takeSeal, unwrap } from "./envelope.ts";
import { anybody, type Entrance, Listener, messageBounds } from "./listener.ts";
import type { Peer } from "./wire.ts";

/** A bound ROUTER that answers requests in any order. */
export class Responder {
  readonly #onRequest: OnRequest;
  readonly #takesSeals: boolean;
  /** The peers by name. The first frame of each envelope is the name of its peer. */
  readonly #peers = new Map<string, Peer>();
  #listener: Listener | undefined;
  /** Requests that arrived before `start` was called; undefined after `start`. */
  #early: [Peer, Buffer[]][] | undefined = [];

  constructor(onRequest: OnRequest, { takesSeals = false } = {}) {
    this.#onRequest = onRequest;
    this.#takesSeals = takesSeals;
  }

  /**
   * @returns the endpoint with its real port
   * @throws Problem if the endpoint can't be bound
   */
  async bind(endpoint: string, entrance: Entrance = anybody): Promise<string> {
    this.#listener = await Listener.bind(endpoint, {
      socketType: "ROUTER",
      peers: ["REQ", "DEALER", "ROUTER"],
      bounds: messageBounds,
      entrance,
      onPeer: (peer) => this.#peers.set(keyOf(peer.name), peer),
      onMessage: (peer, frames) => this.#take(peer, frames),
      onGone: (peer) => this.#peers.delete(keyOf(peer.name)),
    });
    return this.#listener.endpoint;
  }

  /** Begins to handle requests, including those that arrived before this call. */
  start(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const [peer, frames] of early) {
      peer.resume();
      this.#take(peer, frames);
    }
  }

  reply([name, ...envelope]: Envelope, payload: Uint8Array, seal?: Uint8Array): void {
    const frames = seal === undefined ? [...envelope, payload] : [...envelope, payload, seal];
    const peer = name && this.#peers.get(keyOf(name));
    peer?.send(new Outgoing(frames));
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }

  #take(peer: Peer, frames: Buffer[]): void {
    if (this.#early !== undefined) {
      this.#early.push([peer, frames]);
      return peer.pause();
    }
    const seal = this.#takesSeals ? takeSeal(frames) : undefined;
    const { envelope, payload } = unwrap(frames);
    this.#onRequest([peer.name, ...envelope], payload, seal);
  }
}

function keyOf(name: Buffer): string {
  return name.toString("latin1");
}
