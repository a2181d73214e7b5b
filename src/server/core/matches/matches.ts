import type { UserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import type { Ranked } from "../../../protocol/match-replies.ts";
import type { EndedMatch, MatchId, OpenMatch, PlayerRecord } from "../../../protocol/matches.ts";
import { ratedAfter } from "./rating.ts";

/** How a match ends. */
interface End {
  readonly winner?: UserName | undefined;
  readonly isVoid?: true | undefined;
  /** Milliseconds since 1970. */
  readonly endedMs: number;
}

const newcomer: PlayerRecord = { rating: limits.firstRating, won: 0, lost: 0, drawn: 0 };

/** Open matches, results and ratings, as the log of decisions has made them. A user sits in one match at most. */
export class Matches {
  readonly #open = new Map<MatchId, OpenMatch>();
  readonly #seats = new Map<UserName, MatchId>();
  /** The last ended matches, in the order in which they ended. */
  readonly #ended = new Map<MatchId, EndedMatch>();
  /** The records of the users with a match that counted. */
  readonly #records = new Map<UserName, PlayerRecord>();
  /** The best users, until a record changes: sorting all of them takes long. */
  #ranking: readonly Ranked[] | undefined;
  readonly #kept: number;
  /** Open matches that are not known here. */
  openElsewhere = 0;

  /** @param kept how many ended matches are remembered */
  constructor(kept: number = limits.endedMatches) {
    this.#kept = kept;
  }

  get isFull(): boolean {
    return this.#open.size + this.openElsewhere >= limits.openMatches;
  }

  open(match: MatchId): OpenMatch | undefined {
    return this.#open.get(match);
  }

  /** Returns the match in which the user sits. */
  openOf(user: UserName): OpenMatch | undefined {
    const match = this.#seats.get(user);
    return match && this.#open.get(match);
  }

  /** Returns how a match ended, if it is among the last ones. */
  ended(match: MatchId): EndedMatch | undefined {
    return this.#ended.get(match);
  }

  /** Returns the user's last matches, the newest first. */
  endedOf(user: UserName): EndedMatch[] {
    const theirs = [...this.#ended.values()].filter(({ users }) => users.includes(user));
    return theirs.slice(-limits.userMatches).reverse();
  }

  record(user: UserName): PlayerRecord {
    return this.#records.get(user) ?? newcomer;
  }

  /** Returns the users with the highest ratings, the best first. */
  ranking(): readonly Ranked[] {
    this.#ranking ??= this.records()
      .map(([user, record]) => ({ user, ...record }))
      .sort((a, b) => b.rating - a.rating)
      .slice(0, limits.rankingUsers);
    return this.#ranking;
  }

  /**
   * Returns a page of the open matches, sorted by id.
   * @param from the least id
   */
  page(from: MatchId | undefined): { readonly matches: OpenMatch[]; readonly next?: MatchId } {
    const least = from ?? "";
    const rest = this.opened().filter(({ match }) => match >= least);
    const next = rest[limits.matchesPage]?.match;
    return { matches: rest.slice(0, limits.matchesPage), ...(next !== undefined && { next }) };
  }

  /** Begins a match, or gives an open match another term. */
  set(open: OpenMatch): void {
    this.#open.set(open.match, open);
    for (const { user } of open.players) this.#seats.set(user, open.match);
  }

  /** Ends an open match: its users are free, and their records count it unless it is void. */
  end(open: OpenMatch, { winner, isVoid, endedMs }: End): EndedMatch {
    const { match, rules, players } = open;
    const [first, second] = [players[0].user, players[1].user];
    this.#open.delete(match);
    for (const user of [first, second]) this.#seats.delete(user);
    if (isVoid !== true) this.#count([first, second], winner);
    const ratings = [this.record(first).rating, this.record(second).rating] as const;
    const ended = {
      match,
      rules,
      users: [first, second],
      winner,
      isVoid,
      ratings,
      endedMs,
    } as const;
    this.remember(ended);
    return ended;
  }

  remember(ended: EndedMatch): void {
    this.#ended.set(ended.match, ended);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > this.#kept) this.#ended.delete(oldest as MatchId);
  }

  setRecord(user: UserName, record: PlayerRecord): void {
    this.#records.set(user, record);
    this.#ranking = undefined;
  }

  clear(): void {
    this.#ranking = undefined;
    for (const map of [this.#open, this.#seats, this.#ended, this.#records]) map.clear();
  }

  // A saved state, sorted, so that equal states have equal bytes (R4).

  opened(): OpenMatch[] {
    return [...this.#open.values()].sort((a, b) => (a.match < b.match ? -1 : 1));
  }

  /** In the order in which the matches ended, which is that of the log. */
  remembered(): EndedMatch[] {
    return [...this.#ended.values()];
  }

  records(): [UserName, PlayerRecord][] {
    return [...this.#records].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #count([first, second]: readonly [UserName, UserName], winner: UserName | undefined): void {
    const [mine, theirs] = [this.record(first), this.record(second)];
    const won = winner === undefined ? 0.5 : winner === first ? 1 : 0;
    const [rating, other] = ratedAfter([mine.rating, theirs.rating], won);
    this.setRecord(first, counted({ ...mine, rating }, won));
    this.setRecord(second, counted({ ...theirs, rating: other }, (1 - won) as typeof won));
  }
}

function counted(record: PlayerRecord, won: 0 | 0.5 | 1): PlayerRecord {
  const result = won === 1 ? "won" : won === 0 ? "lost" : "drawn";
  return { ...record, [result]: record[result] + 1 };
}
