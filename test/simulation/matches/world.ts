import type { Effect, GameMessage, Input, Now, Question } from "../../../src/game/core/effects.ts";
import { parseGameMessages } from "../../../src/game/parse-game-message.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { encode } from "../../../src/protocol/codec.ts";
import type { GameName, MatchId } from "../../../src/protocol/matches.ts";
import { VirtualTime } from "../../support/virtual-time.ts";
import { Dice } from "../dice.ts";
import { Arbiter } from "./arbiter.ts";
import { Forger } from "./forger.ts";
import { MatchChecks } from "./match-checks.ts";
import { VirtualGame } from "./virtual-game.ts";
import type { PlayerAsks } from "./virtual-player.ts";

const hex = (dice: Dice, digits: number) =>
  Array.from({ length: digits }, () => dice.between(0, 15).toString(16)).join("");

/** By so many milliseconds more than the message a second copy of it may be late. */
const lateMs = 200;

/** Game servers, a network between them, and the cluster's decisions, in virtual time. */
export class World {
  readonly time = new VirtualTime();
  readonly dice: Dice;
  readonly arbiter = new Arbiter();
  readonly games: VirtualGame[] = [];
  readonly checks: MatchChecks;
  readonly tell: (text: string) => void;
  /** The most milliseconds of a write to the disk. */
  syncMs = 4;
  /** The share of messages that are lost, and of those that arrive twice. */
  loss = 0;
  repeats = 0;
  /** The most milliseconds that a message takes. */
  delayMs = 5;
  /** Whether the cluster has a quorum. */
  decides = true;
  /** Game servers that reach each other, but not the cluster. */
  readonly severed = new Set<VirtualGame>();
  /** The share of messages that may overtake others. */
  overtakes = 0;
  /** Whether the network loses a message. */
  loses: (message: GameMessage, from: GameName, to: GameName) => boolean = () => false;
  readonly forger: Forger;
  readonly counts = {
    matches: 0,
    failovers: 0,
    "FAILOVER events": 0,
    rollbacks: 0,
    voids: 0,
    "refused actions": 0,
    "refused forgeries": 0,
    "actions at once": 0,
    "actions at two servers": 0,
    "lost disks": 0,
  };
  /** Pairs of servers of which the first can't reach the second. */
  readonly cuts = new Set<string>();
  /** Servers that have lost their disk at least once. */
  readonly lostDisks = new Set<VirtualGame>();
  /** The wall clock of a server is so many milliseconds ahead. */
  readonly #skews = new Map<VirtualGame, number>();
  /** For each pair of servers, when the last message arrives: connections keep the order. */
  readonly #arrivals = new Map<string, number>();
  /** For each match, when a player acted last. */
  readonly #acts = new Map<MatchId, number>();

  constructor(seed: number, games: number, tell: (text: string) => void) {
    this.dice = new Dice(seededRandom(seed));
    this.tell = (text) => tell(`${this.time.nowMs} ms ${text}`);
    this.checks = new MatchChecks(this);
    this.forger = new Forger(this);
    const chance = {
      matchId: () => hex(this.dice, 16) as MatchId,
      seed: () => hex(this.dice, 32),
      hashOf: (text: string) => `hash of ${text.length}`,
    };
    for (let number = 1; number <= games; number += 1) {
      const game = new VirtualGame(`game_0000000${number}` as GameName, chance, this);
      this.#skews.set(game, this.dice.between(0, 200));
      this.games.push(game);
    }
    for (const game of this.games) game.start();
  }

  now(game: VirtualGame): Now {
    // Steady times have fractions, as those of real machines.
    const steadyMs = this.time.nowMs + 0.3;
    return { steadyMs, wallMs: 1_700_000_000_000 + this.time.nowMs + (this.#skews.get(game) ?? 0) };
  }

  namesBut(self: GameName): GameName[] {
    return this.games.map(({ name }) => name).filter((name) => name !== self);
  }

  game(name: GameName): VirtualGame {
    return this.games.find((game) => game.name === name) as VirtualGame;
  }

  ask(game: VirtualGame, asked: Omit<Input & { type: "asked" }, "type">): void {
    game.asking.add(asked.to as PlayerAsks);
    game.take({ type: "asked", ...asked });
  }

  /** Takes note that a player acts, to count actions of one match in one instant. */
  onAct(match: MatchId): void {
    const { nowMs } = this.time;
    if (this.#acts.get(match) === nowMs) this.counts["actions at once"] += 1;
    this.#acts.set(match, nowMs);
  }

  perform(game: VirtualGame, effect: Exclude<Effect, { type: "store" }>): void {
    switch (effect.type) {
      case "send":
        return this.#send(game, effect);
      case "answer": {
        const asks = effect.to as PlayerAsks;
        game.asking.delete(asks);
        this.time.after(1, () => asks.answer(effect.answered));
        return;
      }
      case "decide":
        return this.#decide(game, effect.question);
      case "locate": {
        const { user, match } = effect;
        const place = () => (this.answers(game) ? this.arbiter.locate(user) : undefined);
        const located = (): Input => ({ type: "located", user, match, place: place() });
        return this.#later(game, located, match === undefined ? this.dice.between(1, 20) : 10);
      }
      case "list":
        return this.#list(game);
    }
  }

  #send(from: VirtualGame, { to, message }: Effect & { type: "send" }): void {
    this.forger.note({ from: from.name, to, message });
    if (message.type === "rollback") this.counts.rollbacks += 1;
    if (this.loses(message, from.name, to)) return;
    const copies = this.dice.chance(this.repeats) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const pair = `${from.name} ${to}`;
      if (this.cuts.has(pair) || this.dice.chance(this.loss)) continue;
      const isInOrder = copy === 0 && !this.dice.chance(this.overtakes);
      const soonest = isInOrder ? (this.#arrivals.get(pair) ?? 0) : 0;
      const mostMs = copy === 0 ? this.delayMs : this.delayMs + lateMs;
      const atMs = Math.max(soonest, this.time.nowMs + this.dice.between(0, mostMs));
      if (isInOrder) this.#arrivals.set(pair, atMs);
      const payload = encode([message]);
      this.time.at(atMs, () => {
        const game = this.game(to);
        game.take({
          type: "message",
          from: from.name,
          message: parseGameMessages(payload)[0] as GameMessage,
        });
        this.forger.onDelivered(game, message);
      });
    }
  }

  answers(game: VirtualGame): boolean {
    return this.decides && !this.severed.has(game);
  }

  /** A game server asks until the outcome is known, also after the quorum was lost for a while. */
  #decide(game: VirtualGame, question: Question): void {
    const { starts } = game;
    const attempt = () => {
      if (game.starts !== starts || !game.isUp) return;
      if (!this.answers(game)) return this.time.after(200, attempt);
      if (question.service === "matchBegin") this.checks.onBegin(question);
      if (question.service === "matchEnd") this.checks.onEnd(question);
      const decided = this.arbiter.decide(game.name, question, this.time.nowMs);
      this.tell(`${game.name} ${JSON.stringify(question)}: ${JSON.stringify(decided)}`);
      this.time.after(this.dice.between(1, 30), () => {
        if (game.starts === starts) game.take({ type: "decided", question, decided });
      });
    };
    this.time.after(this.dice.between(1, 30), attempt);
  }

  #list(game: VirtualGame): void {
    const { starts } = game;
    const attempt = () => {
      if (game.starts !== starts || !game.isUp) return;
      if (!this.answers(game)) return this.time.after(200, attempt);
      const matches = this.arbiter.list(game.name);
      // Where the network is slow, terms change while a list is on its way.
      this.time.after(this.dice.between(0, 20) * (this.delayMs > 20 ? 50 : 1), () => {
        if (game.starts === starts) game.take({ type: "listed", matches });
      });
    };
    attempt();
  }

  #later(game: VirtualGame, input: () => Input, delayMs: number): void {
    const { starts } = game;
    this.time.after(delayMs, () => {
      if (game.starts === starts) game.take(input());
    });
  }
}
