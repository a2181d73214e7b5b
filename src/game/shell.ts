import { now, pause } from "../platform/clock.ts";
import { randomHex } from "../platform/random.ts";
import type { GameRequest } from "../protocol/game-requests.ts";
import type { UserName } from "../protocol/ids.ts";
import type { GameName } from "../protocol/matches.ts";
import type { ClusterSide } from "./cluster-side.ts";
import type { Answered, Effect, Input } from "./core/effects.ts";
import { GameCore } from "./core/game-core.ts";
import type { Signer } from "./core/match-event.ts";
import type { GameLinks } from "./game-links.ts";
import type { MatchStore } from "./match-store.ts";
import { chance } from "./signer.ts";
import type { MatchStepRecorder } from "./steps/match-step-recorder.ts";

/** Milliseconds between two ticks of the core. */
const tickMs = 50;
/** Milliseconds before the cluster is asked again that has refused a question. */
const againMs = 1_000;

interface ShellParts {
  readonly name: GameName;
  readonly signer: Signer;
  readonly store: MatchStore;
  readonly links: GameLinks;
  readonly cluster: ClusterSide;
  /** Undefined if nothing is recorded (O68). */
  readonly recorder: MatchStepRecorder | undefined;
}

/** Gives the core its inputs, and performs its effects. */
export class Shell {
  readonly core: GameCore;
  /** Resolves once the cluster has told which matches this server holds. */
  readonly listed: Promise<void>;
  readonly #parts: ShellParts;
  #timer: NodeJS.Timeout | undefined;
  #onListed: () => void = () => {};
  #isOver = false;
  isListed = false;

  constructor(parts: ShellParts) {
    const { name, store, signer } = parts;
    this.#parts = parts;
    this.listed = new Promise((resolve) => {
      this.#onListed = resolve;
    });
    const logs = new Map(store.logs);
    this.core = new GameCore({ self: name, start: randomHex(8), signer, chance, logs }, now());
  }

  start(): void {
    this.#timer = setInterval(() => this.take({ type: "tick" }), tickMs);
    this.take({ type: "tick" });
  }

  stop(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  ask(user: UserName, request: GameRequest): Promise<Answered> {
    return new Promise((resolve) => this.take({ type: "asked", to: resolve, user, request }));
  }

  /** @param sentClock the Lamport clock in the message that is the input */
  take(input: Input, sentClock?: number): void {
    if (this.#isOver) return;
    const at = now();
    const effects = this.core.step(input, at);
    this.#parts.recorder?.note({ input, effects, now: at, sentClock });
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    const { name, store, links, cluster } = this.#parts;
    switch (effect.type) {
      case "send":
        return links.send(effect.to, effect.message);
      case "store":
        return store.store(effect.number, effect.record);
      case "answer":
        return (effect.to as (answered: Answered) => void)(effect.answered);
      case "decide": {
        const { question } = effect;
        void cluster.decide(name, question).then((decided) => {
          if (decided !== undefined) this.take({ type: "decided", question, decided });
        });
        return;
      }
      case "locate": {
        const { user, match } = effect;
        void cluster.locate(user).then((place) => {
          this.take({ type: "located", user, match, place });
        });
        return;
      }
      case "list":
        void this.#list();
        return;
    }
  }

  /** Asks until the cluster has told: without its answer this server does not know its matches. */
  async #list(): Promise<void> {
    for (;;) {
      const matches = await this.#parts.cluster.list();
      if (this.#isOver) return;
      if (matches !== undefined) {
        this.take({ type: "listed", matches });
        this.isListed = true;
        return this.#onListed();
      }
      await pause(againMs);
    }
  }
}
