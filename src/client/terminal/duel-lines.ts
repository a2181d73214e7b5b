import { untilStopped } from "../../platform/run-process.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Look, PlayerAction } from "../../protocol/game-requests.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { MatchId, RulesName } from "../../protocol/matches.ts";
import { type Context, userOf, withClient } from "../commands/context.ts";
import { describe, wantsLogin } from "../commands/failure.ts";
import { linesOf } from "../commands/read-input.ts";
import { parseActionLine } from "../core/duel/line-action.ts";
import { GameClient } from "../game-client.ts";
import { enterByLines } from "./lines.ts";
import { actOnce, followMatch, type Games, isPassing, isSeated } from "./match-feed.ts";

interface LineWishes {
  readonly rules: RulesName;
  /** The user whose matches are watched; undefined if the user plays. */
  readonly watched: UserName | undefined;
}

/** Milliseconds after which a request fails, and is made again. */
const deadlineMs = 1_000;

/**
 * `tertulia duel` without a terminal: plays or watches one match. Writes each look as a line of JSON,
 * and reads actions as lines.
 */
export async function runDuelLines(context: Context, wishes: LineWishes): Promise<void> {
  const { config, host } = context;
  const user = userOf(context);
  const token = () => config.sessions.tokenOf(user);
  try {
    await withClient(context, async (client) => {
      await enterByLines({ context, client, user });
      using games = new GameClient({ games: config.games, user, token, deadlineMs });
      const ending = new AbortController();
      void untilStopped().then(() => ending.abort());
      await new DuelLines({ context, games, ...wishes }, ending).run(linesOf(host.input));
    });
  } finally {
    // An open input would keep the process from ending, and nobody reads the remaining lines.
    host.input.destroy();
  }
}

interface DuelLinesParts extends LineWishes {
  readonly context: Pick<Context, "output" | "text">;
  readonly games: Games;
}

/** One match by lines: for bots and scripts. */
export class DuelLines {
  readonly #parts: DuelLinesParts;
  readonly #ending: AbortController;
  readonly #seated: Promise<MatchId>;
  #sit: (match: MatchId) => void = () => {};
  /** A match that was over already when this one was wanted. */
  #old: MatchId | undefined;
  #last: Look | undefined;
  #isLost = false;
  #fail: (error: unknown) => void = () => {};

  /** @param ending aborted to end the match's lines; the match itself goes on */
  constructor(parts: DuelLinesParts, ending: AbortController) {
    this.#parts = parts;
    this.#ending = ending;
    this.#seated = new Promise((resolve) => {
      this.#sit = resolve;
    });
  }

  /**
   * Runs until the match is over, the input says `leave`, or `ending` is aborted. The end of the
   * input does not end the match.
   * @throws ProtocolError that no retry resolves
   */
  async run(lines: AsyncIterable<string>): Promise<void> {
    const { signal } = this.#ending;
    const ended = new Promise<void>((resolve, reject) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      this.#fail = reject;
    });
    if (signal.aborted) return;
    this.#watch(
      followMatch(this.#parts.games, {
        of: this.#parts.watched,
        signal,
        onLook: (look) => this.#look(look),
        onLost: (isLost) => this.#lost(isLost),
      }),
    );
    this.#watch(this.#read(lines));
    try {
      await ended;
    } finally {
      this.#ending.abort();
    }
  }

  #look(look: Look): void {
    const { watched, context } = this.#parts;
    const isFirst = this.#last === undefined;
    if (!isSame(look, this.#last)) context.output.value(look);
    this.#last = look;
    if (look.phase !== "match") {
      if (look.phase === "idle" && watched === undefined) this.#watch(this.#enter());
      return;
    }
    const { match, over } = look.view;
    if (over == null) return this.#sit(match);
    if (watched !== undefined) return this.#ending.abort();
    if (isFirst) this.#old = match;
    if (match === this.#old) this.#watch(this.#enter());
    else this.#ending.abort();
  }

  async #enter(): Promise<void> {
    try {
      await this.#parts.games.enter(this.#parts.rules);
    } catch (error) {
      // The next look shows the match, or that the user has to enter again.
      if (!isSeated(error) && !isPassing(error)) throw error;
    }
  }

  /** Performs the lines one by one; an action waits until there is a match. */
  async #read(lines: AsyncIterable<string>): Promise<void> {
    const { context } = this.#parts;
    for await (const line of lines) {
      if (this.#ending.signal.aborted) return;
      const wish = parseActionLine(line);
      if (wish.type === "leave") return this.#leave();
      if (wish.type === "act") await this.#act(wish.action);
      if (wish.type === "wrong") {
        const message = context.text("duel.badAction", { line: wish.line });
        context.output.value({ refused: { code: "bad_request", message } });
      }
    }
  }

  async #act(action: PlayerAction): Promise<void> {
    const { games, context } = this.#parts;
    const match = await this.#seated;
    try {
      const acted = await actOnce(games, { match, action }, this.#ending.signal);
      // The last line is the look at the match that is over.
      if (!this.#ending.signal.aborted) context.output.value({ acted });
    } catch (error) {
      if (!(error instanceof ProtocolError) || wantsLogin(error)) throw error;
      if (this.#ending.signal.aborted) return;
      const { code, message: description } = error;
      const message = describe(error, context.text);
      context.output.value({ refused: { code, description, message } });
    }
  }

  async #leave(): Promise<void> {
    try {
      await this.#parts.games.leave();
    } catch (error) {
      // A match that has begun goes on without the user.
      if (!isSeated(error) && !isPassing(error)) throw error;
    }
    this.#ending.abort();
  }

  #lost(isLost: boolean): void {
    if (isLost === this.#isLost) return;
    this.#isLost = isLost;
    this.#parts.context.output.value({ connection: isLost ? "lost" : "back" });
  }

  #watch(work: Promise<void>): void {
    work.catch((error) => {
      if (!this.#ending.signal.aborted) this.#fail(error);
    });
  }
}

/** Whether a look says nothing new. */
function isSame(look: Look, last: Look | undefined): boolean {
  if (look.phase === "idle") return last?.phase === "idle";
  if (look.phase === "waiting" || last?.phase !== "match") return false;
  const { view } = look;
  return view.match === last.view.match && view.eventSeq === last.view.eventSeq;
}
