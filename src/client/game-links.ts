import { Requester } from "../net/requester.ts";
import { now } from "../platform/clock.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { UserName } from "../protocol/ids.ts";
import { Recent } from "../protocol/recent.ts";

/** The most players of whom it is remembered that they went on to another game server. */
const mostMoved = 10_000;
/** Milliseconds for which a game server that was lost is passed over, if there is another one. */
const avoidedMs = 1_000;

/**
 * Connections to the game servers, which several players can share. A player stays with one game
 * server, because only that one knows that the player waits for a match.
 */
export class GameLinks implements Disposable {
  readonly #games: readonly string[];
  readonly #requesters = new Map<number, Requester>();
  readonly #moved = new Recent<UserName, number>(mostMoved);
  /** For each game server, the steady time until which it is passed over. */
  readonly #avoidedUntilMs = new Map<number, number>();
  #isClosed = false;

  /** @param games the endpoints at which game servers accept players */
  constructor(games: readonly string[]) {
    this.#games = games;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The endpoint of the game server that a player uses. */
  gameOf(user: UserName): string {
    return this.#games[this.#placeOf(user)] ?? "";
  }

  /**
   * Asks a player's game server. If it does not answer, the player's next question goes to another.
   * @throws ProtocolError `unavailable`
   */
  async ask(user: UserName, payload: Uint8Array, timeoutMs: number): Promise<Buffer> {
    const at = this.#placeOf(user);
    try {
      return await this.#requester(at).ask(payload, timeoutMs);
    } catch (error) {
      this.#move(user, at);
      throw error;
    }
  }

  /** Moves a player to another game server, because theirs can't serve the player now. */
  leave(user: UserName): void {
    this.#move(user, this.#placeOf(user));
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const at of [...this.#requesters.keys()]) this.#drop(at);
  }

  #move(user: UserName, from: number): void {
    if (this.#placeOf(user) !== from) return;
    const count = this.#games.length;
    const others = this.#games.map((_, step) => (from + 1 + step) % count);
    this.#moved.set(user, others.find((at) => !this.#isAvoided(at)) ?? (from + 1) % count);
  }

  /** The user's name decides where a player begins, so that every process begins at the same place. */
  #placeOf(user: UserName): number {
    const moved = this.#moved.get(user);
    if (moved !== undefined) return moved;
    let sum = 0;
    for (const letter of user) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003;
    return sum % Math.max(1, this.#games.length);
  }

  #isAvoided(at: number): boolean {
    return (this.#avoidedUntilMs.get(at) ?? 0) > now().steadyMs;
  }

  #requester(at: number): Requester {
    if (this.#isClosed) throw new ProtocolError("unavailable", "The connection was closed.");
    const known = this.#requesters.get(at);
    if (known !== undefined) return known;
    const made = new Requester([this.#games[at] ?? ""]);
    this.#requesters.set(at, made);
    // The questions that wait for news would otherwise wait in vain for many seconds.
    made.onDisconnect = () => {
      if (this.#requesters.get(at) !== made) return;
      this.#avoidedUntilMs.set(at, now().steadyMs + avoidedMs);
      setImmediate(() => this.#drop(at, made));
    };
    return made;
  }

  /** Closes a connection; its open questions fail. */
  #drop(at: number, which = this.#requesters.get(at)): void {
    if (which === undefined || this.#requesters.get(at) !== which) return;
    this.#requesters.delete(at);
    which.close();
  }
}
