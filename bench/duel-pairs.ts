import { GameLinks } from "../src/client/game-links.ts";
import { pause } from "../src/platform/clock.ts";
import { parseUserName, type UserName } from "../src/protocol/ids.ts";
import type { LocalCluster } from "../src/trials/local-cluster.ts";
import { until } from "../test/support/until.ts";
import { DuelPlayer, type Played, type Told } from "./duel-player.ts";
import { percentile } from "./measure.ts";

interface PairOptions {
  readonly cluster: LocalCluster;
  readonly pairs: number;
  readonly paceMs: number;
  /** How many packs each player buys first. */
  readonly packs?: number;
  /** Milliseconds over which the matches begin, so that they do not all end at once. */
  readonly spreadMs?: number;
  /** Whether each player begins each match at their own game server, with connections of their own. */
  readonly isAtHome?: boolean;
}

/** Pairs of players of whom each uses another game server, and what they have seen. */
export class DuelPairs implements AsyncDisposable {
  readonly players: DuelPlayer[] = [];
  /** For each event of a match, the times at which the two players were told of it. */
  readonly #told = new Map<string, number[]>();
  readonly #links: GameLinks;

  private constructor(links: GameLinks) {
    this.#links = links;
  }

  static async start(options: PairOptions): Promise<DuelPairs> {
    const { cluster, pairs, paceMs, packs = 0, isAtHome = false, spreadMs = 0 } = options;
    const games = cluster.endpoints.game.split(",");
    const shared = new GameLinks(games);
    const all = new DuelPairs(shared);
    const session = cluster.client();
    const { promise: allHaveMet, resolve } = withResolver();
    let start = allHaveMet;
    for (const [at, user] of namesAtBoth(shared, pairs).entries()) {
      await session.login(user);
      for (let pack = 0; pack < packs; pack += 1) await session.ask("buy", { user, pack: "basic" });
      const onTold = (told: Told) => all.#note(told);
      if (at % 2 === 0) start = allHaveMet.then(() => pause(spreadMs * Math.random()));
      // The game servers prefer players of the same server: two pairs at home have games of their own.
      const rules = isAtHome && at >= 2 ? "duel" : "clash";
      const reached = isAtHome ? games : shared;
      all.players.push(
        new DuelPlayer({
          user,
          games: reached,
          rules,
          paceMs,
          start,
          onTold,
          givesUpAfterWin: pairs === 1,
        }),
      );
      // One pair after the other meets, so that the two of a pair come from different servers.
      if (at % 2 === 1) await until(() => all.#hasMet(at), `${user} meets somebody`);
    }
    resolve();
    return all;
  }

  #hasMet(last: number): boolean {
    return [last - 1, last].every((at) => (this.players[at]?.told.length ?? 0) > 0);
  }

  /** Milliseconds from a play until both players were told of it, of all plays since a time. */
  latencies(fromMs: number): number[] {
    const plays = this.players.flatMap(({ played }) => played.filter(isPlay));
    return plays.flatMap(({ match, eventSeq, startMs }) => {
      const told = this.#told.get(`${match} ${eventSeq}`) ?? [];
      return startMs < fromMs || told.length < 2 ? [] : [Math.max(...told) - startMs];
    });
  }

  /** Plays that took effect since a time. */
  plays(fromMs: number): number {
    const plays = this.players.flatMap(({ played }) => played.filter(isPlay));
    return plays.filter(({ endMs }) => endMs >= fromMs).length;
  }

  /** Plays a second of one match, from its first play to its last: the median of all whole matches. */
  matchRate(fromMs: number): number {
    const matches = new Map<string, Played[]>();
    for (const play of this.players.flatMap(({ played }) => played.filter(isPlay))) {
      matches.set(play.match, [...(matches.get(play.match) ?? []), play]);
    }
    const rates = [...matches.values()].flatMap((plays) => {
      const startMs = Math.min(...plays.map((play) => play.startMs));
      const endMs = Math.max(...plays.map((play) => play.endMs));
      // Matches that were given up have too few plays for a rate.
      return startMs < fromMs || plays.length < 10
        ? []
        : [(1_000 * plays.length) / (endMs - startMs)];
    });
    return percentile(rates, 0.5);
  }

  get failures(): string[] {
    return this.players.flatMap(({ failures }) => failures);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.players.map((player) => player[Symbol.asyncDispose]()));
    this.#links[Symbol.dispose]();
  }

  #note({ match, event, atMs }: Told): void {
    const key = `${match} ${event.eventSeq}`;
    this.#told.set(key, [...(this.#told.get(key) ?? []), atMs]);
  }
}

function withResolver() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function isPlay({ action }: Played): boolean {
  return action.type === "play";
}

/** Returns names of users, half of whom begin at each of the first two game servers. */
function namesAtBoth(links: GameLinks, pairs: number): UserName[] {
  const byGame = new Map<string, UserName[]>();
  for (let number = 0; [...byGame.values()].filter((one) => one.length >= pairs).length < 2; ) {
    const user = parseUserName(`player${number}`);
    const game = links.gameOf(user);
    byGame.set(game, [...(byGame.get(game) ?? []), user]);
    number += 1;
  }
  const [first = [], second = []] = [...byGame.values()].filter((one) => one.length >= pairs);
  return first.slice(0, pairs).flatMap((user, at) => [user, second[at] as UserName]);
}
