import { ProtocolError } from "./errors.ts";
import { type Field, type Fields, fieldsOf } from "./fields.ts";
import type { UserName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import {
  type Beginning,
  type Ending,
  type GameName,
  isGameName,
  isMatchId,
  type MatchId,
  type Player,
  type Players,
  rulesNames,
  type Term,
} from "./matches.ts";
import { oneOf, yesOrNo } from "./request-fields.ts";

// Both the gate and the log read these fields; they differ in how they read the name of a user. Null is
// invalid, because what is no JSON, such as NaN, is null for all replicas but the first one.

export const matchId: Field<MatchId> = (value, name) => {
  if (isMatchId(value)) return value;
  throw refusal(`\`${name}\` must have 16 digits of hexadecimal.`);
};

export const gameName: Field<GameName> = (value, name) => {
  if (isGameName(value)) return value;
  throw refusal(`\`${name}\` must be the name of a game server, such as "game_0a1b2c3d".`);
};

const rulesName = oneOf(rulesNames, `one of ${rulesNames.join(", ")}`);

const wholeTerm: Field<number> = (value, name) => {
  const term = parseClock(value);
  if (term !== undefined && term >= 1) return term;
  throw refusal(`\`${name}\` must be a whole number of at least 1.`);
};

/** @throws ProtocolError that names the wrong field, or an error of `userName` */
export function beginning(data: Fields, userName: Field<UserName>): Beginning {
  return {
    match: matchId(data.match, "match"),
    rules: rulesName(data.rules, "rules"),
    players: playersOf(data.players, userName),
    ...holders(data),
  };
}

/** @throws ProtocolError that names the wrong field */
export function nextTerm(data: Fields): Term & { readonly match: MatchId } {
  const match = matchId(data.match, "match");
  return { match, term: wholeTerm(data.term, "term"), ...holders(data) };
}

/** @throws ProtocolError that names the wrong field, or an error of `userName` */
export function ending(data: Fields, userName: Field<UserName>): Ending {
  const isVoid = ifAny(yesOrNo)(data.isVoid, "isVoid") === true ? true : undefined;
  const winner = ifAny(userName)(data.winner, "winner");
  if (isVoid && winner !== undefined) throw refusal("A match that is void has no `winner`.");
  return {
    match: matchId(data.match, "match"),
    term: wholeTerm(data.term, "term"),
    winner,
    isVoid,
  };
}

function holders({ host, shadow }: Fields): Omit<Term, "term"> {
  const held = { host: gameName(host, "host"), shadow: ifAny(gameName)(shadow, "shadow") };
  if (held.host === held.shadow) throw refusal("`shadow` must be another one than `host`.");
  return held;
}

function ifAny<T>(parse: Field<T>): Field<T | undefined> {
  return (value, name) => (value === undefined ? undefined : parse(value, name));
}

function playersOf(value: unknown, userName: Field<UserName>): Players {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  const [first, second, ...more] = list.map((one): Player => {
    const { user, game } = fieldsOf(one);
    return { user: userName(user, "user"), game: gameName(game, "game") };
  });
  const isPair = first !== undefined && second !== undefined && more.length === 0;
  if (isPair && first.user !== second.user) return [first, second];
  throw refusal("`players` must be two different users, each with their `game`.");
}

function refusal(description: string): ProtocolError {
  return new ProtocolError("bad_request", description);
}
