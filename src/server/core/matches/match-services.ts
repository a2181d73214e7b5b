import type { RequestOf } from "../../../protocol/client-messages.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import { type Fields, object, optional } from "../../../protocol/fields.ts";
import { parseUserName, type UserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import { beginning, ending, gameName, matchId, nextTerm } from "../../../protocol/match-fields.ts";
import type { GameName } from "../../../protocol/matches.ts";
import type { Replies } from "../../../protocol/replies.ts";
import { asking } from "../accounts/asking.ts";
import {
  type Circumstances,
  charge,
  type Decision,
  full,
  refuse,
  type Services,
  waits,
} from "../serving/decision.ts";
import type { ServiceRows } from "../serving/service.ts";
import type { MatchOperations, MatchOutcome } from "./match-operations.ts";

type MatchService = keyof MatchOperations | "match" | "matches" | "ranking";

/** The services of matches: what game servers have decided, and what everybody may read. */
export const matchServices: ServiceRows<MatchService> = {
  matchBegin: {
    parse: (data) => ({ ...beginning(given(data), parseUserName), ...askerOf(data) }),
    for: "members",
    decide: (services, request) => {
      const { match, rules, players, host, shadow, game } = request;
      const fields = { match, rules, players, host, shadow };
      const by = asker(game);
      return isTooMuch(services, request)
        ? refuse(errors.too_many_matches())
        : ask(services, request, { by, kind: "matchBegin", fields });
    },
  },
  matchTerm: {
    parse: (data) => ({ ...nextTerm(given(data)), ...askerOf(data) }),
    for: "members",
    decide: (services, request) => {
      const { match, term, host, shadow, game } = request;
      const fields = { match, term, host, shadow };
      return ask(services, request, { by: asker(game), kind: "matchTerm", fields });
    },
  },
  matchEnd: {
    parse: (data) => ({ ...ending(given(data), parseUserName), ...askerOf(data) }),
    for: "members",
    decide: (services, request) => {
      const { match, term, winner, isVoid, game } = request;
      const fields = { match, term, winner, isVoid };
      return ask(services, request, { by: asker(game), kind: "matchEnd", fields });
    },
  },
  matchVoid: {
    parse: object({ match: matchId }),
    // Also an open cluster must be able to free the players of a match whose disks are lost.
    for: "members",
    alsoForAdministrators: true,
    decide: (services, request) => {
      const by = request.session?.user as UserName;
      return ask(services, request, { by, kind: "matchVoid", fields: { match: request.match } });
    },
  },
  match: {
    parse: object({ user: parseUserName }),
    for: "users",
    alsoForAdministrators: true,
    decide: (services, request, at) => waits(services, request, at) ?? show(services, request, at),
  },
  matches: {
    parse: object({ from: optional(matchId) }),
    for: "members",
    alsoForAdministrators: true,
    decide: (services, request, at) => waits(services, request, at) ?? list(services, request, at),
  },
  ranking: {
    parse: () => ({}),
    for: "users",
    alsoForAdministrators: true,
    decide: (services, request, at) => {
      const wait = waits(services, request, at);
      if (wait !== undefined) return wait;
      const players = services.matches.ranking();
      if (!charge(at.room, players.length * rankedBytes)) return full();
      return { next: "answer", answer: { players } };
    },
  },
};

const askerOf = object({ game: gameName });

/** Leaves out what is null, which counts as missing (W16). */
function given(data: Fields): Fields {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null));
}

/** A game server asks in its own name, as users do. */
function asker(game: GameName): UserName {
  return game as string as UserName;
}

/**
 * Whether there are too many matches for a new one. The log judges this too; this earlier check spares
 * the id of the request, which may then succeed later.
 */
function isTooMuch(
  { matches, log }: Services,
  { match, game, id }: RequestOf<"matchBegin">,
): boolean {
  const isKnown = matches.open(match) ?? matches.ended(match) ?? log.find(asker(game), id);
  return matches.isFull && isKnown === undefined;
}

const errors: Readonly<Record<MatchOutcome, () => ProtocolError>> = {
  seated: () => new ProtocolError("seated", "One of the users sits in another match already."),
  match_differs: () => {
    const text = "The `match` stands for another match already: a new match needs a new id.";
    return new ProtocolError("id_reused", text);
  },
  too_many_matches: () => {
    return new ProtocolError("unavailable", `There are ${limits.openMatches} open matches.`);
  },
  match_not_found: () => {
    return new ProtocolError("match_not_found", "There is no such match, or it is over.");
  },
  term_passed: () => {
    return new ProtocolError("term_passed", "This is not the present `term` of the match.");
  },
  no_player: () => {
    return new ProtocolError("bad_request", "The `winner` is none of the two players.");
  },
};

const ask = asking<MatchOperations>(errors);

function show(
  { matches }: Services,
  { user }: RequestOf<"match">,
  { room }: Circumstances,
): Decision<Replies["match"]> {
  const [open, ended] = [matches.openOf(user), matches.endedOf(user)];
  if (!charge(room, (2 + ended.length) * matchBytes)) return full();
  return { next: "answer", answer: { open, record: matches.record(user), ended } };
}

function list(
  { matches }: Services,
  { from }: RequestOf<"matches">,
  { room }: Circumstances,
): Decision<Replies["matches"]> {
  const page = matches.page(from);
  if (!charge(room, (1 + page.matches.length) * matchBytes)) return full();
  return { next: "answer", answer: page };
}

/** The bytes of a match in an answer: three names of users, numbers, and the names of its fields. */
const matchBytes = 3 * 4 * limits.nameCharacters + 256;
/** The bytes of a user in the answer to `ranking`. */
const rankedBytes = 4 * limits.nameCharacters + 64;
