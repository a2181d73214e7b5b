import type { Effect, GameMessage } from "../../src/game/core/effects.ts";
import type { GameCore } from "../../src/game/core/game-core.ts";
import { MatchStepRecorder } from "../../src/game/steps/match-step-recorder.ts";
import { MatchSteps } from "../../src/game/steps/match-steps.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import type { GameName } from "../../src/protocol/matches.ts";
import type { Step, StepKind } from "../../src/protocol/steps.ts";
import type { VirtualGame } from "../simulation/matches/virtual-game.ts";
import { TwoServers } from "./core/two-servers.ts";

/** Two game servers in virtual time that remember their steps. */
export class RecordedServers extends TwoServers {
  readonly memories = new Map<GameName, MatchSteps>();
  readonly #recorders = new Map<VirtualGame, MatchStepRecorder>();
  /** Changes what a server is about to do. */
  change: (effect: Effect, game: VirtualGame) => Effect = (effect) => effect;
  /** For each pair of servers, the clocks in the messages that have not arrived yet. */
  readonly #clocks = new Map<string, number[]>();

  /** @param most the number of records that each server keeps */
  constructor(most = 10_000) {
    super();
    const lamports = new Map(this.world.games.map(({ name }) => [name, new LamportClock()]));
    const { loses, forger } = this.world;
    // A forged message would have no clock.
    forger.onDelivered = () => {};
    this.world.loses = (message, from, to) => {
      if (loses(message, from, to)) return true;
      // As with seals, the clock of a message is above that of the step that sent it.
      this.#on(from, to).push((lamports.get(from) as LamportClock).tick());
      return false;
    };
    for (const game of this.world.games) {
      const memory = new MatchSteps(most);
      this.memories.set(game.name, memory);
      this.#record(game, memory, lamports.get(game.name) as LamportClock);
    }
  }

  /** What a server remembers of an action or of a match. */
  steps(game: VirtualGame, of: string): readonly Step[] {
    return this.memories.get(game.name)?.recall(of).steps ?? [];
  }

  recorder(game: VirtualGame): MatchStepRecorder {
    return this.#recorders.get(game) as MatchStepRecorder;
  }

  kinds(game: VirtualGame, of: string): StepKind[] {
    return this.steps(game, of).map(({ kind }) => kind);
  }

  #record(game: VirtualGame, memory: MatchSteps, clock: LamportClock): void {
    const core = game.core as GameCore;
    const now = () => this.world.now(game);
    const recorder = new MatchStepRecorder({ memory, clock, now, originMs: 0 });
    this.#recorders.set(game, recorder);
    const step = core.step.bind(core);
    core.step = (input, at) => {
      const sentClock =
        input.type === "message" ? this.#on(input.from, game.name).shift() : undefined;
      if (sentClock !== undefined) clock.receive(sentClock);
      const effects = step(input, at).map((effect) => this.change(effect, game));
      recorder.note({ input, effects, now: at, sentClock });
      return effects;
    };
  }

  #on(from: GameName, to: GameName): number[] {
    const pair = `${from} ${to}`;
    const clocks = this.#clocks.get(pair) ?? [];
    this.#clocks.set(pair, clocks);
    return clocks;
  }
}

/** The message of an effect that sends one. */
export function sentIn(effect: Effect): GameMessage | undefined {
  return effect.type === "send" ? effect.message : undefined;
}
