import { Problem } from "../../platform/problem.ts";
import { harmless } from "../../protocol/harmless.ts";
import { type EndedMatch, isMatchId, type OpenMatch } from "../../protocol/matches.ts";
import { isoTime } from "../../protocol/time.ts";
import { administer } from "./accounts.ts";
import { type Context, nameOf, userOf, withClient } from "./context.ts";

/** `tertulia matches [NAME]`: prints a user's record, open match, and last matches. */
export async function showMatches(context: Context, name: string | undefined): Promise<void> {
  const { text, output } = context;
  const user = name === undefined ? userOf(context) : nameOf(context, name);
  const found = await withClient(context, (client) => client.ask("match", { user }));
  const { open, record, ended } = found;
  output.data({ user, ...record }, harmless(text("line.record", { user, ...record })));
  if (open !== undefined) output.data(open, harmless(writtenOpen(context, open)));
  for (const one of ended) output.data(one, harmless(writtenEnded(context, one)));
}

/** `tertulia matches void MATCH`: ends a match, which then does not count. */
export async function voidMatch(context: Context, match: string): Promise<void> {
  const { text, output } = context;
  if (!isMatchId(match)) throw new Problem(text("problem.match", { match }), 2);
  const ended = await administer(context, "matchVoid", { match });
  output.done({ ...ended }, text("done.voidMatch", { match }));
}

/** `tertulia ranking`: prints the users with the highest ratings. */
export async function showRanking(context: Context): Promise<void> {
  const { text, output } = context;
  const { players } = await withClient(context, (client) => client.ask("ranking", {}));
  for (const [at, one] of players.entries()) {
    const place = at + 1;
    output.data({ place, ...one }, harmless(text("line.ranked", { place, ...one })));
  }
}

function writtenOpen({ text }: Context, { match, rules, players, ...held }: OpenMatch): string {
  const { term, host, shadow = "-" } = held;
  const [{ user: first }, { user: second }] = players;
  return text("line.openMatch", { match, rules, first, second, term, host, shadow });
}

function writtenEnded({ text }: Context, { match, rules, ...ended }: EndedMatch): string {
  const { users, winner, isVoid, ratings, endedMs } = ended;
  const [first, second] = users;
  const result =
    winner !== undefined
      ? text("line.matchWon", { winner })
      : text(isVoid === true ? "line.matchVoid" : "line.matchDrawn");
  const [rating, other] = ratings;
  const said = { match, rules, first, second, result, rating, other, time: isoTime(endedMs) };
  return text("line.endedMatch", said);
}
