import { limits } from "../../../protocol/limits.ts";
import type { PasswordResult, PasswordWork } from "../../../protocol/password-work.ts";
import type { Effects } from "../effects.ts";

/**
 * @param result undefined if the work could not be done, such as for lack of memory; a wrong
 * password has a result, with `isRight` false
 */
type Done = (result: PasswordResult | undefined) => void;

interface Job {
  readonly work: PasswordWork;
  readonly done: Done;
}

/**
 * Queues passwords to be hashed or checked. Starts the oldest first; at most `limits.hashesAtOnce`
 * run at once.
 */
export class Passwords {
  readonly #waiting = new Set<Job>();
  readonly #running = new Map<number, Job>();
  #number = 0;

  /** The number of passwords that wait, or are being hashed or checked. */
  get open(): number {
    return this.#waiting.size + this.#running.size;
  }

  /** Whether the queue is full: about a second of work waits in it. */
  get isFull(): boolean {
    return this.#waiting.size >= limits.unhashedPasswords;
  }

  /** @returns a function that cancels the work if it has not begun */
  add(work: PasswordWork, done: Done): () => void {
    const job = { work, done };
    this.#waiting.add(job);
    return () => this.#waiting.delete(job);
  }

  settle(number: number, result: PasswordResult | undefined): void {
    const job = this.#running.get(number);
    this.#running.delete(number);
    job?.done(result);
  }

  advance(effects: Effects): void {
    for (const job of this.#waiting) {
      if (this.#running.size >= limits.hashesAtOnce) return;
      this.#waiting.delete(job);
      this.#number += 1;
      this.#running.set(this.#number, job);
      effects.add({ type: "password", number: this.#number, ...job.work });
    }
  }
}
