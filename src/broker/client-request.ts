import type { Peer } from "../net/wire.ts";
import { now } from "../platform/clock.ts";
import { Outgoing } from "../zmtp/connection.ts";
import { decodeMessage, pieceBytes } from "../zmtp/frames.ts";
import type { OpenRequest } from "./core/open-requests.ts";

export class ClientRequest implements OpenRequest {
  readonly client: Peer;
  readonly bytes: number;
  readonly atMs = now().steadyMs;
  /**
   * The frames from the client. Once `tagged` was called, a short request is stored as the encoded
   * message for the worker instead, which begins with the tag.
   */
  #kept: Buffer[] | Buffer;

  constructor(client: Peer, frames: Buffer[]) {
    this.client = client;
    this.#kept = frames;
    this.bytes = frames.reduce((sum, { length }) => sum + length, 0);
  }

  /** Returns the frames from the client: envelope and payload. */
  get frames(): Buffer[] {
    return Array.isArray(this.#kept) ? this.#kept : decodeMessage(this.#kept).slice(1);
  }

  /**
   * Returns the message for a worker, which begins with the tag. From then on, a short request is
   * stored in this form.
   */
  tagged(tag: Buffer): Outgoing {
    const message = new Outgoing([tag, ...this.frames]);
    const [encoded, ...more] = message.pieces;
    if (encoded !== undefined && more.length === 0) this.#kept = encoded;
    return message;
  }

  /**
   * Copies the frames of a short request before a long wait: each uncopied frame would keep the
   * whole received chunk in memory.
   */
  wait(): void {
    if (!Array.isArray(this.#kept) || this.bytes >= pieceBytes) return;
    this.#kept = this.#kept.map((frame) => Buffer.from(frame));
  }
}
