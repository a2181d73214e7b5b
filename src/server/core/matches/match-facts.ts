import assert from "node:assert";
import type { Fields } from "../../../protocol/fields.ts";
import { readUserName } from "../../../protocol/ids.ts";
import { beginning, nextTerm } from "../../../protocol/match-fields.ts";
import { isEndedMatch, isRecord } from "../../../protocol/match-replies.ts";
import type { OpenMatch } from "../../../protocol/matches.ts";
import type { DecidedState } from "../decisions/decision-facts.ts";
import type { Matches } from "./matches.ts";

/** Matches in a saved state: a row for each open one, each remembered one, and each record. */
export function savedMatches(matches: Matches): DecidedState {
  return {
    rows: ["openMatch", "endedMatch", "record"],
    freeze: () => ({
      rows: [
        ...matches.opened().map((open) => ({ operation: "openMatch", ...open })),
        ...matches.remembered().map((ended) => ({ operation: "endedMatch", ...ended })),
        ...matches.records().map(([user, record]) => ({ operation: "record", user, ...record })),
      ],
    }),
    restore: (_saved, rows) => {
      matches.clear();
      for (const row of rows) restoreRow(matches, row);
    },
  };
}

/** The fields keep their order, so that equal states have equal bytes (R4). */
function restoreRow(matches: Matches, { operation, ...row }: Fields): void {
  if (operation === "openMatch") matches.set(readOpen(row));
  else if (operation === "endedMatch") {
    assert(isEndedMatch(row), "a match has no end");
    const { match, rules, users, winner, isVoid, ratings, endedMs } = row;
    matches.remember({ match, rules, users, winner, isVoid, ratings, endedMs });
  } else {
    assert(isRecord(row), "a record has no rating");
    const { rating, won, lost, drawn } = row;
    matches.setRecord(readUserName((row as Fields).user), { rating, won, lost, drawn });
  }
}

function readOpen(row: Fields): OpenMatch {
  const { match, rules, players } = beginning(row, readUserName);
  const { term, host, shadow } = nextTerm(row);
  return { match, rules, players, term, host, shadow };
}
