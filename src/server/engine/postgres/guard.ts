import { now } from "../../../platform/clock.ts";
import type { Log } from "../../../platform/log.ts";
import { EngineUnavailable } from "../engine.ts";

/** Pause between two lines of the log about errors of one kind, in milliseconds. */
const sameKindMs = 60_000;

/**
 * Turns errors that no code expects into EngineUnavailable, and logs them: a damaged page of the
 * database, or one request that fails in it, must not end the server.
 */
export class Guard {
  readonly #log: Log;
  /** Steady time of the last line about a kind of errors: a code of PostgreSQL, or a class. */
  readonly #loggedMs = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** @throws EngineUnavailable and nothing else */
  async run<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof EngineUnavailable) throw error;
      this.#report(error as Error & { readonly code?: string });
      throw new EngineUnavailable("its database has failed", { cause: error });
    }
  }

  #report({ code, name, message }: Error & { readonly code?: string }): void {
    const kind = code ?? name;
    const { steadyMs } = now();
    if (steadyMs - (this.#loggedMs.get(kind) ?? Number.NEGATIVE_INFINITY) < sameKindMs) return;
    this.#loggedMs.set(kind, steadyMs);
    this.#log.error({ event: "engineError", code }, `The database failed: ${message}`);
  }
}
