import { Connection } from "../../src/client/connection.ts";
import { GameLinks } from "../../src/client/game-links.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { ClientPlayer } from "../support/match-doors.ts";
import { expectSame } from "../support/match-player.ts";
import { until } from "../support/until.ts";

/** The longest until a match goes on, in ms. */
const patienceMs = 60_000;

/** Two people who play a clash of 30 rounds, each of whom begins at another game server. */
export class SteadyMatch {
  readonly #players: readonly [ClientPlayer, ClientPlayer];
  #ended: Promise<unknown> | undefined;
  #round = 0;

  /** @param games the endpoints of two game servers */
  constructor(games: readonly string[]) {
    using links = new GameLinks(games);
    const at = (game: string | undefined, number = 1): ClientPlayer => {
      const user = parseUserName(`player${number}`);
      if (links.gameOf(user) === game) return new ClientPlayer(games, { user });
      return at(game, number + 1);
    };
    this.#players = [at(games[0]), at(games[1])];
  }

  async start(broker: string): Promise<void> {
    const connection = new Connection({ brokers: [broker], proxies: [] });
    for (const { user: name } of this.#players) {
      const user = parseUserName(name);
      const session = connection.session();
      await session.login(user);
      for (let pack = 0; pack < 6; pack += 1) await session.ask("buy", { user, pack: "basic" });
    }
    connection.close();
    for (const player of this.#players) player.upTo(0);
    this.#ended = Promise.all(this.#players.map((player) => player.run("clash")));
    await this.rounds(3);
  }

  /** Both play so many rounds. */
  async rounds(count: number): Promise<void> {
    this.#round += count;
    for (const player of this.#players) player.upTo(this.#round);
    for (const player of this.#players) await player.hasEnded(this.#round, patienceMs);
  }

  /** Waits until the match has a host and a shadow again. */
  async hasTwoHolders(broker: string): Promise<void> {
    using connection = new Connection({ brokers: [broker], proxies: [] });
    const user = parseUserName(this.#players[0].user);
    const hasTwo = async () => {
      const { open } = await connection.session().ask("match", { user }, { consistency: "now" });
      return open?.shadow !== undefined;
    };
    await until(hasTwo, "the match has two holders", patienceMs);
  }

  /** Both play to the end, and were told the same. */
  async end(): Promise<string> {
    for (const player of this.#players) player.upTo(Number.POSITIVE_INFINITY);
    await this.#ended;
    const [ana, bia] = this.#players;
    expectSame(ana.seen, bia.seen);
    for (const player of this.#players) player[Symbol.dispose]();
    const { events } = ana.seen;
    const moves = events.filter(({ type }) => type === "FAILOVER").length;
    return `${events.length} events, ${moves} new terms`;
  }
}
