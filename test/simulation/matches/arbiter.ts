import type { Decided, Place, Question } from "../../../src/game/core/effects.ts";
import type { RequestId, UserName } from "../../../src/protocol/ids.ts";
import type { GameName, MatchId, OpenMatch } from "../../../src/protocol/matches.ts";
import { Accounts } from "../../../src/server/core/accounts/accounts.ts";
import {
  type MatchKind,
  matchOperations,
} from "../../../src/server/core/matches/match-operations.ts";
import { Matches } from "../../../src/server/core/matches/matches.ts";

/** The cluster's log of decisions, as one sequence: the operations are those of production. */
export class Arbiter {
  readonly matches = new Matches();
  readonly #apply = matchOperations(this.matches, new Accounts());
  #slot = 0;
  /** All terms that were ever in force, by match. */
  readonly terms = new Map<MatchId, OpenMatch[]>();
  /** The matches that an administrator has ended. */
  readonly voided = new Set<MatchId>();

  decide(by: GameName, question: Question, timeMs: number): Decided {
    const { service, ...asked } = question;
    const outcome = this.#operate(service, { ...asked, by }, timeMs);
    const { match } = asked;
    const open = this.matches.open(match);
    const known = this.terms.get(match) ?? [];
    if (open !== undefined && known.at(-1)?.term !== open.term) {
      this.terms.set(match, [...known, open]);
    }
    return typeof outcome === "string" ? { refused: outcome } : (outcome.result as Decided);
  }

  /** An administrator ends a match, which then does not count. */
  endMatch(match: MatchId, timeMs: number): void {
    const by = "admin" as UserName;
    const outcome = this.#operate("matchVoid", { match, by }, timeMs);
    if (typeof outcome !== "string") this.voided.add(match);
  }

  #operate(
    kind: MatchKind,
    asked: { readonly match: MatchId; readonly by: UserName | GameName },
    timeMs: number,
  ) {
    this.#slot += 1;
    const operation = {
      ...asked,
      kind,
      by: asked.by as UserName,
      id: String(this.#slot) as RequestId,
      since: 0,
      rights: { isOperator: true },
    };
    return this.#apply[kind](JSON.parse(JSON.stringify(operation)), timeMs);
  }

  locate(user: UserName): Place {
    return { open: this.matches.openOf(user), rating: this.matches.record(user).rating };
  }

  list(game: GameName): OpenMatch[] {
    return this.matches.opened().filter(({ host, shadow }) => [host, shadow].includes(game));
  }
}
