import type { Incoming } from "../../../protocol/client-messages.ts";
import { limits } from "../../../protocol/limits.ts";
import { servers } from "../../../protocol/vector.ts";
import { isRefused, type PayloadReply } from "./payload-reply.ts";

/** Counts the waiting requests of each connection, for the limit `limits.connectionOpen`. */
export class HeldPayloads {
  readonly #held = new Map<PayloadReply, { readonly connection: string; readonly count: number }>();
  readonly #countBy = new Map<string, number>();

  countOf(connection: string): number {
    return this.#countBy.get(connection) ?? 0;
  }

  add(payload: PayloadReply, connection: string, requests: readonly Incoming[]): void {
    const count = weightOf(requests);
    this.#held.set(payload, { connection, count });
    this.#addTo(connection, count);
  }

  /**
   * Subtracts the payload's requests from its connection's count. Does nothing for a payload that
   * was answered at once, because such a payload was never counted.
   */
  remove(payload: PayloadReply): void {
    const held = this.#held.get(payload);
    if (held === undefined) return;
    this.#held.delete(payload);
    this.#addTo(held.connection, -held.count);
  }

  #addTo(connection: string, count: number): void {
    const sum = this.countOf(connection) + count;
    if (sum === 0) this.#countBy.delete(connection);
    else this.#countBy.set(connection, sum);
  }
}

/**
 * Returns the number of requests that a payload counts for: its requests, and one more for every
 * `limits.namesOfOneRequest` servers in their `after`, because large vectors use memory.
 */
function weightOf(requests: readonly Incoming[]): number {
  const names = requests.reduce((sum, request) => {
    const after = isRefused(request) ? undefined : request.after;
    return sum + (after === undefined ? 0 : servers(after).length);
  }, 0);
  return requests.length + Math.floor(names / limits.namesOfOneRequest);
}
