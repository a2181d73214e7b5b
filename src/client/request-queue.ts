import type { Refusal } from "../net/connection-refusal.ts";
import {
  RequestPipe,
  type RequestPipeEvents,
  type RequestPipeOptions,
} from "../net/request-pipe.ts";
import { now } from "../platform/clock.ts";
import { type Random, random } from "../platform/random.ts";
import type { Service } from "../protocol/client-messages.ts";
import type { ProtocolError } from "../protocol/errors.ts";
import type { Fields } from "../protocol/fields.ts";
import type { RequestId } from "../protocol/ids.ts";
import { type LamportClock, parseClock } from "../protocol/lamport-clock.ts";
import { parseError } from "../protocol/parse-reply.ts";
import type { Reply } from "../protocol/replies.ts";
import type { RequestData } from "../protocol/request-data.ts";
import { checkCall } from "./check-call.ts";
import {
  type ConnectionEvents,
  type ConnectionState,
  ConnectionWatch,
} from "./connection-watch.ts";
import { decodeReplies } from "./decode-replies.ts";
import {
  isList,
  isOriginalService,
  OriginalServerError,
  readOriginalReply,
  readReply,
} from "./original-server.ts";
import {
  idMaker,
  nobody,
  numbered,
  type Pending,
  PendingRequests,
  type QueueAsker,
  takeSlot,
  takeToken,
  untried,
} from "./pending-requests.ts";
import { encodeRequests, fitting } from "./request-bytes.ts";
import {
  absenceError,
  askedAgainError,
  closedError,
  silenceError,
  tooLarge,
} from "./request-errors.ts";
import { RequestPlaces } from "./request-places.ts";

export interface RequestQueueOptions extends ConnectionEvents, RequestPipeOptions {
  readonly brokers: readonly string[];
  readonly clock: LamportClock;
}

export interface AskOptions {
  readonly asker: QueueAsker;
  readonly id?: RequestId | undefined;
  readonly consistency?: "now" | undefined;
  readonly deadlineMs: number;
}

export interface RequestQueuePorts {
  readonly chance?: Random;
  /** Opens the connection to the brokers. */
  readonly openPipe?: (events: RequestPipeEvents) => Pick<RequestPipe, "send" | "close">;
}

/**
 * The largest number of payloads that may wait for an answer at once; enough to keep several
 * servers busy.
 */
const openPayloads = 4;
/** The most requests in a payload; more would keep one server busy while the others wait. */
const payloadRequests = 128;
/**
 * How long a request's first try waits for an answer. Each further try waits 1.5 times as long as
 * the one before, at most `longestTimeoutMs`.
 */
const firstTimeoutMs = 1_200;
const longestTimeoutMs = 5_000;
const firstRestMs = 50;
const longestRestMs = 1_000;
/** Late replies to a request may arrive for this long after the request has ended. */
const lateMs = 5_000;
const sweepMs = 25;

/**
 * Sends the requests of all sessions over one connection. While `openPayloads` payloads are
 * unanswered, new requests wait, and are then sent together as an array (C1). If a request gets no
 * timely answer, or an error with `retry`, it is resent with its id until its deadline (C2).
 */
export class RequestQueue {
  readonly #options: RequestQueueOptions;
  readonly #pipe: Pick<RequestPipe, "send" | "close">;
  readonly #random: Random;
  readonly newId = idMaker();
  readonly #pending = new PendingRequests();
  /** Closed sessions, whose new requests fail. */
  readonly #left = new WeakSet<QueueAsker>();
  readonly #places = new RequestPlaces<Pending>();
  readonly #sweeper: NodeJS.Timeout;
  #sending = false;
  #closed = false;
  readonly #watch: ConnectionWatch;
  /** The kind of the servers that have replied: this project's, or of the original protocol. */
  #servers: "unknown" | "ours" | "original" = "unknown";
  #isProbing = false;
  /**
   * Whether a payload has timed out. A reply without an id may then be a late reply to that
   * payload.
   */
  #hasLost = false;
  /** Number of retries, of all requests together. */
  retried = 0;

  constructor(options: RequestQueueOptions, ports: RequestQueuePorts = {}) {
    this.#options = options;
    this.#watch = new ConnectionWatch(options);
    this.#random = ports.chance ?? random;
    const events = {
      onPayload: (payload: Buffer) => this.#receive(payload),
      onConnections: (count: number) => this.#connections(count),
      onRefusal: (refusal: Refusal) => this.#watch.refused(refusal),
      onRetry: (inMs: number) => this.#watch.retries(inMs),
    };
    this.#pipe = ports.openPipe?.(events) ?? new RequestPipe(options.brokers, events, options);
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
  }

  get state(): ConnectionState {
    return this.#watch.state;
  }

  /** Why a broker refused the connection; undefined while connected or if no broker refused. */
  get refusal(): Refusal | undefined {
    return this.#watch.refusal;
  }

  get open(): number {
    return this.#pending.size;
  }

  /**
   * @param id if an open request of the session has this id, the new request replaces that request
   * @param deadlineMs milliseconds after which the request fails
   * @throws ProtocolError with the server's code, or `unavailable` at the deadline
   * @throws TypeError that names a wrong argument
   */
  async ask<S extends Service>(
    service: S,
    data: RequestData[S],
    { asker, id = this.newId(), consistency, deadlineMs }: AskOptions,
  ): Promise<Reply<S>> {
    checkCall(service, data, id);
    if (this.#closed) throw closedError("connection");
    if (this.#left.has(asker)) throw closedError("session");
    const refusal = tooLarge(data);
    if (refusal !== undefined) throw refusal;
    const reply = await new Promise<Fields>((resolve, reject) => {
      const pending: Pending = {
        ...{ id, asker, service, data, consistency, resolve, reject },
        operation: numbered(service, asker),
        deadlineMs: now().steadyMs + deadlineMs,
        ...untried,
      };
      const earlier = this.#pending.get(pending);
      if (earlier !== undefined) this.#settle(earlier)?.reject(askedAgainError());
      this.#pending.add(pending);
      this.#places.makeReady(pending);
      // Requests of the same turn of the event loop are sent together.
      if (!this.#sending) queueMicrotask(() => void this.#pump());
    });
    return readReply(service, reply);
  }

  /** Ends a session. Its open requests fail, and new requests are refused. */
  leave(asker: QueueAsker): void {
    this.#left.add(asker);
    for (const pending of this.#pending.of(asker)) {
      this.#settle(pending)?.reject(closedError("session"));
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#sweeper);
    this.#pipe.close();
    for (const pending of [...this.#pending]) {
      this.#settle(pending)?.reject(closedError("connection"));
    }
  }

  async #pump(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      const places = this.#places;
      while (places.ready.size > 0 && places.payloads < this.#mostPayloads) {
        const most = this.#servers === "ours" ? payloadRequests : 1;
        const requests = fitting(this.#inOrder(), most);
        if (requests.length === 0) return;
        this.#note(requests);
        await this.#pipe.send(encodeRequests(requests, this.#options.clock));
      }
    } catch {
      // The socket was closed; `close` rejects the open requests.
    } finally {
      this.#sending = false;
    }
  }

  /**
   * The most payloads that may wait for an answer at once. Only this project's servers know arrays
   * and ids, so all other servers, and servers of unknown kind, get one request at a time.
   */
  get #mostPayloads(): number {
    return this.#servers === "ours" ? openPayloads : 1;
  }

  /**
   * Yields the ready requests. While requests are held, `users` and `channels` come first, because
   * their replies show which protocol the servers speak (C8). These are then yielded twice, and
   * `fitting` skips the second time.
   */
  *#inOrder(): Generator<Pending> {
    const { held, ready } = this.#places;
    const lists = held.size === 0 ? [] : [...ready].filter(({ service }) => isList(service));
    for (const requests of [lists, ready]) {
      for (const pending of requests) if (this.#pending.maySend(pending)) yield pending;
    }
  }

  #note(requests: readonly Pending[]): void {
    const tries = Math.max(...requests.map((pending) => pending.tries));
    const patienceMs = Math.min(firstTimeoutMs * 1.5 ** tries, longestTimeoutMs);
    this.#places.send(requests, now().steadyMs + patienceMs);
    for (const pending of requests) {
      this.#pending.send(pending);
      pending.token = pending.asker.token;
      pending.tries += 1;
      if (pending.tries > 1) this.retried += 1;
    }
  }

  #receive(payload: Buffer): void {
    const { clock } = this.#options;
    let highest = 0;
    for (const { service, data } of decodeReplies(payload)) {
      const answered = this.#answered(service, data);
      const theirClock = parseClock(data.clock) ?? 0;
      // Only replies of this project's servers have the field `server` (W6).
      if (typeof data.server === "string") {
        highest = Math.max(highest, theirClock);
        this.#servers = "ours";
      } else clock.receiveFromAnyone(theirClock);
      for (const pending of answered) this.#answer(pending, data);
    }
    clock.receive(highest);
    // A reply proves that a broker is connected, even if no connection was reported.
    this.#watch.connected();
    if (this.#places.ready.size > 0) void this.#pump();
  }

  /**
   * @returns the requests that a reply answers. A reply without an id is ignored if several
   * unanswered payloads, or none, match it.
   */
  #answered(service: unknown, data: Fields): readonly Pending[] {
    const named = this.#pending.sent(data.id as RequestId);
    if (named !== undefined) return [named];
    if (typeof data.id === "string" && typeof data.server === "string") return [];
    const isSure = this.#servers !== "ours" && !this.#hasLost;
    const fitting = this.#places.unanswered.filter(
      (requests) => isSure || requests.some((one) => one.service === service),
    );
    return fitting.length === 1 ? (fitting[0] ?? []) : [];
  }

  #answer(pending: Pending, data: Fields): void {
    pending.answers += 1;
    if (typeof data.server !== "string") return this.#answerFromOriginal(pending, data);
    const slot = parseClock(data.slot);
    if (slot !== undefined) takeSlot(pending, slot);
    if (data.status !== "erro") {
      if (typeof data.token === "string") takeToken(pending, data.token);
      this.#settle(pending)?.resolve(data);
      return;
    }
    const error = parseError(data);
    const restMs = 1_000 * (error.wait ?? 0);
    const isTooLate = now().steadyMs + restMs >= pending.deadlineMs;
    // People behind a gateway wait themselves, because waiting for them would hold requests (X9).
    const isTooOften = error.code === "rate_limited" && pending.asker.via !== undefined;
    if (data.retry !== true || isTooLate || isTooOften) {
      return void this.#settle(pending)?.reject(error);
    }
    pending.lastError = error;
    this.#rest(pending, restMs);
  }

  /**
   * Ends a request when a server of the original protocol has answered, whatever the answer says.
   */
  #answerFromOriginal(pending: Pending, data: Fields): void {
    this.#servers = "original";
    const answer = readOriginalReply(pending.service, data);
    if (answer instanceof OriginalServerError) this.#settle(pending)?.reject(answer);
    else this.#settle(pending)?.resolve(answer);
  }

  /** Resends a request after a random rest of at least `leastMs`. */
  #rest(pending: Pending, leastMs = 0): void {
    const restMs = Math.min(firstRestMs * 2 ** (pending.tries - 1), longestRestMs);
    const untilMs = now().steadyMs + leastMs + restMs * (0.5 + this.#random());
    this.#places.rest(pending, untilMs);
  }

  #sweep(): void {
    const { steadyMs } = now();
    // A server of the original protocol knows no ids, and would execute a repeated request twice.
    // So once the servers are known to speak the original protocol, no request counts as lost.
    const lost = this.#servers === "original" ? [] : this.#places.takeLost(steadyMs);
    for (const pending of lost) this.#lose(pending);
    this.#probe();
    this.#places.wake(steadyMs);
    this.#pending.releaseIds(steadyMs);
    this.#giveUp(steadyMs);
    if (this.#places.ready.size > 0) void this.#pump();
  }

  #lose(pending: Pending): void {
    this.#hasLost = true;
    if (this.#servers === "ours" || isList(pending.service)) this.#rest(pending);
    else this.#places.hold(pending);
  }

  /**
   * Requests `channels` to learn which protocol the servers speak: only this project's servers may
   * get the held requests a second time. Every server knows `channels`, and repeating this request
   * changes nothing.
   */
  #probe(): void {
    const { held } = this.#places;
    if (this.#servers === "ours") for (const pending of held) this.#rest(pending);
    if (this.#servers !== "unknown" || held.size === 0 || this.#isProbing) return;
    this.#isProbing = true;
    this.ask("channels", { limit: 1 }, { asker: nobody, deadlineMs: longestTimeoutMs })
      .catch(() => {})
      .finally(() => {
        this.#isProbing = false;
      });
  }

  #giveUp(steadyMs: number): void {
    this.#watch.advance(steadyMs);
    const { isHopeless } = this.#watch;
    for (const pending of this.#pending) {
      const isLacking = this.#servers === "original" && !isOriginalService(pending.service);
      if (steadyMs < pending.deadlineMs && !isHopeless && !isLacking) continue;
      this.#settle(pending)?.reject(pending.lastError ?? this.#silence(pending));
    }
  }

  #silence({ service }: Pending): ProtocolError {
    if (this.#servers === "original") {
      return new OriginalServerError(isOriginalService(service) ? "silent" : "noService", service);
    }
    const isConnected = this.state === "connected";
    return isConnected ? silenceError() : absenceError(this.#options.brokers, this.refusal);
  }

  #settle(pending: Pending) {
    const ending = this.#pending.delete(pending);
    if (ending === undefined) return undefined;
    this.#places.leave(pending);
    if (pending.tries > pending.answers) this.#pending.keepId(pending, now().steadyMs + lateMs);
    return ending;
  }

  #connections(count: number): void {
    if (count > 0) return this.#watch.connected();
    if (this.state !== "connected") return;
    // `original` stays: a server of the original protocol may have executed an unanswered request,
    // so nothing may be resent.
    if (this.#servers === "ours") this.#servers = "unknown";
    this.#watch.lost();
  }
}
