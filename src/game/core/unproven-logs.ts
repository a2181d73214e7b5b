import type { MatchId, OpenMatch } from "../../protocol/matches.ts";
import type { Effect, GameMessage } from "./effects.ts";
import { termOf } from "./match-copy.ts";
import { begun } from "./match-state.ts";

/** A host's whole log, for its shadow. */
export type Adopt = GameMessage & { readonly type: "adopt" };

/**
 * Logs of matches that this server does not know. It may have held such a match in a later term, and
 * have dropped or lost its copy since, so the cluster is asked for the present term.
 */
export class UnprovenLogs {
  readonly #emit: (effect: Effect) => void;
  readonly #asked = new Map<MatchId, Adopt>();

  constructor(emit: (effect: Effect) => void) {
    this.#emit = emit;
  }

  /** Asks for the term of a log. While the question is open, others of that match are ignored. */
  ask(message: Adopt): void {
    const { match, events } = message;
    const [first] = events;
    if (first === undefined || this.#asked.has(match)) return;
    this.#asked.set(match, message);
    this.#emit({ type: "locate", user: begun(first).players[0].user, match });
  }

  /**
   * Takes the answer, and returns the log if its term is the present one. The host of a term that has
   * passed is told.
   */
  located(match: MatchId, open: OpenMatch | undefined): Adopt | undefined {
    const message = this.#asked.get(match);
    this.#asked.delete(match);
    if (message === undefined || open?.match !== match) return undefined;
    const { term, host } = message.term;
    if (open.term === term) return message;
    if (open.term > term) {
      this.#emit({ type: "send", to: host, message: { type: "stale", match, term: termOf(open) } });
    }
    return undefined;
  }
}
