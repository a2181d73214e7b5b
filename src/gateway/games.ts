import { GameClient } from "../client/game-client.ts";
import { GameLinks } from "../client/game-links.ts";
import type { UserName } from "../protocol/ids.ts";

/** What a player asks of the game servers. */
export type Game = Pick<GameClient, "enter" | "leave" | "act" | "look">;

/** The game servers, for the players who use this gateway. */
export interface Games {
  /** @param token returns the newest token of the user's session; undefined in an open cluster */
  player(user: UserName, token: () => string | undefined): Game;
}

/**
 * Milliseconds after which a request fails that no game server answers. It is short, because the
 * client can repeat the request at any gateway.
 */
const deadlineMs = 4_000;

/** All players of a gateway share its connections to the game servers. */
export class GameServers implements Games, Disposable {
  readonly #links: GameLinks;

  /** @param games the endpoints at which game servers accept players */
  constructor(games: readonly string[]) {
    this.#links = new GameLinks(games);
  }

  player(user: UserName, token: () => string | undefined): Game {
    return new GameClient({ games: this.#links, user, token, deadlineMs });
  }

  /** Open requests fail. */
  [Symbol.dispose](): void {
    this.#links[Symbol.dispose]();
  }
}
