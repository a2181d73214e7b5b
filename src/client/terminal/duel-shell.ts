import { now, pause } from "../../platform/clock.ts";
import { addressesOf } from "../../platform/endpoint.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { MatchId, RulesName } from "../../protocol/matches.ts";
import type { Context } from "../commands/context.ts";
import { describe, wantsLogin } from "../commands/failure.ts";
import {
  beginningDuel,
  type DuelEffect,
  type DuelEvent,
  type DuelModel,
} from "../core/duel/duel-model.ts";
import { updateDuel } from "../core/duel/duel-update.ts";
import { duelView } from "../core/duel/duel-view.ts";
import type { Session } from "../session.ts";
import { FullTerminal } from "./full-terminal.ts";
import { actOnce, followMatch, type Games, isPassing, isSeated } from "./match-feed.ts";

export interface DuelParts {
  readonly context: Context;
  readonly client: Session;
  readonly user: UserName;
  readonly rules: RulesName;
  /** The user whose matches are watched; undefined if the person plays. */
  readonly watched: UserName | undefined;
}

const frameMs = 8;
const tickMs = 250;
const leaveMs = 2_000;
/** How often, and after which pauses, the record is read until it includes a match that is over. */
const recordReads = { count: 15, pauseMs: 700 } as const;

/**
 * Holds the model of the screen of a match: passes events to the core, performs the core's effects,
 * and draws the screen.
 */
export class DuelShell {
  readonly #parts: DuelParts;
  readonly #games: Games;
  readonly #terminal: FullTerminal;
  readonly #quitting = new AbortController();
  #model: DuelModel;
  #drawing: NodeJS.Timeout | undefined;
  #fail: (error: unknown) => void = () => {};

  constructor(parts: DuelParts, games: Games) {
    const { context, user: me, rules, watched } = parts;
    this.#parts = parts;
    this.#games = games;
    this.#terminal = new FullTerminal(
      context.host,
      {
        onKey: (key) => this.#dispatch({ type: "key", key }),
        onResize: () => this.#dispatch({ type: "resize", size: this.#terminal.size }),
      },
      context.output.look,
    );
    this.#model = beginningDuel({
      me,
      words: context.text,
      size: this.#terminal.size,
      nowMs: now().wallMs,
      rules,
      watched,
      games: addressesOf(context.config.games),
    });
  }

  /**
   * Runs until the person leaves, or the signal is aborted.
   * @throws ProtocolError that no retry resolves, such as that of a session that has ended
   */
  async run(stopping: AbortSignal): Promise<void> {
    const { signal } = this.#quitting;
    const quit = () => this.#quitting.abort();
    const ended = new Promise<void>((resolve, reject) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      this.#fail = reject;
    });
    // Without this listener, Node would write its warnings across the screen.
    using _warnings = this.#parts.context.host.onWarning(() => {});
    using terminal = this.#terminal;
    stopping.addEventListener("abort", quit, { once: true });
    if (stopping.aborted) quit();
    const ticking = setInterval(
      () => this.#dispatch({ type: "tick", nowMs: now().wallMs }),
      tickMs,
    );
    try {
      terminal.open();
      this.#watch(this.#follow(signal));
      await ended;
    } finally {
      stopping.removeEventListener("abort", quit);
      quit();
      clearInterval(ticking);
      clearTimeout(this.#drawing);
    }
  }

  #follow(signal: AbortSignal): Promise<void> {
    return followMatch(this.#games, {
      of: this.#parts.watched,
      signal,
      onLook: (look, isFresh) => {
        this.#dispatch({ type: "looked", look, isFresh, nowMs: now().wallMs });
      },
      onLost: (isLost) => this.#dispatch({ type: "connection", isLost }),
    });
  }

  #dispatch(event: DuelEvent): void {
    if (this.#quitting.signal.aborted) return;
    const { model, effects } = updateDuel(this.#model, event);
    this.#model = model;
    for (const effect of effects) this.#perform(effect);
    this.#drawing ??= setTimeout(() => {
      this.#drawing = undefined;
      this.#terminal.draw(duelView(this.#model));
    }, frameMs);
  }

  #perform(effect: DuelEffect): void {
    switch (effect.type) {
      case "enter":
        return this.#watch(this.#enter(effect.rules));
      case "leave":
        return this.#watch(this.#leave());
      case "act":
        return this.#watch(this.#act(effect));
      case "shop":
        return this.#watch(this.#shop());
      case "record":
        return this.#watch(this.#record(effect.user, effect.after));
      case "redraw":
        return this.#terminal.forget();
      case "suspend":
        return this.#terminal.suspend();
      case "quit":
        return this.#quitting.abort();
      default:
        return effect satisfies never;
    }
  }

  async #enter(rules: RulesName): Promise<void> {
    try {
      const look = await this.#games.enter(rules);
      this.#dispatch({ type: "entered", look, nowMs: now().wallMs });
    } catch (error) {
      // The next look shows the match, or that the player has to enter again.
      if (!isSeated(error) && !isPassing(error)) this.#refused(error);
    }
  }

  /** Leaves the queue. If nobody answers, the game servers drop a player that asks no more. */
  async #leave(): Promise<void> {
    try {
      await Promise.race([this.#games.leave(), pause(leaveMs, this.#quitting.signal)]);
    } catch (error) {
      if (isSeated(error)) return this.#dispatch({ type: "seated" });
      if (!isPassing(error)) return this.#refused(error);
    }
    this.#dispatch({ type: "left" });
  }

  async #act(effect: DuelEffect & { readonly type: "act" }): Promise<void> {
    try {
      await actOnce(this.#games, effect, this.#quitting.signal);
      this.#dispatch({ type: "acted" });
    } catch (error) {
      this.#refused(error);
    }
  }

  async #shop(): Promise<void> {
    const { client, user } = this.#parts;
    await this.#ifAnswered(async () => {
      const shop = await client.ask("shop", { user });
      this.#dispatch({ type: "shop", shop });
    });
  }

  /** Reads a user's record, after a match until the record includes the match. */
  async #record(user: UserName, after: MatchId | undefined): Promise<void> {
    const { signal } = this.#quitting;
    for (let read = 0; read < recordReads.count && !signal.aborted; read += 1) {
      const isRead = await this.#ifAnswered(async () => {
        const ask = this.#parts.client.ask("match", { user }, { consistency: "now" });
        const { record, ended } = await ask;
        const isIncluded = after === undefined || ended.some(({ match }) => match === after);
        if (isIncluded) this.#dispatch({ type: "record", user, record, after });
        return isIncluded;
      });
      if (isRead === true || after === undefined) return;
      await pause(recordReads.pauseMs, signal);
    }
  }

  /** Ignores that the cluster does not answer, because a match goes on without these numbers. */
  async #ifAnswered<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return undefined;
    }
  }

  #refused(error: unknown): void {
    if (!(error instanceof ProtocolError) || wantsLogin(error)) throw error;
    this.#dispatch({ type: "refused", why: describe(error, this.#parts.context.text) });
  }

  /** Ends the screen with an error that nothing else has handled. */
  #watch(work: Promise<void>): void {
    work.catch((error) => {
      if (!this.#quitting.signal.aborted) this.#fail(error);
    });
  }
}
