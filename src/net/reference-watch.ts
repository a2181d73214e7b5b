import { now } from "../platform/clock.ts";
import { addressesOf } from "../platform/endpoint.ts";
import type { Log } from "../platform/log.ts";

/** What answers at the reference's endpoint: ours, one of the original protocol, or nothing. */
type ReferenceKind = "ours" | "foreign" | "missing";

/** Silence after which a reference counts as missing; one that only restarts is back sooner. */
const missingMs = 2_500;

/** Logs what answers at the reference's endpoint, once for each change. */
export class ReferenceWatch {
  readonly #log: Log;
  readonly #where: string;
  /** The kind that was logged last. A reference of ours at the start needs no line. */
  #told: ReferenceKind = "ours";
  /** Steady time since when nothing has answered. */
  #silentMs: number | undefined = now().steadyMs;

  constructor(endpoints: readonly string[], log: Log) {
    this.#where = addressesOf(endpoints);
    this.#log = log;
  }

  answered(kind: "ours" | "foreign"): void {
    this.#silentMs = undefined;
    this.#tell(kind);
  }

  silent(): void {
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
