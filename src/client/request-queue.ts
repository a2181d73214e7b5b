import { isFinal, type Refusal, refusalText } from "../net/handshake.ts";
import { RequestPipe } from "../net/request-pipe.ts";
import { now } from "../platform/clock.ts";
import { addressesOf } from "../platform/endpoint.ts";
import { type Random, random, randomHex } from "../platform/random.ts";
import { decode, encode } from "../protocol/codec.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { RequestId } from "../protocol/ids.ts";
import { type LamportClock, parseClock } from "../protocol/lamport-clock.ts";
import { limits } from "../protocol/limits.ts";
import { isMap } from "../protocol/parse-message.ts";
import { isoTime } from "../protocol/time.ts";
import { servers, type Vector } from "../protocol/vector.ts";
import { closedError, readError, tooLarge } from "./request-errors.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** connected: a broker is there. gave up: none was for a minute; still trying in the background. */
export type ConnectionState = "connected" | "reconnecting" | "gave up";

export interface RequestQueueOptions {
  readonly brokers: readonly string[];
  readonly clock: LamportClock;
  /** What the client has seen; each request carries it (R9). */
  readonly seen: Vector;
  readonly onState: (state: ConnectionState) => void;
  /** No broker is there; the next try is in so many milliseconds. */
  readonly onRetry?: ((inMs: number) => void) | undefined;
  /** Between tries to connect, at most. */
  readonly reconnectMaxMs?: number | undefined;
  /** The session's, if there is one; each request carries it (W6). */
  readonly token: () => string | undefined;
  /** A server gave a token: by a login, or since the present one grows old. */
  readonly onToken: (token: string) => void;
}

interface Pending {
  readonly id: RequestId;
  readonly service: string;
  readonly data: Fields;
  readonly deadlineMs: number;
  tries: number;
  /** Steady time before which it is not sent again. */
  notBeforeMs: number;
  lastError: ProtocolError | undefined;
  resolve(reply: Fields): void;
  reject(error: ProtocolError): void;
}

interface SentPayload {
  readonly ids: Set<RequestId>;
  /** Steady time at which it counts as lost. */
  readonly lostMs: number;
}

/** Payloads on their way at once: enough to keep several servers busy. */
const openPayloads = 4;
/** Without an answer in this time a payload is sent again, a little later each time. */
const firstTimeoutMs = 1_200;
const longestTimeoutMs = 5_000;
const firstRestMs = 50;
const longestRestMs = 1_000;
const giveUpMs = 60_000;
const sweepMs = 25;
/** Bytes around a request's own text, generously: names, id, clock; and each server in `after`. */
const envelopeBytes = 768;
const vectorEntryBytes = 32;

/**
 * Requests over one connection, pipelined: while payloads are on their way, what comes gathers
 * into an array (C1). What is not answered in time, or answered with `retry`, goes out again with
 * the same id until its deadline (C2).
 */
export class RequestQueue {
  readonly #options: RequestQueueOptions;
  readonly #pipe: RequestPipe;
  readonly #random: Random;
  /** Begins the ids of this process: no other process has it (W17). */
  readonly #prefix = randomHex(8);
  readonly #pending = new Map<RequestId, Pending>();
  #ready: Pending[] = [];
  readonly #resting = new Set<Pending>();
  readonly #sent = new Set<SentPayload>();
  readonly #payloadOf = new Map<RequestId, SentPayload>();
  readonly #sweeper: NodeJS.Timeout;
  #sending = false;
  #closed = false;
  #nextId = 1;
  #state: ConnectionState = "reconnecting";
  #refusal: Refusal | undefined;
  #lostMs = now().steadyMs;
  /** Requests that were sent more than once. */
  retried = 0;

  constructor(options: RequestQueueOptions, chance: Random = random) {
    this.#options = options;
    this.#random = chance;
    const { brokers, reconnectMaxMs } = options;
    const events = {
      onPayload: (payload: Buffer) => this.#receive(payload),
      onConnections: (count: number) => this.#connections(count),
      onRefusal: (refusal: Refusal) => {
        this.#refusal = refusal;
      },
      onRetry: (inMs: number) => {
        if (this.#state !== "connected") options.onRetry?.(inMs);
      },
    };
    this.#pipe = new RequestPipe(brokers, events, { reconnectMaxMs });
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Why no broker is there, if one refused the connection. */
  get refusal(): Refusal | undefined {
    return this.#state === "connected" ? undefined : this.#refusal;
  }

  get open(): number {
    return this.#pending.size;
  }

  newId(): RequestId {
    const id = `${this.#prefix}-${this.#nextId.toString(36)}` as RequestId;
    this.#nextId += 1;
    return id;
  }

  /**
   * @param deadlineMs milliseconds after which it is given up
   * @throws ProtocolError with the server's code, or `unavailable` at the deadline
   */
  ask(
    service: string,
    data: Fields,
    { id = this.newId(), deadlineMs }: { id?: RequestId | undefined; deadlineMs: number },
  ): Promise<Fields> {
    const refusal = this.#closed ? closedError() : tooLarge(data);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        id,
        service,
        data,
        deadlineMs: now().steadyMs + deadlineMs,
        tries: 0,
        notBeforeMs: 0,
        lastError: undefined,
        resolve,
        reject,
      };
      this.#pending.set(id, pending);
      this.#ready.push(pending);
      // What is asked in the same turn of the loop goes out together.
      if (!this.#sending) queueMicrotask(() => void this.#pump());
    });
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#sweeper);
    this.#pipe.close();
    for (const pending of [...this.#pending.values()]) {
      this.#settle(pending)?.reject(closedError());
    }
  }

  async #pump(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.#ready.length > 0 && this.#sent.size < openPayloads) {
        const requests = this.#gather();
        if (requests.length === 0) continue;
        this.#note(requests);
        await this.#pipe.send(this.#encode(requests));
      }
    } catch {
      // The socket was closed; whoever waits is told by close().
    } finally {
      this.#sending = false;
    }
  }

  #gather(): Pending[] {
    const requests: Pending[] = [];
    const around = envelopeBytes + vectorEntryBytes * servers(this.#options.seen).length;
    let room: number = limits.batchBytes;
    let taken = 0;
    for (const pending of this.#ready) {
      const bytes = around + textBytes(pending.data);
      const full = requests.length === limits.batchRequests || bytes > room;
      if (full && requests.length > 0) break;
      taken += 1;
      if (!this.#pending.has(pending.id)) continue;
      requests.push(pending);
      room -= bytes;
    }
    this.#ready = taken === this.#ready.length ? [] : this.#ready.slice(taken);
    return requests;
  }

  #note(requests: readonly Pending[]): void {
    const tries = Math.max(...requests.map((pending) => pending.tries));
    const patienceMs = Math.min(firstTimeoutMs * 1.5 ** tries, longestTimeoutMs);
    const ids = new Set(requests.map(({ id }) => id));
    const payload: SentPayload = { ids, lostMs: now().steadyMs + patienceMs };
    this.#sent.add(payload);
    for (const pending of requests) {
      pending.tries += 1;
      if (pending.tries > 1) this.retried += 1;
      this.#payloadOf.set(pending.id, payload);
    }
  }

  #encode(requests: readonly Pending[]): Uint8Array {
    const clock = this.#options.clock.tick();
    const timestamp = isoTime(now().wallMs);
    const { seen } = this.#options;
    // Who has seen nothing yet is served as one who does not say: another command of the same
    // person may have written a moment ago, by a server other than the one that answers (R9).
    const after = servers(seen).length === 0 ? undefined : seen;
    const token = this.#options.token();
    const maps = requests.map(({ service, id, data }) => {
      return { service, data: { ...data, id, clock, timestamp, after, token } };
    });
    return encode(maps.length === 1 ? maps[0] : maps);
  }

  #receive(payload: Buffer): void {
    let value: unknown;
    try {
      value = decode(payload);
    } catch {
      return;
    }
    let clock = 0;
    for (const reply of Array.isArray(value) ? value : [value]) {
      const data = isMap(reply) && isMap(reply.data) ? reply.data : undefined;
      if (data === undefined) continue;
      clock = Math.max(clock, parseClock(data.clock) ?? 0);
      const pending = this.#pending.get(data.id as RequestId);
      if (pending !== undefined) this.#answer(pending, data);
    }
    this.#options.clock.receive(clock);
    // Whoever answers is there, whatever the count of connections says.
    this.#tell("connected");
    if (this.#ready.length > 0) void this.#pump();
  }

  #answer(pending: Pending, data: Fields): void {
    if (data.status !== "erro") {
      if (typeof data.token === "string") this.#options.onToken(data.token);
      this.#settle(pending)?.resolve(data);
      return;
    }
    const error = readError(data);
    const restMs = 1_000 * (error.wait ?? 0);
    const isTooLate = now().steadyMs + restMs >= pending.deadlineMs;
    if (data.retry !== true || isTooLate) {
      this.#settle(pending)?.reject(error);
      return;
    }
    pending.lastError = error;
    this.#rest(pending, restMs);
  }

  /** Waits a while, by chance a little longer or shorter, and sends it again. */
  #rest(pending: Pending, leastMs = 0): void {
    this.#leavePayload(pending.id);
    const restMs = Math.min(firstRestMs * 2 ** (pending.tries - 1), longestRestMs);
    pending.notBeforeMs = now().steadyMs + leastMs + restMs * (0.5 + this.#random());
    this.#resting.add(pending);
  }

  #sweep(): void {
    const { steadyMs } = now();
    for (const payload of this.#sent) {
      if (steadyMs < payload.lostMs) continue;
      for (const id of [...payload.ids]) {
        const pending = this.#pending.get(id);
        if (pending !== undefined) this.#rest(pending);
      }
      this.#sent.delete(payload);
    }
    for (const pending of this.#resting) {
      if (steadyMs < pending.notBeforeMs) continue;
      this.#resting.delete(pending);
      this.#ready.push(pending);
    }
    this.#giveUp(steadyMs);
    if (this.#ready.length > 0) void this.#pump();
  }

  #giveUp(steadyMs: number): void {
    if (this.#state === "reconnecting" && steadyMs - this.#lostMs > giveUpMs) {
      this.#tell("gave up");
    }
    const isHopeless = this.#state === "gave up" || isFinal(this.refusal);
    for (const pending of this.#pending.values()) {
      if (steadyMs < pending.deadlineMs && !isHopeless) continue;
      const reason = this.#state === "connected" ? "No server answered in time." : this.#absence;
      this.#settle(pending)?.reject(pending.lastError ?? new ProtocolError("unavailable", reason));
    }
  }

  get #absence(): string {
    const where = addressesOf(this.#options.brokers);
    if (this.refusal === undefined) return `No broker can be reached at ${where}.`;
    return `The broker at ${where} does not take the connection: ${refusalText[this.refusal]}.`;
  }

  #settle(pending: Pending): Pending | undefined {
    if (!this.#pending.delete(pending.id)) return undefined;
    this.#resting.delete(pending);
    this.#leavePayload(pending.id);
    return pending;
  }

  #leavePayload(id: RequestId): void {
    const payload = this.#payloadOf.get(id);
    if (payload === undefined) return;
    this.#payloadOf.delete(id);
    payload.ids.delete(id);
    if (payload.ids.size === 0) this.#sent.delete(payload);
  }

  #connections(count: number): void {
    if (count > 0) this.#tell("connected");
    else if (this.#state === "connected") {
      this.#lostMs = now().steadyMs;
      this.#tell("reconnecting");
    }
  }

  #tell(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState(state);
  }
}

function textBytes(data: Fields): number {
  return typeof data.message === "string" ? 4 * data.message.length : 0;
}
