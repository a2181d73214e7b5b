import type { Connection } from "../../client/connection.ts";
import { PeerMessageError, ProtocolError } from "../../protocol/errors.ts";
import type { TraceQuestion } from "../../protocol/game-codec.ts";
import { durations, limits } from "../../protocol/limits.ts";
import type { GameName } from "../../protocol/matches.ts";
import type { RememberedMatch, ServerSteps, Trace, TracedMatch } from "../../protocol/steps.ts";
import type { GameLinks } from "../game-links.ts";
import { type MatchSteps, nameOf } from "./match-steps.ts";
import { encodeStepsQuestion, parseStepsAnswer } from "./steps-question.ts";

interface Parts {
  readonly name: GameName;
  /** Undefined if this game server remembers no steps. */
  readonly memory: MatchSteps | undefined;
  readonly links: GameLinks;
  readonly connection: Connection;
}

/**
 * Collects the steps of an action, or of a match, from all game servers (Q30). The server that was
 * asked finds the newest action with an id, and asks the others again by the action's whole name.
 */
export class Traces {
  readonly #parts: Parts;
  #open = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  remembered(of: string): RememberedMatch {
    return this.#parts.memory?.recall(of) ?? { steps: [] };
  }

  /** @throws ProtocolError if the user may not trace, or if too many traces are open */
  async ask({ user, token, of }: TraceQuestion): Promise<Trace> {
    if (this.#open >= limits.openTraces) {
      throw new ProtocolError("unavailable", "Too many traces are open.");
    }
    this.#open += 1;
    try {
      // The cluster says so whether the user may trace events: then they may trace matches too.
      await this.#parts.connection.session({ user, token }).trace(of);
      return await this.#collect(of, this.#parts.links.games);
    } finally {
      this.#open -= 1;
    }
  }

  async #collect(of: string, games: readonly GameName[]): Promise<Trace> {
    const asked = await Promise.all(games.map((game) => this.#askGame(game, of)));
    const told = new Map([[this.#parts.name, this.remembered(of)]]);
    for (const [at, game] of games.entries()) {
      const remembered = asked[at];
      if (remembered !== undefined) told.set(game, remembered);
    }
    const match = newestOf([...told.values()]);
    const silent = games.filter((game) => !told.has(game)).sort();
    if (match === undefined || nameOf(match) === of) {
      return { event: undefined, match, servers: serversOf(told), silent };
    }
    const again = await this.#collect(
      nameOf(match),
      games.filter((game) => told.has(game)),
    );
    return { ...again, silent: [...silent, ...again.silent].sort() };
  }

  /** @returns undefined if that game server does not answer, or answers nonsense */
  async #askGame(game: GameName, of: string): Promise<RememberedMatch | undefined> {
    try {
      const question = encodeStepsQuestion(of);
      const answer = await this.#parts.links.ask(game, question, durations.peerRequestMs);
      return parseStepsAnswer(answer);
    } catch (error) {
      if (error instanceof ProtocolError || error instanceof PeerMessageError) return undefined;
      throw error;
    }
  }
}

/** What the server with the newest steps says that it remembers. */
function newestOf(told: readonly RememberedMatch[]): TracedMatch | undefined {
  const clockOf = ({ steps }: RememberedMatch) => steps.at(-1)?.clock ?? -1;
  return [...told].sort((a, b) => clockOf(b) - clockOf(a))[0]?.match;
}

/** The servers with steps: first the one that the player asked. */
function serversOf(told: ReadonlyMap<GameName, RememberedMatch>): ServerSteps[] {
  const isOrigin = ({ steps }: ServerSteps) => Number(steps.some(({ kind }) => kind === "asked"));
  return [...told]
    .map(([name, { steps }]): ServerSteps => ({ name, offsetMs: null, steps }))
    .filter(({ steps }) => steps.length > 0)
    .sort((a, b) => isOrigin(b) - isOrigin(a) || (a.name < b.name ? -1 : 1));
}
