import { limits } from "../../protocol/limits.ts";
import { isMatchId, type MatchId } from "../../protocol/matches.ts";
import { StepRing } from "../../protocol/step-ring.ts";
import type { RememberedMatch, Step, TracedMatch } from "../../protocol/steps.ts";

/** What a step is about. The steps of one proposal share it. */
export interface Subject {
  readonly match: MatchId;
  /** The names of the operations in the match's log: the user, a slash, and the request's id. */
  readonly operations: readonly string[];
  /** The number of the host's proposal, if there is one. */
  readonly round?: number | undefined;
}

type Added = Omit<Step, "round" | "operations">;

/** The newest steps of a game server with matches (O68). */
export class MatchSteps {
  readonly #ring: StepRing;
  readonly #subjects: (Subject | undefined)[];
  readonly #reasons: (string | undefined)[];

  /** @param most the number of records to keep */
  constructor(most: number) {
    this.#ring = new StepRing(most);
    this.#subjects = new Array(most).fill(undefined);
    this.#reasons = new Array(most).fill(undefined);
  }

  add({ kind, atMs, clock, peer, sentClock, reason }: Added, subject: Subject): void {
    this.#ring.begin(kind, atMs, clock);
    this.#ring.setSender(peer, sentClock);
    this.#subjects[this.#ring.place] = subject;
    this.#reasons[this.#ring.place] = reason;
  }

  /**
   * @param of a match, the id of a request, or both with a slash between them. Of several requests
   * with one id, the result is about the newest.
   */
  recall(of: string): RememberedMatch {
    const traced = this.#find(of);
    if (traced === undefined) return { steps: [] };
    const { match, operation } = traced;
    const places = [...this.#ring.places()].filter((place) => {
      const subject = this.#subjects[place];
      const isNamed = operation === undefined || subject?.operations.includes(operation);
      return subject?.match === match && isNamed;
    });
    const steps = places.slice(-limits.eventSteps).map((place) => this.#step(place, traced));
    return { match: traced, steps };
  }

  #find(of: string): TracedMatch | undefined {
    let newest: TracedMatch | undefined;
    for (const place of this.#ring.places()) {
      const { match, operations } = this.#subjects[place] as Subject;
      if (isMatchId(of) && match === of) return { match };
      const operation = operations.find((one) => isOperation(of, match, one));
      if (operation !== undefined) newest = { match, operation };
    }
    return newest;
  }

  #step(place: number, { operation }: TracedMatch): Step {
    const { round, operations } = this.#subjects[place] as Subject;
    const reason = this.#reasons[place];
    return {
      ...this.#ring.step(place),
      ...(round !== undefined && { round }),
      // In the trace of one operation, each step is about it.
      ...(operation === undefined && operations.length > 0 && { operations }),
      ...(reason !== undefined && { reason }),
    };
  }
}

/** The name by which all game servers find the same match or operation. */
export function nameOf({ match, operation }: TracedMatch): string {
  return operation === undefined ? match : `${match}/${operation}`;
}

function isOperation(of: string, match: MatchId, operation: string): boolean {
  const wanted = of.startsWith(`${match}/`) ? of.slice(match.length + 1) : of;
  return wanted === operation || wanted === operation.slice(operation.indexOf("/") + 1);
}
