import { isFinal, type Refusal } from "../net/handshake.ts";
import { now } from "../platform/clock.ts";

/** connected: a broker is there. gave up: none was for a minute; still trying in the background. */
export type ConnectionState = "connected" | "reconnecting" | "gave up";

const giveUpMs = 60_000;

export interface ConnectionEvents {
  readonly onState: (state: ConnectionState) => void;
  /** No broker is there; the next try is in so many milliseconds. */
  readonly onRetry?: ((inMs: number) => void) | undefined;
}

/** Whether a broker is there, as it is told to a person. */
export class ConnectionWatch {
  readonly #events: ConnectionEvents;
  #state: ConnectionState = "reconnecting";
  #refusal: Refusal | undefined;
  #lostMs = now().steadyMs;

  constructor(events: ConnectionEvents) {
    this.#events = events;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Why no broker is there, if one refused the connection. */
  get refusal(): Refusal | undefined {
    return this.#state === "connected" ? undefined : this.#refusal;
  }

  /** Whether nothing that waits need wait any longer. */
  get isHopeless(): boolean {
    return this.#state === "gave up" || isFinal(this.refusal);
  }

  connected(): void {
    this.#tell("connected");
  }

  lost(): void {
    this.#lostMs = now().steadyMs;
    this.#tell("reconnecting");
  }

  refused(refusal: Refusal): void {
    this.#refusal = refusal;
  }

  retries(inMs: number): void {
    if (this.#state !== "connected") this.#events.onRetry?.(inMs);
  }

  /** Gives up after a minute without a broker. */
  advance(steadyMs: number): void {
    if (this.#state === "reconnecting" && steadyMs - this.#lostMs > giveUpMs) this.#tell("gave up");
  }

  #tell(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#events.onState(state);
  }
}
