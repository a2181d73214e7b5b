import { pause } from "../../platform/clock.ts";
import { randomHex } from "../../platform/random.ts";
import { retrying } from "../../platform/retry.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Acted, Look, LookedAt, PlayerAction } from "../../protocol/game-requests.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { MatchId } from "../../protocol/matches.ts";
import type { GameClient } from "../game-client.ts";

/** What the screen and line mode need of the game servers. */
export type Games = Pick<GameClient, "enter" | "leave" | "act" | "look">;

interface Following {
  /** The user whose matches are followed; undefined for the player's own. */
  readonly of: UserName | undefined;
  readonly signal: AbortSignal;
  /** @param isFresh true if the look has waited for its events */
  onLook(look: Look, isFresh: boolean): void;
  /** Called again while nothing changes. */
  onLost(isLost: boolean): void;
}

/**
 * Milliseconds for which a question waits for news: short, so that the person soon hears that the
 * game servers do not answer.
 */
const lookMs = 3_000;
/** Milliseconds without an answer, beyond `lookMs`, after which the connection counts as lost. */
const silenceMs = 2_000;
const pauseMs = 500;
/** The most attempts of an action, whose time is over before the last one. */
const mostTries = 40;

/**
 * Asks how things stand, again and again, until the signal is aborted.
 * @throws ProtocolError that no retry resolves
 */
export async function followMatch(games: Games, following: Following): Promise<void> {
  const { of, signal, onLook, onLost } = following;
  let after: LookedAt | undefined;
  while (!signal.aborted) {
    const waitMs = after === undefined ? 0 : lookMs;
    const silence = setTimeout(() => onLost(true), waitMs + silenceMs);
    try {
      const look = await games.look(after, waitMs, of);
      if (signal.aborted) return;
      onLost(false);
      onLook(look, isNews(look, after));
      const { match, eventSeq } = look.phase === "match" ? look.view : noMatch;
      after = { match, eventSeq };
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
      onLost(true);
      await pause(pauseMs, signal);
    } finally {
      clearTimeout(silence);
    }
  }
}

const noMatch = { match: undefined, eventSeq: -1 } as const;

function isNews(look: Look, after: LookedAt | undefined): boolean {
  return look.phase === "match" && look.events.length > 0 && look.view.match === after?.match;
}

/** Whether the same request may succeed later. */
export function isPassing(error: unknown): boolean {
  return error instanceof ProtocolError && error.retry;
}

/** Whether a request was refused because the player sits in a match. */
export function isSeated(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === "seated";
}

/** Performs an action once, however often it has to be sent. */
export function actOnce(
  games: Games,
  { match, action }: { readonly match: MatchId; readonly action: PlayerAction },
  signal: AbortSignal,
): Promise<Acted> {
  const id = randomHex(8);
  const policy = { canHelp: isPassing, pauseMs, mostTries, signal };
  return retrying(policy, () => games.act(match, action, id));
}
