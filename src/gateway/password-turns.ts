import { ProtocolError } from "../protocol/errors.ts";
import { limits } from "../protocol/limits.ts";

/**
 * Lets the requests with a password from one address take turns. Servers check passwords slowly, and
 * one after the other. So without turns, one address could make all other people wait.
 */
export class PasswordTurns {
  /** For each address with an open request: what the next request waits for, and how many wait. */
  readonly #lines = new Map<string, { last: Promise<unknown>; length: number }>();

  /**
   * Runs `act` after the earlier ones of this address.
   * @throws ProtocolError `rate_limited` if as many wait as servers accept at once (A9)
   */
  async take<T>(address: string, act: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(address) ?? { last: Promise.resolve(), length: 0 };
    if (line.length >= limits.connectionAttempts) {
      const sentence = "Too many attempts with a password at once: wait 1 s.";
      throw new ProtocolError("rate_limited", sentence, { wait: 1 });
    }
    this.#lines.set(address, line);
    line.length += 1;
    const done = line.last.then(act);
    // The next request also gets its turn if this one fails.
    line.last = done.catch(() => {});
    try {
      return await done;
    } finally {
      line.length -= 1;
      if (line.length === 0) this.#lines.delete(address);
    }
  }
}
