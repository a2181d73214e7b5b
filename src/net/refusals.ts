import { now } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { harmless } from "../protocol/harmless.ts";
import type { RefusedMessages } from "../protocol/reference-messages.ts";
import { type Refusal, refusalText } from "./connection-refusal.ts";

const everyMs = 60_000;
/**
 * The most names logged in a minute. Messages under further names are only counted, because senders
 * choose their names freely.
 */
const mostSenders = 100;
const mostNameBytes = 64;

/** Counts dropped messages, and logs at most one of them a minute for each sender. */
export class Refusals {
  readonly counts: RefusedMessages = { forged: 0, stale: 0 };
  readonly #log: Log;
  readonly #secretOrigin: string;
  readonly #toldMs = new Map<string, number>();

  constructor(log: Log, secretOrigin: string) {
    this.#log = log;
    this.#secretOrigin = secretOrigin;
  }

  /** @param sender the name that the message gives as its sender, if any */
  forged(sender: string | undefined, isSealed: boolean): void {
    this.counts.forged += 1;
    const who = sender ?? "somebody";
    if (!this.#isDue(`forged ${who}`)) return;
    const why = isSealed
      ? `its secret differs: copy ${this.#secretOrigin} from the other machine`
      : "it has no MAC: it is no member of this cluster, or of an older version";
    this.#log.warn({ ...this.counts }, `A message of ${who} was dropped, ${why}`);
  }

  stale(sender: string): void {
    this.counts.stale += 1;
    if (!this.#isDue(`stale ${sender}`)) return;
    const text = `A message of ${sender} was dropped, it is late or replayed`;
    this.#log.info({ ...this.counts }, text);
  }

  /**
   * Logs a refused connection. Only the endpoint is logged, because the peer has not proven a name.
   */
  connection(endpoint: string, why: string): void {
    if (!this.#isDue(`${endpoint} ${why}`)) return;
    this.#log.warn({ endpoint }, `A connection to ${endpoint} was refused: ${why}`);
  }

  /**
   * Warns that two connections use the same name (Z2), because a program of the original protocol
   * may expect replies by name. For all names together at most one line a minute is logged, because
   * peers choose their names freely.
   */
  sharedName(identity: string): void {
    if (!this.#isDue("shared name")) return;
    const name = harmless(Buffer.from(identity.slice(0, mostNameBytes), "latin1").toString());
    const text = "it means nothing here, each gets the replies to its own requests";
    this.#log.warn(`Two connections give the same name "${name}" (Identity): ${text}`);
  }

  /**
   * Logs that the reference refuses this member's connection. Without this line the log would not
   * say why the member waits.
   */
  byReference(refusal: Refusal): void {
    if (!this.#isDue(refusal)) return;
    this.#log.warn(`The reference does not take the connection: ${refusalText[refusal]}`);
  }

  #isDue(key: string): boolean {
    const { steadyMs } = now();
    const isDue = steadyMs - (this.#toldMs.get(key) ?? Number.NEGATIVE_INFINITY) >= everyMs;
    if (!isDue) return false;
    for (const [told, atMs] of this.#toldMs) {
      if (steadyMs - atMs >= everyMs) this.#toldMs.delete(told);
    }
    if (this.#toldMs.size >= mostSenders) return false;
    this.#toldMs.set(key, steadyMs);
    return true;
  }
}
