import { readUserName } from "../../../protocol/ids.ts";
import { beginning, ending, matchId, nextTerm } from "../../../protocol/match-fields.ts";
import type { Beginning, Ending, MatchId, OpenMatch, Term } from "../../../protocol/matches.ts";
import type { Operation } from "../../../protocol/operation.ts";
import { mayAdminister, type Rights, readRights } from "../accounts/account-operations.ts";
import type { Accounts } from "../accounts/accounts.ts";
import { type Apply, applying } from "../decisions/applying.ts";
import type { Matches } from "./matches.ts";

/** What may come of an operation on matches, besides the outcomes of rights. */
export type MatchOutcome =
  | "seated"
  | "match_differs"
  | "too_many_matches"
  | "match_not_found"
  | "term_passed"
  | "no_player";

interface Acting {
  readonly rights: Rights;
}

/** For each kind of operation, its fields besides those of all operations. */
export interface MatchOperations {
  /** Seats two users in a new match, whose term is 1. */
  matchBegin: Acting & Beginning;
  /**
   * Gives a match its next term, with another host or shadow. The host must have been host or shadow
   * of the present term, because only these two game servers have what was played so far. Otherwise
   * nothing changes. In both cases the outcome is the term in force, so that a game server that comes
   * too late learns which one has won.
   */
  matchTerm: Acting & Term & { readonly match: MatchId };
  /** Ends a match, on behalf of the host of its present term. */
  matchEnd: Acting & Ending;
  /** An administrator ends a match, which then does not count. */
  matchVoid: Acting & { readonly match: MatchId };
}

export type MatchKind = keyof MatchOperations;

/** The operations on matches, as the log of decisions applies them (D5). */
export function matchOperations(
  matches: Matches,
  accounts: Accounts,
): Readonly<Record<MatchKind, Apply>> {
  return applying<MatchOperations>(readers, {
    matchBegin: ({ rights, ...asked }) => {
      return mayAdminister(accounts, rights) ?? begin(matches, asked);
    },
    matchTerm: ({ match, rights, ...asked }) => {
      const refused = mayAdminister(accounts, rights);
      if (refused !== undefined) return refused;
      const open = matches.open(match);
      if (open === undefined) return "match_not_found";
      const isNext = asked.term === open.term + 1;
      const hasCopy = [open.host, open.shadow].includes(asked.host);
      const now = isNext && hasCopy ? { ...open, ...asked } : open;
      matches.set(now);
      const { term, host, shadow } = now;
      return { outcome: "done", result: { term, host, shadow } };
    },
    matchEnd: ({ match, term, winner, isVoid, rights }, _operation, time) => {
      const refused = mayAdminister(accounts, rights);
      if (refused !== undefined) return refused;
      // The first end counts, whichever game server asked for it.
      const first = matches.ended(match);
      if (first !== undefined) return { outcome: "done", result: first };
      const open = matches.open(match);
      if (open === undefined) return "match_not_found";
      if (open.term !== term) return "term_passed";
      const isPlayer = winner === undefined || open.players.some(({ user }) => user === winner);
      if (!isPlayer) return "no_player";
      return { outcome: "done", result: matches.end(open, { winner, isVoid, endedMs: time }) };
    },
    matchVoid: ({ match, rights }, _operation, time) => {
      const refused = mayAdminister(accounts, rights);
      if (refused !== undefined) return refused;
      const first = matches.ended(match);
      if (first?.isVoid === true) return { outcome: "done", result: first };
      const open = matches.open(match);
      if (open === undefined) return "match_not_found";
      return { outcome: "done", result: matches.end(open, { isVoid: true, endedMs: time }) };
    },
  });
}

function begin(matches: Matches, asked: Beginning) {
  const { match, rules, players, host, shadow } = asked;
  const known = matches.open(match);
  if (known !== undefined) {
    return isBegunBy(known, asked) ? { outcome: "done", result: known } : "match_differs";
  }
  // A request that comes late must not begin an ended match again.
  if (matches.ended(match) !== undefined) return "match_not_found";
  if (players.some(({ user }) => matches.openOf(user) !== undefined)) return "seated";
  if (matches.isFull) return "too_many_matches";
  const open = { match, rules, players, term: 1, host, shadow };
  matches.set(open);
  return { outcome: "done", result: open };
}

/** Whether the open match has this beginning. Nobody remembers who held it in a former term. */
function isBegunBy(open: OpenMatch, { rules, players, host, shadow }: Beginning): boolean {
  const isSame = JSON.stringify([open.rules, open.players]) === JSON.stringify([rules, players]);
  return isSame && (open.term > 1 || (open.host === host && open.shadow === shadow));
}

const readers: { readonly [K in MatchKind]: (operation: Operation) => MatchOperations[K] } = {
  matchBegin: (data) => ({
    ...beginning(data, readUserName),
    rights: readRights(data.rights),
  }),
  matchTerm: (data) => ({ ...nextTerm(data), rights: readRights(data.rights) }),
  matchEnd: (data) => ({ ...ending(data, readUserName), rights: readRights(data.rights) }),
  matchVoid: (data) => ({
    match: matchId(data.match, "match"),
    rights: readRights(data.rights),
  }),
};
