interface Payload<Request> {
  readonly requests: Set<Request>;
  /** Steady time at which it counts as lost. */
  readonly lostMs: number;
}

/**
 * Where each open request stands: in one place only. The answer to a request that was sent in two
 * payloads would end one of them, and the other would stay open for good.
 */
export class RequestPlaces<Request> {
  readonly #ready = new Set<Request>();
  /** Each with the steady time at which it is ready again. */
  readonly #resting = new Map<Request, number>();
  readonly #held = new Set<Request>();
  readonly #payloads = new Set<Payload<Request>>();
  readonly #payloadOf = new Map<Request, Payload<Request>>();

  /** Go out as soon as a payload can, in this order. */
  get ready(): ReadonlySet<Request> {
    return this.#ready;
  }

  /** Not answered in time, and not sent again before it is known whose servers these are (C8). */
  get held(): ReadonlySet<Request> {
    return this.#held;
  }

  /** Payloads that were sent and have a request without an answer. */
  get payloads(): number {
    return this.#payloads.size;
  }

  /** The unanswered requests of each payload; each request that is held counts as one. */
  get unanswered(): readonly (readonly Request[])[] {
    const sent = [...this.#payloads].map(({ requests }) => [...requests]);
    return [...sent, ...[...this.#held].map((request) => [request])];
  }

  makeReady(request: Request): void {
    this.leave(request);
    this.#ready.add(request);
  }

  /** @param untilMs steady time */
  rest(request: Request, untilMs: number): void {
    this.leave(request);
    this.#resting.set(request, untilMs);
  }

  hold(request: Request): void {
    this.leave(request);
    this.#held.add(request);
  }

  /** In one payload. @param lostMs steady time at which it counts as lost */
  send(requests: readonly Request[], lostMs: number): void {
    for (const request of requests) this.leave(request);
    const payload = { requests: new Set(requests), lostMs };
    this.#payloads.add(payload);
    for (const request of requests) this.#payloadOf.set(request, payload);
  }

  /** Takes a request from wherever it stands. */
  leave(request: Request): void {
    this.#ready.delete(request);
    this.#resting.delete(request);
    this.#held.delete(request);
    const payload = this.#payloadOf.get(request);
    if (payload === undefined) return;
    this.#payloadOf.delete(request);
    payload.requests.delete(request);
    if (payload.requests.size === 0) this.#payloads.delete(payload);
  }

  /** Makes ready all that has rested long enough. */
  wake(steadyMs: number): void {
    for (const [request, untilMs] of this.#resting) {
      if (steadyMs >= untilMs) this.makeReady(request);
    }
  }

  /** Takes away what was sent and not answered in time. */
  takeLost(steadyMs: number): Request[] {
    const payloads = [...this.#payloads].filter(({ lostMs }) => steadyMs >= lostMs);
    const lost = payloads.flatMap(({ requests }) => [...requests]);
    for (const request of lost) this.leave(request);
    return lost;
  }
}
