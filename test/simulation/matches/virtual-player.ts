import type { Answered, Refusal } from "../../../src/game/core/effects.ts";
import { cardKinds } from "../../../src/protocol/cards.ts";
import type { GameRequest, LookedAt, PlayerAction } from "../../../src/protocol/game-requests.ts";
import type { MatchView } from "../../../src/protocol/game-view.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import type { RulesName } from "../../../src/protocol/matches.ts";
import type { VirtualGame } from "./virtual-game.ts";
import type { World } from "./world.ts";

/** Whoever asked a game server. */
export interface PlayerAsks {
  answer(answered: Answered): void;
}

/** Milliseconds after which a player thinks that the game server is gone, and asks another one. */
const patienceMs = 16_000;

/** A person who plays: looks, enters the queue, chooses cards, plays, and asks again. */
export class VirtualPlayer {
  readonly user: UserName;
  readonly #world: World;
  #game: VirtualGame;
  #after: LookedAt | undefined;
  #view: MatchView | undefined;
  #acts = 0;
  #isActing = false;
  /** Whether the player begins no new match. */
  isLeaving = false;
  /** Whether the player has gone away for good. */
  isGone = false;
  /** Virtual time since when the player has been told that they wait; undefined if they do not. */
  waitingMs: number | undefined;
  readonly rules: RulesName;

  constructor(user: UserName, game: VirtualGame, world: World) {
    this.user = user;
    this.#world = world;
    this.#game = game;
    this.rules = world.dice.chance(0.7) ? "clash" : "duel";
    world.time.after(world.dice.between(0, 200), () => this.#look());
  }

  /** Whether the player wants a match, and has none. */
  get isIn(): MatchView | undefined {
    return this.#view;
  }

  #ask(request: GameRequest, then: (answered: Answered) => void): void {
    const { time } = this.#world;
    if (this.#game.isUp) return this.#askAt(this.#game, request, then);
    // The connection fails at once.
    this.#leave(this.#game);
    time.after(100, () => {
      if (!this.isGone) then({ refused: "unavailable" });
    });
  }

  #askAt(game: VirtualGame, request: GameRequest, then: (answered: Answered) => void): void {
    const { time } = this.#world;
    let isDone = false;
    const end = (answered: Answered) => {
      if (isDone) return;
      isDone = true;
      if (!this.isGone) then(answered);
    };
    time.after(patienceMs, () => {
      if (isDone) return;
      this.#leave(game);
      end({ refused: "unavailable" });
    });
    const to: PlayerAsks = { answer: end };
    this.#world.ask(game, { to, user: this.user, request });
  }

  /** Uses another game server from now on. */
  #leave(game: VirtualGame): void {
    const { dice, games } = this.#world;
    if (this.#game === game) this.#game = dice.pick(games.filter(({ isUp }) => isUp)) ?? game;
  }

  #look(): void {
    const { time, checks } = this.#world;
    this.#ask({ type: "look", after: this.#after, waitMs: 2_000 }, (answered) => {
      if ("refused" in answered) return time.after(100, () => this.#look());
      const { answer } = answered;
      if (!("phase" in answer) || answer.phase !== "waiting") this.waitingMs = undefined;
      else this.waitingMs ??= time.nowMs;
      if ("phase" in answer && answer.phase === "match") {
        const { view, events } = answer;
        checks.onTold(this.user, answer);
        const known = this.#after?.match === view.match ? this.#after.eventSeq : -1;
        for (const { eventSeq } of events) {
          if (eventSeq <= known) checks.fail(`${this.user} is told event ${eventSeq} again`);
        }
        this.#after = { match: view.match, eventSeq: view.eventSeq };
        this.#view = view;
        if (view.over !== undefined) this.#view = undefined;
        else this.#act(view);
        if (view.over !== undefined && !this.isLeaving) this.#enter();
      } else if ("phase" in answer) {
        this.#view = undefined;
        this.#after = { eventSeq: -1 };
        if (answer.phase === "idle" && !this.isLeaving) this.#enter();
        if (answer.phase === "waiting" && (this.isLeaving || this.#world.dice.chance(0.02))) {
          this.#ask({ type: "leave" }, () => {});
        }
      }
      time.after(1, () => this.#look());
    });
  }

  #enter(): void {
    this.#ask({ type: "enter", rules: this.rules }, () => {});
  }

  #act(view: MatchView): void {
    if (this.#isActing) return;
    const { dice, time } = this.#world;
    this.#isActing = true;
    // Many players act at the full tick, so that both play in one instant.
    const laterMs = dice.chance(0.3)
      ? 50 - (time.nowMs % 50)
      : dice.between(1, dice.chance(0.1) ? 2_000 : 60);
    time.after(laterMs, () => {
      const { match } = view;
      const action = this.#choose();
      if (action === undefined || this.#view === undefined) {
        this.#isActing = false;
        return;
      }
      this.#acts += 1;
      this.#try({ type: "act", id: `a${this.#acts}`, match, action });
    });
  }

  #try(request: GameRequest & { type: "act" }): void {
    const { time, checks, dice, games } = this.#world;
    this.#world.onAct(request.match);
    const others = games.filter((game) => game.isUp && game !== this.#game);
    const second = dice.chance(0.1) ? dice.pick(others) : undefined;
    this.#askBoth(request, second, (answered) => {
      if ("refused" in answered && answered.refused === "unavailable") {
        return time.after(50, () => this.#try(request));
      }
      checks.onActed(this.user, request, answered);
      this.#isActing = false;
      if ("refused" in answered) this.#retryLater(answered.refused);
      else if (this.#view !== undefined) this.#act(this.#view);
    });
  }

  /** Sends one action, perhaps to two servers; of two answers the one that says more counts. */
  #askBoth(
    request: GameRequest & { type: "act" },
    second: VirtualGame | undefined,
    then: (answered: Answered) => void,
  ): void {
    if (second === undefined) return this.#ask(request, then);
    this.#world.counts["actions at two servers"] += 1;
    const answers: Answered[] = [];
    const end = (answered: Answered) => {
      answers.push(answered);
      if ("answer" in answered) this.#world.checks.onActed(this.user, request, answered);
      if (answers.length < 2) return;
      const isUnsure = answers.some((one) => "refused" in one && one.refused === "unavailable");
      const done = answers.find((one) => "answer" in one);
      then(done ?? (isUnsure ? { refused: "unavailable" } : answered));
    };
    this.#ask(request, end);
    const { time, dice } = this.#world;
    time.after(dice.between(0, 60), () => this.#askAt(second, request, end));
  }

  #retryLater(_refused: Refusal): void {
    const { time, dice } = this.#world;
    time.after(dice.between(20, 200), () => {
      if (this.#view !== undefined) this.#act(this.#view);
    });
  }

  #choose(): PlayerAction | undefined {
    const view = this.#view;
    const { dice } = this.#world;
    if (view === undefined || view.over !== undefined || view.seat === undefined) return undefined;
    if (dice.chance(0.01)) return { type: "giveUp" };
    const { seat, table, ready } = view;
    if (table === undefined)
      return ready[seat] ? undefined : { type: "ready", cards: this.#deck() };
    const hand = table.sides[seat].hand ?? [];
    const isOurs = table.turn.includes(seat);
    if (!isOurs && !dice.chance(0.05)) return undefined;
    const card = dice.pick(dice.chance(0.05) ? this.#deck() : hand);
    if (card === undefined || (view.rules === "duel" && dice.chance(0.3))) return { type: "pass" };
    return { type: view.rules === "duel" && dice.chance(0.2) ? "counter" : "play", card };
  }

  #deck(): string[] {
    const { dice } = this.#world;
    const kinds = new Set<string>();
    const size = dice.between(5, 7);
    while (kinds.size < size) kinds.add(dice.pick(cardKinds)?.kind as string);
    return [...kinds].map((kind) => `${kind}-${dice.between(1, 5)}`);
  }
}
