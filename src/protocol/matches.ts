import type { UserName } from "./ids.ts";

/** The games that a match may be played by. */
export const rulesNames = ["clash", "duel"] as const;
export type RulesName = (typeof rulesNames)[number];

/** The id of a match: 16 hex digits, made by the game server that found the pair. */
export type MatchId = string & { readonly matchId: never };

export function isMatchId(value: unknown): value is MatchId {
  return typeof value === "string" && /^[0-9a-f]{16}$/.test(value);
}

/** The name of a game server, such as `game_0a1b2c3d`. */
export type GameName = string & { readonly gameName: never };

export function isGameName(value: unknown): value is GameName {
  return typeof value === "string" && /^game_[0-9a-f]{8}$/.test(value);
}

/** A player's place in a match. */
export interface Player {
  readonly user: UserName;
  /** The game server by which the player came. */
  readonly game: GameName;
}

/** The two players; the first one is a player of the game server that found the pair. */
export type Players = readonly [Player, Player];

/** Which game servers hold a match, from a term on. The terms of a match are 1, 2, 3 … */
export interface Term {
  readonly term: number;
  /** The game server that decides what happens in the match. */
  readonly host: GameName;
  /** The game server that has a copy; undefined if the host is alone. */
  readonly shadow?: GameName | undefined;
}

/** The fields that begin a match. */
export type Beginning = Omit<Term, "term"> & {
  readonly match: MatchId;
  readonly rules: RulesName;
  readonly players: Players;
};

/** The fields that end a match. */
export interface Ending {
  readonly match: MatchId;
  readonly term: number;
  /** Undefined if nobody has won. */
  readonly winner?: UserName | undefined;
  /** Whether the match does not count. */
  readonly isVoid?: true | undefined;
}

/** A match that is not over, as the log of decisions has it. */
export interface OpenMatch extends Term {
  readonly match: MatchId;
  readonly rules: RulesName;
  readonly players: Players;
}

/** How a match ended. */
export interface EndedMatch {
  readonly match: MatchId;
  readonly rules: RulesName;
  readonly users: readonly [UserName, UserName];
  /** Undefined if nobody has won. */
  readonly winner?: UserName | undefined;
  /** Whether the match does not count. */
  readonly isVoid?: true | undefined;
  /** The ratings after the match, in the order of `users`. */
  readonly ratings: readonly [number, number];
  /** Milliseconds since 1970. */
  readonly endedMs: number;
}

/** A user's results of all matches. */
export interface PlayerRecord {
  readonly rating: number;
  readonly won: number;
  readonly lost: number;
  readonly drawn: number;
}
