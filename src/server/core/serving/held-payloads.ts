import type { Incoming } from "../../../protocol/client-messages.ts";
import { limits } from "../../../protocol/limits.ts";
import { servers } from "../../../protocol/vector.ts";
import { isRefused, type PayloadReply } from "./payload-reply.ts";

/** Counts the waiting requests of each connection, for the limit `limits.connectionOpen`. */
export class HeldPayloads {
  /** For each payload, the counts that it adds to its requests' connections. */
  readonly #held = new Map<PayloadReply, ReadonlyMap<string, number>>();
  readonly #countBy = new Map<string, number>();

  countOf(connection: string): number {
    return this.#countBy.get(connection) ?? 0;
  }

  /** @param connectionOf returns the connection for which a request counts */
  add(
    payload: PayloadReply,
    requests: readonly Incoming[],
    connectionOf: (request: Incoming) => string,
  ): void {
    const byConnection = new Map<string, Incoming[]>();
    for (const request of requests) {
      const connection = connectionOf(request);
      const own = byConnection.get(connection);
      if (own === undefined) byConnection.set(connection, [request]);
      else own.push(request);
    }
    const counts = new Map<string, number>();
    for (const [connection, own] of byConnection) {
      const count = weightOf(own);
      counts.set(connection, count);
      this.#addTo(connection, count);
    }
    this.#held.set(payload, counts);
  }

  /**
   * Subtracts the payload's requests from their connections' counts. Does nothing for a payload that
   * was answered at once, because such a payload was never counted.
   */
  remove(payload: PayloadReply): void {
    const counts = this.#held.get(payload);
    if (counts === undefined) return;
    this.#held.delete(payload);
    for (const [connection, count] of counts) this.#addTo(connection, -count);
  }

  #addTo(connection: string, count: number): void {
    const sum = this.countOf(connection) + count;
    if (sum === 0) this.#countBy.delete(connection);
    else this.#countBy.set(connection, sum);
  }
}

/**
 * Returns the number for which requests count: the requests, and one more for every
 * `limits.namesOfOneRequest` servers in their `after`, because large vectors use memory.
 */
function weightOf(requests: readonly Incoming[]): number {
  const names = requests.reduce((sum, request) => {
    const after = isRefused(request) ? undefined : request.after;
    return sum + (after === undefined ? 0 : servers(after).length);
  }, 0);
  return requests.length + Math.floor(names / limits.namesOfOneRequest);
}

/**
 * Returns the connection for whose limits a request counts. A gateway's requests count for each
 * person's address; otherwise all people behind the gateway would share one limit.
 */
export function pacedConnection(request: Incoming, connection: string): string {
  const address = isRefused(request) ? undefined : request.via;
  return address === undefined ? connection : `via ${address}`;
}
