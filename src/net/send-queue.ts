import { limits } from "../protocol/limits.ts";

export type Frames = (string | Uint8Array | null)[];

/**
 * Sends messages on one ZeroMQ socket one after the other, because the socket throws if two sends
 * overlap. A full queue drops new messages; receivers fetch missed messages later.
 */
export class SendQueue {
  readonly #send: (frames: Frames) => Promise<void>;
  #waiting: Frames[] = [];
  #sending = false;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(send: (frames: Frames) => Promise<void>) {
    this.#send = send;
  }

  push(frames: Frames): void {
    if (this.#closed || this.#waiting.length >= limits.sendQueueMessages) return;
    this.#waiting.push(frames);
    if (!this.#sending) void this.#run();
  }

  get isEmpty(): boolean {
    return !this.#sending;
  }

  /**
   * Resolves when every queued message was passed to libzmq or dropped, or when the queue is
   * closed.
   */
  async empty(): Promise<void> {
    while (this.#sending && !this.#closed) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async #run(): Promise<void> {
    this.#sending = true;
    while (this.#waiting.length > 0 && !this.#closed) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const frames of batch) {
        if (this.#closed) break;
        try {
          await this.#send(frames);
        } catch {
          // No peer is connected, or the socket is closing. The message is lost, as if in transit.
        }
      }
    }
    this.#sending = false;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
