import type { Peer } from "../net/wire.ts";
import { now } from "../platform/clock.ts";
import { limits } from "../protocol/limits.ts";
import { Outgoing } from "../zmtp/connection.ts";
import { decodeMessage } from "../zmtp/frames.ts";
import type { Asked } from "./core/open-requests.ts";

/** What a client asked, until it is answered. */
export class ClientRequest implements Asked {
  readonly client: Peer;
  readonly bytes: number;
  readonly atMs = now().steadyMs;
  /** The client's envelope and payload, or the message that was made of them, its tag in front. */
  #kept: Buffer[] | Buffer;

  constructor(client: Peer, frames: Buffer[]) {
    this.client = client;
    this.#kept = frames;
    this.bytes = frames.reduce((sum, { length }) => sum + length, 0);
  }

  /** All that the client sent. */
  get frames(): Buffer[] {
    return Array.isArray(this.#kept) ? this.#kept : decodeMessage(this.#kept).slice(1);
  }

  /** What a worker is sent; of this one encoded copy is kept. */
  tagged(tag: Buffer): Outgoing {
    const message = new Outgoing([tag, ...this.frames]);
    this.#kept = message.plain;
    return message;
  }

  /** For longer than a moment: small frames share their memory with all that came with them. */
  wait(): void {
    if (!Array.isArray(this.#kept) || this.bytes > limits.requestBytes) return;
    this.#kept = this.#kept.map((frame) => Buffer.from(frame));
  }
}
