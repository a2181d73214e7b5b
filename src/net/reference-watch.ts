import { now } from "../platform/clock.ts";
import { addressesOf } from "../platform/endpoint.ts";
import type { Log } from "../platform/log.ts";

/**
 * What answers at the reference's endpoint: a reference of this project, one of the original
 * protocol, or no process.
 */
type ReferenceKind = "ours" | "foreign" | "missing";

/** Silence after which the reference is logged as missing; a restart takes less time. */
const missingMs = 2_500;

/** Logs which kind of reference answers at the endpoint, once for each change. */
export class ReferenceWatch {
  readonly #log: Log;
  readonly #where: string;
  /** The kind that was logged last; at the start `ours`, although nothing was logged. */
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

  /** Logs no silence any more: the reference may stop together with this process. */
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
