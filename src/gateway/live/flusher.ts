import type { Duplex } from "node:stream";
import { now } from "../../platform/clock.ts";

/** Milliseconds of sending after which the process does other work. */
const sliceMs = 4;
/** How many times as long as it sent the process then does other work. */
const restPerSend = 2;

interface Joined {
  readonly parts: readonly Buffer[];
  readonly bytes: Buffer;
}

/**
 * Collects what is written to many sockets, and sends it with one system call for each socket,
 * because a call costs far more than its bytes. The sockets take turns. With few sockets nothing
 * waits. With many, sending takes at most a third of the process's time, in slices, so that new
 * messages come in between.
 */
export class Flusher {
  /** The bytes that wait for each socket. The socket that has waited longest comes first. */
  readonly #waiting = new Map<Duplex, Buffer[]>();
  #isDue = false;
  /** Before this time, the process does other work. */
  #restUntilMs = 0;
  /** The last bytes that were joined: the next socket is often sent the same. */
  #joined: Joined = { parts: [], bytes: Buffer.alloc(0) };

  write(socket: Duplex, bytes: Buffer): void {
    const parts = this.#waiting.get(socket);
    if (parts === undefined) this.#waiting.set(socket, [bytes]);
    else parts.push(bytes);
    this.#plan();
  }

  /** Sends what waits for one socket, and forgets the socket. */
  flush(socket: Duplex): void {
    const parts = this.#waiting.get(socket);
    this.#waiting.delete(socket);
    if (parts !== undefined && socket.writable) socket.write(this.#join(parts));
  }

  #plan(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const restMs = this.#restUntilMs - now().steadyMs;
    if (restMs < 1) setImmediate(() => this.#flushSome());
    else setTimeout(() => this.#flushSome(), restMs);
  }

  #flushSome(): void {
    const startMs = now().steadyMs;
    let endMs = startMs;
    for (const socket of this.#waiting.keys()) {
      this.flush(socket);
      endMs = now().steadyMs;
      if (endMs - startMs >= sliceMs) break;
    }
    this.#restUntilMs = endMs + restPerSend * (endMs - startMs);
    this.#isDue = false;
    if (this.#waiting.size > 0) this.#plan();
  }

  #join(parts: readonly Buffer[]): Buffer {
    const [first = Buffer.alloc(0)] = parts;
    if (parts.length === 1) return first;
    const before = this.#joined.parts;
    const isSame = before.length === parts.length && before.every((one, at) => one === parts[at]);
    if (!isSame) this.#joined = { parts, bytes: Buffer.concat(parts) };
    return this.#joined.bytes;
  }
}
