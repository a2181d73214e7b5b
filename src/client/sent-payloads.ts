import type { RequestId } from "../protocol/ids.ts";

interface SentPayload {
  readonly ids: Set<RequestId>;
  /** Steady time at which it counts as lost. */
  readonly lostMs: number;
}

/** Payloads that were sent, each with those of its requests that have no answer yet. */
export class SentPayloads {
  readonly #payloads = new Set<SentPayload>();
  readonly #payloadOf = new Map<RequestId, SentPayload>();

  get size(): number {
    return this.#payloads.size;
  }

  /** The unanswered requests of each payload. */
  get requests(): readonly (readonly RequestId[])[] {
    return [...this.#payloads].map(({ ids }) => [...ids]);
  }

  add(requests: readonly RequestId[], lostMs: number): void {
    const payload: SentPayload = { ids: new Set(requests), lostMs };
    this.#payloads.add(payload);
    for (const id of requests) this.#payloadOf.set(id, payload);
  }

  /** Forgets a request that was answered or given up. */
  settle(id: RequestId): void {
    const payload = this.#payloadOf.get(id);
    if (payload === undefined) return;
    this.#payloadOf.delete(id);
    payload.ids.delete(id);
    if (payload.ids.size === 0) this.#payloads.delete(payload);
  }

  /** Forgets payloads that were not answered in time. @returns their requests */
  takeLost(steadyMs: number): RequestId[] {
    const lost = [...this.#payloads].filter(({ lostMs }) => steadyMs >= lostMs);
    const requests = lost.flatMap(({ ids }) => [...ids]);
    for (const id of requests) this.settle(id);
    return requests;
  }
}
