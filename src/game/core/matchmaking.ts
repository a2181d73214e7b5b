import { gameDurations, gameLimits } from "../../protocol/game-limits.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { GameName, MatchId, Player, Players, RulesName } from "../../protocol/matches.ts";
import type { Now, Waiting } from "./effects.ts";

interface Queued {
  readonly user: UserName;
  readonly rules: RulesName;
  readonly rating: number;
  readonly sinceMs: number;
  /** Steady time at which the player was last heard of. */
  heardMs: number;
  /** The match that is about to begin with the player, and until when it may. */
  reserved?: { readonly match: MatchId; untilMs: number } | undefined;
}

interface Told {
  readonly heardMs: number;
  readonly waiting: readonly Waiting[];
}

interface Candidate extends Waiting {
  readonly game: GameName;
}

export interface Pair {
  readonly rules: RulesName;
  /** The first one is this server's own. */
  readonly players: Players;
}

/**
 * The players that wait for a match: those of this game server, and those of which others tell. What
 * others tell is only a hint: the log of decisions makes sure that nobody sits in two matches.
 */
export class Matchmaking {
  readonly #self: GameName;
  readonly #queue = new Map<UserName, Queued>();
  readonly #others = new Map<GameName, Told>();
  /** Whether a player came or went since the others were told. */
  hasNews = false;

  constructor(self: GameName) {
    this.#self = self;
  }

  get size(): number {
    return this.#queue.size;
  }

  /** @returns false if the queue is full */
  add(player: Pick<Queued, "user" | "rules" | "rating">, { steadyMs }: Now): boolean {
    if (this.#queue.size >= gameLimits.queuedPlayers) return false;
    const known = this.#queue.get(player.user);
    const sinceMs = known?.sinceMs ?? steadyMs;
    this.#queue.set(player.user, { ...player, sinceMs, heardMs: steadyMs });
    this.hasNews = true;
    return true;
  }

  /** Takes note that a player still wants a match. */
  hearOf(user: UserName, { steadyMs }: Now): void {
    const queued = this.#queue.get(user);
    if (queued !== undefined) queued.heardMs = steadyMs;
  }

  /** Forgets players that have gone away without a word. */
  forgetGone({ steadyMs }: Now): void {
    for (const { user, heardMs, reserved } of this.#queue.values()) {
      const isGone = steadyMs - heardMs >= gameDurations.queueMs;
      if (isGone && reserved === undefined) this.#queue.delete(user);
    }
  }

  find(user: UserName): Omit<Queued, "reserved"> | undefined {
    return this.#queue.get(user);
  }

  remove(user: UserName): void {
    if (this.#queue.delete(user)) this.hasNews = true;
  }

  /** @returns false if the player does not wait, or is reserved for another match */
  reserve(user: UserName, match: MatchId, { steadyMs }: Now): boolean {
    const queued = this.#queue.get(user);
    if (queued === undefined || (queued.reserved && queued.reserved.match !== match)) return false;
    queued.reserved = { match, untilMs: steadyMs + gameDurations.invitationMs };
    return true;
  }

  isReserved(user: UserName): boolean {
    return this.#queue.get(user)?.reserved !== undefined;
  }

  release(user: UserName, match: MatchId): void {
    const queued = this.#queue.get(user);
    if (queued?.reserved?.match === match) queued.reserved = undefined;
  }

  /** Returns the players whose reservation has lasted too long: nobody said whether the match began. */
  overdue({ steadyMs }: Now): readonly { readonly user: UserName; readonly match: MatchId }[] {
    return [...this.#queue.values()].flatMap(({ user, reserved }) => {
      if (reserved === undefined || reserved.untilMs > steadyMs) return [];
      // The cluster is asked now, and again if it does not know either.
      reserved.untilMs = steadyMs + gameDurations.invitationMs;
      return [{ user, match: reserved.match }];
    });
  }

  /** The players of whom this server tells the others; those that have waited longest come first. */
  told({ steadyMs }: Now): readonly Waiting[] {
    const free = [...this.#queue.values()].filter(({ reserved }) => reserved === undefined);
    return free.slice(0, gameLimits.toldPlayers).map(({ sinceMs, user, rules, rating }) => {
      return { user, rules, rating, waitedMs: steadyMs - sinceMs };
    });
  }

  hear(game: GameName, waiting: readonly Waiting[], { steadyMs }: Now): void {
    this.#others.set(game, { heardMs: steadyMs, waiting });
  }

  /** Forgets that a player of another server waits, until that server tells it again. */
  doubt(user: UserName): void {
    for (const [game, told] of this.#others) {
      this.#others.set(game, {
        ...told,
        waiting: told.waiting.filter((other) => other.user !== user),
      });
    }
  }

  /**
   * Returns a pair of players: of this server's players that somebody fits, the one that has waited
   * longest, and of those that fit, the one that has waited longest. Players of this server come first.
   */
  pair(now: Now): Pair | undefined {
    const own = this.told(now).map((player) => ({ ...player, game: this.#self }));
    const others = this.#toldOf(now);
    for (const first of own) {
      const second =
        own.find((other) => other.user !== first.user && isNear(first, other)) ??
        others.find((other) => isNear(first, other));
      if (second !== undefined) {
        return { rules: first.rules, players: [playerOf(first), playerOf(second)] };
      }
    }
    return undefined;
  }

  #toldOf({ steadyMs }: Now): readonly Candidate[] {
    const all = [...this.#others].flatMap(([game, { heardMs, waiting }]) => {
      if (steadyMs - heardMs > gameDurations.silenceMs) return [];
      const others = waiting.filter(({ user }) => !this.#queue.has(user));
      return others.map((one) => ({ ...one, game }));
    });
    return all.sort((a, b) => b.waitedMs - a.waitedMs);
  }
}

function playerOf({ user, game }: Candidate): Player {
  return { user, game };
}

/** Whether two players fit: the longer either has waited, the further apart they may be. */
function isNear(a: Waiting, b: Waiting): boolean {
  const seconds = Math.max(a.waitedMs, b.waitedMs) / 1_000;
  const distance = gameLimits.ratingDistance + gameLimits.ratingDistancePerSecond * seconds;
  return a.rules === b.rules && Math.abs(a.rating - b.rating) <= distance;
}
