import type { Effect, Input, Now } from "../../src/server/core/effects.ts";
import { type CoreOptions, ServerCore } from "../../src/server/core/step.ts";

/** Called while a shell drives a core. */
export interface CoreObserver {
  onInput(input: Input): void;
  /** Called before the effect is performed. */
  onEffect(effect: Effect): void;
  /** Called after all effects of a step. */
  onStep(): void;
}

/** A core that reports its inputs, effects and steps to an observer. */
export class ObservedCore extends ServerCore {
  readonly #observer: CoreObserver;

  constructor(options: CoreOptions, observer: CoreObserver) {
    super(options);
    this.#observer = observer;
  }

  override step(input: Input, now: Now): Iterable<Effect> {
    this.#observer.onInput(input);
    return this.#observed(super.step(input, now));
  }

  *#observed(effects: Iterable<Effect>): Generator<Effect> {
    for (const effect of effects) {
      this.#observer.onEffect(effect);
      yield effect;
    }
    this.#observer.onStep();
  }
}
