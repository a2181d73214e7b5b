import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Connection } from "../../src/client/connection.ts";
import { GameLinks } from "../../src/client/game-links.ts";
import type { Child } from "../../src/cluster/child.ts";
import { parseUserName, type UserName } from "../../src/protocol/ids.ts";
import type { OpenMatch } from "../../src/protocol/matches.ts";
import type { Replies } from "../../src/protocol/replies.ts";
import { LocalCluster, type LocalClusterOptions } from "../../src/trials/local-cluster.ts";
import { LinePlayer } from "../support/match-doors.ts";
import { expectSame, type MatchPlayer } from "../support/match-player.ts";
import { until } from "../support/until.ts";

/** The longest time, in ms, until a match goes on or a killed process is back. */
export const faultMs = 25_000;

/** The rating of a new player. */
const firstRating = 1_200;

/** A cluster with two game servers, and what tests ask it about matches. */
export class MatchScene implements AsyncDisposable {
  readonly cluster: LocalCluster;
  /** The game servers that run in the test's process. */
  readonly joined: { readonly front: string; readonly name: string }[] = [];
  readonly #connection: Connection;
  #names = 0;

  private constructor(cluster: LocalCluster) {
    this.cluster = cluster;
    this.#connection = cluster.connection();
  }

  static async start(options: LocalClusterOptions = {}): Promise<MatchScene> {
    return new MatchScene(await LocalCluster.start({ games: 2, ...options }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cluster[Symbol.asyncDispose]();
  }

  /** Where players reach the game servers. */
  get games(): readonly string[] {
    return [...this.cluster.endpoints.game.split(","), ...this.joined.map(({ front }) => front)];
  }

  get names(): readonly (string | undefined)[] {
    const own = this.cluster.of("game").map(({ ready }) => ready?.name);
    return [...own, ...this.joined.map(({ name }) => name)];
  }

  /** Two users who are new: the first one begins at the first game server, the other at the second. */
  pair(): readonly [string, string] {
    using links = new GameLinks(this.games);
    const at = (game: number): string => {
      this.#names += 1;
      const user = `player${this.#names}`;
      return links.gameOf(parseUserName(user)) === this.games[game] ? user : at(game);
    };
    return [at(0), at(1)];
  }

  /** How game servers have ended so far, such as `exit code 0`. */
  exits(): readonly string[] {
    const log = readFileSync(join(this.cluster.folder, "logs", "up.log"), "utf8");
    return [...log.matchAll(/game \d ended \(([^)]+)\)/g)].map(([, how = ""]) => how);
  }

  /** Buys packs of five cards. */
  async buy(users: readonly string[], packs: number): Promise<void> {
    for (const name of users) {
      const user = parseUserName(name);
      const session = this.#connection.session();
      await session.login(user);
      for (let pack = 0; pack < packs; pack += 1) await session.ask("buy", { user, pack: "basic" });
    }
  }

  /** What the cluster says of a user's matches. */
  async matchesOf(user: string): Promise<Replies["match"]> {
    const asked = { user: user as UserName };
    return await this.#connection.session().ask("match", asked, { consistency: "now" });
  }

  /** Two people by lines, one at each game server, who have ten cards each, after three rounds. */
  async inRound3(): Promise<readonly [LinePlayer, LinePlayer]> {
    const users = this.pair();
    await this.buy(users, 2);
    const [ana, bia] = users.map((user) => new LinePlayer(this.cluster, { user })) as [
      LinePlayer,
      LinePlayer,
    ];
    for (const player of [ana, bia]) player.upTo(3);
    for (const player of [ana, bia]) await player.hasEnded(3, faultMs);
    return [ana, bia];
  }

  /** The two processes that hold a user's match, once there are two. */
  async holders(user: string): Promise<Holders> {
    let open: OpenMatch | undefined;
    const hasTwo = async () => {
      open = (await this.matchesOf(user)).open;
      return open?.shadow !== undefined;
    };
    await until(hasTwo, `the match of ${user} has a host and a shadow`, faultMs);
    const find = (name: string | undefined) =>
      this.cluster.of("game").find(({ ready }) => ready?.name === name) as Child;
    return { host: find(open?.host), shadow: find(open?.shadow) };
  }

  /** Two people by lines play their match to its end, and were told the same. */
  async expectEnd(players: readonly [LinePlayer, LinePlayer]): Promise<void> {
    for (const player of players) player.upTo(Number.POSITIVE_INFINITY);
    for (const player of players) await player.isOver(faultMs);
    const [ana, bia] = players;
    expect(await Promise.all([ana.ended(), bia.ended()])).toEqual([0, 0]);
    expectSame(ana.seen, bia.seen);
    expect([...ana.refusals, ...bia.refusals]).toEqual([]);
    expect(ana.seen.count("ROUND_END")).toBe(10);
    await this.expectRated(players);
  }

  /**
   * The match of two players has ended in the cluster as they saw it, and has changed their ratings
   * once.
   */
  async expectRated(players: readonly [MatchPlayer, { readonly user: string }]): Promise<void> {
    const [{ seen }] = players;
    const isDecided = async () => (await this.matchesOf(players[0].user)).ended.length > 0;
    await until(isDecided, "the cluster has decided the end", faultMs);
    const all = await Promise.all(players.map(({ user }) => this.matchesOf(user)));
    for (const [at, { record, ended, open }] of all.entries()) {
      const { over, match, players: seats } = seen.view ?? {};
      const winner = over?.winner == null ? undefined : seats?.[over.winner].user;
      const hasWon = winner === players[at]?.user;
      expect(open).toBeUndefined();
      expect(ended).toHaveLength(1);
      expect(ended[0]).toMatchObject({ match, ...(winner !== undefined && { winner }) });
      const counts = { won: 0, lost: 0, drawn: 0 };
      counts[winner === undefined ? "drawn" : hasWon ? "won" : "lost"] = 1;
      const change = winner === undefined ? 0 : hasWon ? 16 : -16;
      expect(record).toEqual({ rating: firstRating + change, ...counts });
    }
  }
}

interface Holders {
  readonly host: Child;
  readonly shadow: Child;
}
