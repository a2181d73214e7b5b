import { pause } from "../platform/clock.ts";
import { randomHex } from "../platform/random.ts";
import { ProtocolError } from "../protocol/errors.ts";
import {
  encodePlayerMessage,
  encodeTraceQuestion,
  parseGameAnswer,
  parseTraceAnswer,
} from "../protocol/game-codec.ts";
import { gameDurations } from "../protocol/game-limits.ts";
import type {
  Acted,
  GameAnswer,
  GameRequest,
  Look,
  LookedAt,
  PlayerAction,
} from "../protocol/game-requests.ts";
import type { UserName } from "../protocol/ids.ts";
import type { MatchId, RulesName } from "../protocol/matches.ts";
import type { Trace } from "../protocol/steps.ts";
import { GameLinks } from "./game-links.ts";

interface GameClientOptions {
  /** The endpoints at which game servers accept players, or connections that players share. */
  readonly games: readonly string[] | GameLinks;
  readonly user: UserName;
  /** Returns the token of the user's session, in a cluster with accounts. */
  readonly token?: () => string | undefined;
  /** Milliseconds after which a request fails; 15,000 by default. */
  readonly deadlineMs?: number;
}

/** Milliseconds that the answer may take, beyond those that the game server waits for news. */
const answerMs = 3_000;
const pauseMs = 200;

/**
 * A player's connection to the game servers. It uses one of them, and goes to the next one if that
 * one does not answer. An action that is sent again has the same id, and takes effect once.
 */
export class GameClient implements Disposable {
  readonly #options: GameClientOptions;
  readonly #links: GameLinks;
  #isClosed = false;

  constructor(options: GameClientOptions) {
    const { games } = options;
    this.#options = options;
    this.#links = games instanceof GameLinks ? games : new GameLinks(games);
  }

  /** The endpoint of the game server in use. */
  get game(): string {
    return this.#links.gameOf(this.#options.user);
  }

  /** Looks for a match. */
  enter(rules: RulesName): Promise<Look> {
    return this.#ask({ type: "enter", rules }) as Promise<Look>;
  }

  leave(): Promise<Look> {
    return this.#ask({ type: "leave" }) as Promise<Look>;
  }

  /** @param id equal for each attempt of one action; by default a new one */
  act(match: MatchId, action: PlayerAction, id = randomHex(8)): Promise<Acted> {
    return this.#ask({ type: "act", id, match, action }) as Promise<Acted>;
  }

  /**
   * Returns how things stand. With `after`, waits for news up to `waitMs`.
   * @param of the player whose match is watched; by default the user
   */
  look(after?: LookedAt, waitMs: number = gameDurations.lookMs, of?: UserName): Promise<Look> {
    return this.#ask({ type: "look", after, waitMs, of }) as Promise<Look>;
  }

  /**
   * Returns what the game servers did with an action, or in a match (Q30).
   * @param of a match, the id of an action, or both with a slash between them
   */
  trace(of: string): Promise<Trace> {
    const { user, token } = this.#options;
    const encoded = () => encodeTraceQuestion({ user, token: token?.(), of });
    return this.#untilAnswered(encoded, parseTraceAnswer, 0);
  }

  /** Makes no more attempts; connections that players share stay open. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    if (this.#links !== this.#options.games) this.#links[Symbol.dispose]();
  }

  #ask(request: GameRequest): Promise<GameAnswer> {
    const { user, token } = this.#options;
    const encoded = () => encodePlayerMessage({ user, token: token?.(), request });
    return this.#untilAnswered(
      encoded,
      parseGameAnswer,
      request.type === "look" ? request.waitMs : 0,
    );
  }

  async #untilAnswered<Answer>(
    encoded: () => Uint8Array,
    parse: (payload: Uint8Array) => Answer,
    waitMs: number,
  ): Promise<Answer> {
    const { deadlineMs = 15_000 } = this.#options;
    let untilMs = performance.now() + deadlineMs + waitMs;
    for (;;) {
      try {
        return await this.#answer(encoded(), parse, waitMs + answerMs);
      } catch (error) {
        const isClosed = this.#isClosed || this.#links.isClosed;
        const mayRetry = error instanceof ProtocolError && error.retry && !isClosed;
        if (!mayRetry || performance.now() >= untilMs) throw error;
        // The time in which nothing was new is no time of failure.
        untilMs = Math.min(untilMs, performance.now() + deadlineMs);
        await pause(pauseMs);
      }
    }
  }

  async #answer<Answer>(
    payload: Uint8Array,
    parse: (payload: Uint8Array) => Answer,
    timeoutMs: number,
  ): Promise<Answer> {
    const { user } = this.#options;
    const answer = await this.#links.ask(user, payload, timeoutMs);
    try {
      return parse(answer);
    } catch (error) {
      if (error instanceof ProtocolError && error.retry) this.#links.leave(user);
      throw error;
    }
  }
}
