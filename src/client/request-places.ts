interface Payload<Request> {
  readonly requests: Set<Request>;
  /** Steady time from which the payload counts as lost. */
  readonly lostMs: number;
}

/**
 * The place of each open request: ready, resting, held, or in a sent payload. Each request has
 * exactly one place: if it were in two payloads, its answer would close only one of them.
 */
export class RequestPlaces<Request> {
  readonly #ready = new Set<Request>();
  /** Resting requests, each with the steady time at which it is ready again. */
  readonly #resting = new Map<Request, number>();
  readonly #held = new Set<Request>();
  readonly #payloads = new Set<Payload<Request>>();
  readonly #payloadOf = new Map<Request, Payload<Request>>();

  /** Requests to send as soon as possible, in this order. */
  get ready(): ReadonlySet<Request> {
    return this.#ready;
  }

  /**
   * Requests without a timely answer. They wait until a reply shows whether the servers are this
   * project's or speak only the original protocol (C8).
   */
  get held(): ReadonlySet<Request> {
    return this.#held;
  }

  /** Number of sent payloads with an unanswered request. */
  get payloads(): number {
    return this.#payloads.size;
  }

  /** The unanswered requests of each payload. Each held request counts as a payload of its own. */
  get unanswered(): readonly (readonly Request[])[] {
    const sent = [...this.#payloads].map(({ requests }) => [...requests]);
    return [...sent, ...[...this.#held].map((request) => [request])];
  }

  makeReady(request: Request): void {
    this.leave(request);
    this.#ready.add(request);
  }

  /** @param untilMs steady time at which the request is ready again */
  rest(request: Request, untilMs: number): void {
    this.leave(request);
    this.#resting.set(request, untilMs);
  }

  hold(request: Request): void {
    this.leave(request);
    this.#held.add(request);
  }

  /**
   * Records requests as sent in one payload. @param lostMs steady time from which the payload
   * counts as lost
   */
  send(requests: readonly Request[], lostMs: number): void {
    for (const request of requests) this.leave(request);
    const payload = { requests: new Set(requests), lostMs };
    this.#payloads.add(payload);
    for (const request of requests) this.#payloadOf.set(request, payload);
  }

  /** Removes a request from its place. */
  leave(request: Request): void {
    if (this.#ready.delete(request)) return;
    this.#resting.delete(request);
    this.#held.delete(request);
    const payload = this.#payloadOf.get(request);
    if (payload === undefined) return;
    this.#payloadOf.delete(request);
    payload.requests.delete(request);
    if (payload.requests.size === 0) this.#payloads.delete(payload);
  }

  /** Makes ready each request whose rest has ended. */
  wake(steadyMs: number): void {
    for (const [request, untilMs] of this.#resting) {
      if (steadyMs >= untilMs) this.makeReady(request);
    }
  }

  /** Removes the requests that were sent and not answered in time. @returns these requests */
  takeLost(steadyMs: number): Request[] {
    const payloads = [...this.#payloads].filter(({ lostMs }) => steadyMs >= lostMs);
    const lost = payloads.flatMap(({ requests }) => [...requests]);
    for (const request of lost) this.leave(request);
    return lost;
  }
}
