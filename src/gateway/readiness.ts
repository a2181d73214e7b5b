import type { Connection } from "../client/connection.ts";
import type { Session } from "../client/session.ts";
import { pause } from "../platform/clock.ts";
import { quorumOf } from "../protocol/view.ts";

const intervalMs = 500;
/** The most time for an answer; a proxy must pass over an unready gateway within 2 s. */
const patienceMs = 1_000;

/**
 * Asks for the cluster's status again and again, so that a gateway knows whether it can serve. An
 * unready gateway refuses all requests, so that a proxy passes over it.
 */
export class Readiness implements Disposable {
  readonly #connection: Connection;
  readonly #session: Session;
  readonly #ending = new AbortController();
  #reason: string | undefined = "the gateway has just started";

  /** @param connection a connection whose requests fail after a short time */
  constructor(openConnection: (deadlineMs: number) => Connection) {
    this.#connection = openConnection(patienceMs);
    this.#session = this.#connection.session();
    void this.#watch();
  }

  /** Why the gateway can't serve; undefined if it can. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** From now on the gateway counts as unready, because it ends. */
  drain(): void {
    this.#ending.abort();
    this.#reason = "the gateway is being stopped";
  }

  [Symbol.dispose](): void {
    this.drain();
    this.#connection.close();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const reason = await this.#look();
      if (signal.aborted) return;
      this.#reason = reason;
      await pause(intervalMs, signal);
    }
  }

  async #look(): Promise<string | undefined> {
    try {
      const { view, members } = await this.#session.status();
      if (view === undefined) return undefined;
      const live = members.filter(({ member, live }) => member && live).length;
      const needed = quorumOf(view);
      if (live >= needed) return undefined;
      return `no quorum: ${live} of ${view.members.length} servers are live`;
    } catch {
      return "no server answers";
    }
  }
}
