import type { Peer } from "../net/wire.ts";
import { now } from "../platform/clock.ts";
import { Outgoing } from "../zmtp/connection.ts";
import { decodeMessage, pieceBytes } from "../zmtp/frames.ts";
import type { OpenRequest } from "./core/open-requests.ts";

/** A client's request, until it is answered. */
export class ClientRequest implements OpenRequest {
  readonly client: Peer;
  readonly bytes: number;
  readonly atMs = now().steadyMs;
  /** The frames that the client sent; after tagging a short one, the encoded message with them. */
  #kept: Buffer[] | Buffer;

  constructor(client: Peer, frames: Buffer[]) {
    this.client = client;
    this.#kept = frames;
    this.bytes = frames.reduce((sum, { length }) => sum + length, 0);
  }

  /** The frames that the client sent: envelope and payload. */
  get frames(): Buffer[] {
    return Array.isArray(this.#kept) ? this.#kept : decodeMessage(this.#kept).slice(1);
  }

  /** The message for a worker, tag first. A short request is kept in this form from then on. */
  tagged(tag: Buffer): Outgoing {
    const message = new Outgoing([tag, ...this.frames]);
    const [encoded, ...more] = message.pieces;
    if (encoded !== undefined && more.length === 0) this.#kept = encoded;
    return message;
  }

  /** Copies small frames before a long wait: each would keep the whole chunk that it came in. */
  wait(): void {
    if (!Array.isArray(this.#kept) || this.bytes >= pieceBytes) return;
    this.#kept = this.#kept.map((frame) => Buffer.from(frame));
  }
}
