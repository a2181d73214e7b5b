import { gameDurations } from "../../protocol/game-limits.ts";
import type { GameName } from "../../protocol/matches.ts";
import type { Now } from "./effects.ts";

/** Which of the other game servers live. */
export class Peers {
  /** All game servers of the cluster, but this one. */
  known: readonly GameName[] = [];
  readonly #heardMs = new Map<GameName, number>();
  readonly #starts = new Map<GameName, string>();
  #sinceMs: number;
  #tickedMs: number;

  constructor({ steadyMs }: Now) {
    this.#sinceMs = steadyMs;
    this.#tickedMs = steadyMs;
  }

  hear(game: GameName, { steadyMs }: Now): void {
    this.#heardMs.set(game, steadyMs);
  }

  /** @returns whether the game server has restarted since it was last heard of */
  noteStart(game: GameName, start: string): boolean {
    const known = this.#starts.get(game);
    this.#starts.set(game, start);
    return known !== undefined && known !== start;
  }

  /** A server that has not run for a while has heard nobody: it gives the others time to speak. */
  tick({ steadyMs }: Now): void {
    if (steadyMs - this.#tickedMs > gameDurations.silenceMs / 2) this.#sinceMs = steadyMs;
    this.#tickedMs = steadyMs;
  }

  isLive(game: GameName, { steadyMs }: Now): boolean {
    const heardMs = this.#heardMs.get(game);
    return heardMs !== undefined && steadyMs - heardMs <= gameDurations.silenceMs;
  }

  /** Whether another one must take over. */
  isSilent(game: GameName, { steadyMs }: Now): boolean {
    const heardMs = Math.max(this.#heardMs.get(game) ?? 0, this.#sinceMs);
    return steadyMs - heardMs > gameDurations.silenceMs;
  }

  /** Returns a live game server for a copy of a match; one of the preferred ones if one lives. */
  pick(preferred: readonly GameName[], match: string, now: Now): GameName | undefined {
    const live = this.known.filter((game) => this.isLive(game, now)).sort();
    const found = live.find((game) => preferred.includes(game));
    // Copies are spread over the servers by the match's id.
    return found ?? live[Number.parseInt(match.slice(0, 6), 16) % Math.max(1, live.length)];
  }
}
