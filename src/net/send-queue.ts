import { limits } from "../protocol/limits.ts";

export type Frames = (string | Uint8Array | null)[];

interface Waiting {
  readonly frames: Frames;
  readonly onDropped: (() => void) | undefined;
}

/**
 * Two sends at once on one ZeroMQ socket throw. So each socket has a queue, whose messages go out
 * one after the other. A full queue drops new messages: the receivers ask again for what they miss.
 */
export class SendQueue {
  readonly #send: (frames: Frames) => Promise<void>;
  #waiting: Waiting[] = [];
  #sending = false;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(send: (frames: Frames) => Promise<void>) {
    this.#send = send;
  }

  /** @param onDropped called if the message can't be handed to libzmq */
  push(frames: Frames, onDropped?: () => void): void {
    if (this.#closed || this.#waiting.length >= limits.sendQueueMessages) {
      onDropped?.();
      return;
    }
    this.#waiting.push({ frames, onDropped });
    if (!this.#sending) void this.#run();
  }

  get isEmpty(): boolean {
    return !this.#sending;
  }

  /** Resolves when all that was pushed has been handed to libzmq. */
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
      for (const { frames, onDropped } of batch) {
        if (this.#closed) break;
        try {
          await this.#send(frames);
        } catch {
          // Nobody is connected, or the socket is closing: the message counts as lost on the way.
          onDropped?.();
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
