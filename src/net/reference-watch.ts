import { now } from "../platform/clock.ts";
import { addressesOf } from "../platform/endpoint.ts";
import type { Log } from "../platform/log.ts";

/**
 * What answers at the reference's endpoint: a reference of this project, one of the original
 * protocol, or no process.
 */
type ReferenceKind = "ours" | "foreign" | "missing";

/**
 * Milliseconds of silence after which the reference is logged as missing. Restarting it takes less
 * time.
 */
const missingMs = 2_500;

/** Logs which kind of reference answers at the endpoint, once for each change. */
export class ReferenceWatch {
  readonly #log: Log;
  readonly #where: string;
  /**
   * The kind that was logged last. It begins as `ours`, so that a reference of this project is not
   * logged at the start.
   */
  #told: ReferenceKind = "ours";
  #expectsSilence = false;
  /** Steady time since which no reference has answered; undefined while one answers. */
  #silentMs: number | undefined = now().steadyMs;

  constructor(endpoints: readonly string[], log: Log) {
    this.#where = addressesOf(endpoints);
    this.#log = log;
  }

  answered(kind: "ours" | "foreign"): void {
    this.#silentMs = undefined;
    this.#tell(kind);
  }

  /** From now on, logs no silence: the reference may stop together with this process. */
  expectSilence(): void {
    this.#expectsSilence = true;
  }

  silent(): void {
    if (this.#expectsSilence) return;
    const { steadyMs } = now();
    this.#silentMs ??= steadyMs;
    if (steadyMs - this.#silentMs >= missingMs) this.#tell("missing");
  }

  #tell(kind: ReferenceKind): void {
    if (kind === this.#told) return;
    this.#told = kind;
    if (kind === "ours") this.#log.info(`The reference at ${this.#where} is there`);
    else this.#log.warn(sentences[kind](this.#where));
  }
}

const sentences = {
  foreign: (where: string) =>
    `The reference at ${where} speaks only the original protocol: it keeps no view, so no process can become a member through it`,
  missing: (where: string) =>
    `No reference answers at ${where}: until one does, no process becomes a member or leaves`,
};
