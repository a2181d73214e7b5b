import type { Duplex } from "node:stream";
import { now } from "../../platform/clock.ts";

/** The most milliseconds that bytes wait for further bytes to the same socket. */
const mostRestMs = 40;

/**
 * Collects what is written to many sockets, and sends it with one system call for each socket. This
 * flush comes at the end of the event loop's turn. After a flush of some milliseconds, the next one
 * waits for the same time. So with few sockets nothing waits, and with many the process has time
 * for other work.
 */
export class Flusher {
  readonly #corked = new Set<Duplex>();
  #isDue = false;
  #restMs = 0;

  write(socket: Duplex, bytes: Buffer): void {
    if (!this.#corked.has(socket)) {
      this.#corked.add(socket);
      socket.cork();
    }
    socket.write(bytes);
    if (this.#isDue) return;
    this.#isDue = true;
    if (this.#restMs < 1) setImmediate(() => this.#flush());
    else setTimeout(() => this.#flush(), this.#restMs);
  }

  #flush(): void {
    const startMs = now().steadyMs;
    for (const socket of this.#corked) socket.uncork();
    this.#corked.clear();
    this.#isDue = false;
    this.#restMs = Math.min(now().steadyMs - startMs, mostRestMs);
  }
}
