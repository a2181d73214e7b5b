import { isMismatch, type Refusal } from "../net/connection-refusal.ts";
import { now } from "../platform/clock.ts";

/** `connected`: to a broker. `gave up`: no broker was connected for a minute; attempts continue. */
export type ConnectionState = "connected" | "reconnecting" | "gave up";

const giveUpMs = 60_000;

export interface ConnectionEvents {
  readonly onState: (state: ConnectionState) => void;
  /** Called while no broker is connected, with the milliseconds until the next attempt. */
  readonly onRetry?: ((inMs: number) => void) | undefined;
}

/** Tracks whether a broker is connected, and reports changes to the program. */
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

  /** Why a broker refused the connection; undefined while connected or if no broker refused. */
  get refusal(): Refusal | undefined {
    return this.#state === "connected" ? undefined : this.#refusal;
  }

  /** Whether waiting requests should fail now, because no broker is expected to accept them. */
  get isHopeless(): boolean {
    return this.#state === "gave up" || isMismatch(this.refusal);
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

  /** Changes the state to `gave up` after a minute without a broker. */
  advance(steadyMs: number): void {
    if (this.#state === "reconnecting" && steadyMs - this.#lostMs > giveUpMs) this.#tell("gave up");
  }

  #tell(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#events.onState(state);
  }
}
