import { GameClient } from "../src/client/game-client.ts";
import { GameLinks } from "../src/client/game-links.ts";
import { pause } from "../src/platform/clock.ts";
import { ProtocolError } from "../src/protocol/errors.ts";
import type { LookedAt, PlayerAction } from "../src/protocol/game-requests.ts";
import type { MatchView, Seat, ShownEvent } from "../src/protocol/game-view.ts";
import type { UserName } from "../src/protocol/ids.ts";
import type { MatchId, RulesName } from "../src/protocol/matches.ts";

interface PlayerOptions {
  readonly user: UserName;
  /** Shared connections; or endpoints, to which the player connects anew for each match. */
  readonly games: GameLinks | readonly string[];
  readonly token?: string | undefined;
  readonly rules: RulesName;
  /** Before it, the player chooses no cards, so that their match does not begin. */
  readonly start?: Promise<void>;
  /**
   * Whether the player gives up the next match after a win, so that ratings stay close and both
   * players meet at once.
   */
  readonly givesUpAfterWin?: boolean;
  /** Milliseconds between two plays of the player. */
  readonly paceMs: number;
  onTold?(told: Told): void;
  onActed?(acted: Played): void;
}

/** An event that a player was told. */
export interface Told {
  readonly match: MatchId;
  readonly event: ShownEvent;
  readonly atMs: number;
}

/** An action of a player, and the last event that it made. */
export interface Played {
  readonly match: MatchId;
  readonly seat: Seat;
  readonly action: PlayerAction;
  readonly eventSeq: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** A person who plays matches with their own cards, one after the other, as fast as their pace lets. */
export class DuelPlayer implements AsyncDisposable {
  readonly user: UserName;
  readonly told: Told[] = [];
  readonly played: Played[] = [];
  /** Refusals that are no player's fault. */
  readonly failures: string[] = [];
  matches = 0;
  readonly #options: PlayerOptions;
  #client: GameClient;
  readonly #running: Promise<void>;
  #isOver = false;
  #isPlaying = false;
  #hasWon = false;
  #view: MatchView | undefined;

  constructor(options: PlayerOptions) {
    this.user = options.user;
    this.#options = options;
    this.#client = this.#connect();
    this.#running = this.#run();
  }

  #connect(): GameClient {
    const { games, user, token } = this.#options;
    return new GameClient({ games, user, token: () => token, deadlineMs: 60_000 });
  }

  get game(): string {
    return this.#client.game;
  }

  /** Begins no new match, and gives up the present one. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#client[Symbol.dispose]();
    await this.#running;
  }

  async #run(): Promise<void> {
    let after: LookedAt | undefined;
    while (!this.#isOver) {
      try {
        const look = await this.#client.look(after);
        if (look.phase === "match") {
          const { view, events } = look;
          const from = after?.match === view.match ? after.eventSeq : -1;
          this.#take(view, events, from);
          after = { match: view.match, eventSeq: view.eventSeq };
          this.#view = view;
          // The player goes on looking while they think and play.
          void this.#play();
        } else {
          after = { eventSeq: -1 };
          if (look.phase === "idle") await this.#client.enter(this.#options.rules);
        }
      } catch (error) {
        if (this.#isOver) return;
        if (!(error instanceof ProtocolError)) throw error;
        this.failures.push(`${error.code}: ${error.message}`);
        await pause(50);
      }
    }
  }

  #take({ match }: MatchView, events: readonly ShownEvent[], from: number): void {
    const atMs = performance.now();
    for (const event of events) {
      if (event.eventSeq <= from) this.failures.push(`event ${event.eventSeq} was told again`);
      const told = { match, event, atMs };
      this.told.push(told);
      this.#options.onTold?.(told);
    }
  }

  async #play(): Promise<void> {
    if (this.#isPlaying) return;
    this.#isPlaying = true;
    try {
      for (let seen: MatchView | undefined; seen !== this.#view && !this.#isOver; ) {
        seen = this.#view as MatchView;
        await this.#playOn(seen);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      if (!this.#isOver) this.failures.push(`${error.code}: ${error.message}`);
    }
    this.#isPlaying = false;
  }

  async #playOn({ seat, over, table, ready, match }: MatchView): Promise<void> {
    if (over !== undefined) {
      this.matches += 1;
      const isPlayed = !this.told.some(
        ({ match: one, event }) => one === match && event.type === "GAVE_UP",
      );
      this.#hasWon = over.winner === seat && isPlayed;
      if (!(this.#options.games instanceof GameLinks)) {
        this.#client[Symbol.dispose]();
        this.#client = this.#connect();
      }
      return await this.#enterAgain(match);
    }
    if (seat === undefined) return;
    if (table === undefined) {
      await this.#options.start;
      if (!ready[seat]) await this.#act(match, seat, { type: "ready" });
      return;
    }
    if (this.#hasWon && this.#options.givesUpAfterWin)
      return await this.#act(match, seat, { type: "giveUp" });
    if (!table.turn.includes(seat)) return;
    const [card] = table.sides[seat].hand ?? [];
    if (this.#options.paceMs > 0) await pause(this.#options.paceMs * (0.5 + Math.random()));
    await this.#act(match, seat, card === undefined ? { type: "pass" } : { type: "play", card });
  }

  async #act(match: MatchId, seat: Seat, action: PlayerAction): Promise<void> {
    const startMs = performance.now();
    try {
      const { eventSeq } = await this.#client.act(match, action);
      const acted = { match, seat, action, eventSeq, startMs, endMs: performance.now() };
      this.played.push(acted);
      this.#options.onActed?.(acted);
    } catch (error) {
      const isTooDear = error instanceof ProtocolError && error.code === "too_few_points";
      if (isTooDear) return await this.#act(match, seat, { type: "pass" });
      // Time may have played for the player meanwhile, or the other player has given up.
      const isLate = error instanceof ProtocolError && late.has(error.code);
      if (!isLate) throw error;
    }
  }

  async #enterAgain(last: MatchId): Promise<void> {
    // An attempt whose answer was lost may have led to the next match already.
    while (!this.#isOver && this.#view?.match === last) {
      try {
        await this.#client.enter(this.#options.rules);
        return;
      } catch (error) {
        // The cluster has not decided yet that the last match is over.
        if (!(error instanceof ProtocolError) || error.code !== "seated") throw error;
        await pause(10);
      }
    }
  }
}

const late: ReadonlySet<string> = new Set([
  ...["already_played", "match_over", "not_in_match", "match_not_found", "not_your_turn"],
  ...["card_not_in_hand", "already_ready"],
]);
