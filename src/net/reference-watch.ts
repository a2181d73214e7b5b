import { now } from "../platform/clock.ts";
import { addressesOf } from "../platform/endpoint.ts";
import type { Log } from "../platform/log.ts";

/** What is at the reference's endpoint. */
export type Standing = "ours" | "foreign" | "missing";

/** After so much silence a reference counts as missing: one that starts anew is back sooner. */
const missingMs = 2_500;

/** Tells the log what is at the reference's endpoint: once each time that it changes. */
export class ReferenceWatch {
  readonly #log: Log;
  readonly #where: string;
  /** As the log was told; a reference of ours from the start is no news. */
  #told: Standing = "ours";
  /** Steady time since which nothing has answered. */
  #silentMs: number | undefined = now().steadyMs;

  constructor(endpoints: readonly string[], log: Log) {
    this.#where = addressesOf(endpoints);
    this.#log = log;
  }

  answered(standing: "ours" | "foreign"): void {
    this.#silentMs = undefined;
    this.#tell(standing);
  }

  silent(): void {
    const { steadyMs } = now();
    this.#silentMs ??= steadyMs;
    if (steadyMs - this.#silentMs >= missingMs) this.#tell("missing");
  }

  #tell(standing: Standing): void {
    if (standing === this.#told) return;
    this.#told = standing;
    if (standing === "ours") this.#log.info(`The reference at ${this.#where} is there`);
    else this.#log.warn(sentences[standing](this.#where));
  }
}

const sentences = {
  foreign: (where: string) =>
    `The reference at ${where} speaks only the original protocol: it keeps no view, so nobody can become a member by it`,
  missing: (where: string) =>
    `No reference answers at ${where}: nobody becomes a member, or leaves, until one does`,
};
