import type { RequestId } from "../protocol/ids.ts";

interface SentPayload {
  readonly ids: Set<RequestId>;
  /** Steady time at which it counts as lost. */
  readonly lostMs: number;
}

/** Payloads on their way, with the requests in them that have no answer yet. */
export class SentPayloads {
  readonly #payloads = new Set<SentPayload>();
  readonly #payloadOf = new Map<RequestId, SentPayload>();

  get size(): number {
    return this.#payloads.size;
  }

  /** The requests of each payload. */
  get requests(): readonly (readonly RequestId[])[] {
    return [...this.#payloads].map(({ ids }) => [...ids]);
  }

  add(requests: readonly RequestId[], lostMs: number): void {
    const payload: SentPayload = { ids: new Set(requests), lostMs };
    this.#payloads.add(payload);
    for (const id of requests) this.#payloadOf.set(id, payload);
  }

  /** The request is answered, or given up. */
  settle(id: RequestId): void {
    const payload = this.#payloadOf.get(id);
    if (payload === undefined) return;
    this.#payloadOf.delete(id);
    payload.ids.delete(id);
    if (payload.ids.size === 0) this.#payloads.delete(payload);
  }

  /** @returns the requests of payloads that were not answered in time, which are forgotten here */
  takeLost(steadyMs: number): RequestId[] {
    const lost = [...this.#payloads].filter(({ lostMs }) => steadyMs >= lostMs);
    const requests = lost.flatMap(({ ids }) => [...ids]);
    for (const id of requests) this.settle(id);
    return requests;
  }
}
