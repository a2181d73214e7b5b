import { randomHex } from "../platform/random.ts";
import type { Service } from "../protocol/client-messages.ts";
import type { ProtocolError } from "../protocol/errors.ts";
import type { Fields } from "../protocol/fields.ts";
import type { RequestId } from "../protocol/ids.ts";
import { limits } from "../protocol/limits.ts";
import type { RequestData } from "../protocol/request-data.ts";
import { type MutableVector, raise, slotKey } from "../protocol/vector.ts";
import type { Asker } from "./request-bytes.ts";

/** The operations of a session that a program may ask for again, with the id that it gave. */
const mostFirstSlots = 256;

/** The part of a session that the queue uses. */
export interface QueueAsker extends Asker {
  readonly seen: MutableVector;
  /** The number of operations that the session has asked for. */
  operations?: number;
  /** The highest slot in the replies to the session, errors too (D9). */
  slot?: number | undefined;
  /** For the ids of the last operations, the slot that the session knew when they were first sent. */
  firstSlots?: Map<RequestId, number>;
  /** Called with the token of a login, or with a token that renews the session's token. */
  takeToken(token: string): void;
}

/** The asker of the connection's own requests. */
export const nobody: QueueAsker = { seen: {}, token: undefined, takeToken: () => {} };

export interface Pending {
  readonly id: RequestId;
  readonly asker: QueueAsker;
  readonly service: Service;
  readonly data: RequestData[Service];
  /**
   * If the request is an operation: its number among its asker's operations, and the slot that its
   * asker knew when it was first sent, for all tries (D9).
   */
  readonly operation?: { readonly number: number; sinceSlot?: number | undefined } | undefined;
  readonly consistency?: "now" | undefined;
  readonly deadlineMs: number;
  /** The token with which the request was sent last. */
  token: string | undefined;
  tries: number;
  /** Number of tries that were answered. */
  answers: number;
  lastError: ProtocolError | undefined;
  resolve(reply: Fields): void;
  reject(error: ProtocolError): void;
}

/** What is known of a request that was never sent. */
export const untried = { token: undefined, tries: 0, answers: 0, lastError: undefined };

/** The functions that end the promise of a request. */
type Ending = Pick<Pending, "resolve" | "reject">;

/**
 * Unanswered requests by asker and id. Two askers may use the same id (R6), but a reply does not
 * name its asker. So a request is not sent while another asker's request with the same id may get a
 * reply.
 */
export class PendingRequests {
  readonly #byAsker = new Map<QueueAsker, Map<RequestId, Pending>>();
  /** Requests that were sent at least once. */
  readonly #sent = new Map<RequestId, Pending>();
  /**
   * Ids of ended requests with an unanswered try. A late reply may arrive until the steady time
   * `untilMs`.
   */
  readonly #late = new Map<RequestId, { readonly asker: QueueAsker; readonly untilMs: number }>();

  get size(): number {
    let size = 0;
    for (const requests of this.#byAsker.values()) size += requests.size;
    return size;
  }

  *[Symbol.iterator](): Iterator<Pending> {
    for (const requests of this.#byAsker.values()) yield* requests.values();
  }

  of(asker: QueueAsker): Pending[] {
    return [...(this.#byAsker.get(asker)?.values() ?? [])];
  }

  get({ asker, id }: Pending): Pending | undefined {
    return this.#byAsker.get(asker)?.get(id);
  }

  /** Returns the sent request that has this id, so that its reply can be matched. */
  sent(id: RequestId): Pending | undefined {
    return this.#sent.get(id);
  }

  add(request: Pending): void {
    const { asker, id } = request;
    const requests = this.#byAsker.get(asker) ?? new Map<RequestId, Pending>();
    this.#byAsker.set(asker, requests.set(id, request));
  }

  /**
   * @returns whether no reply to another asker's request with this id is expected, and the request is
   * not too far ahead of its asker's oldest undecided operation (D9)
   */
  maySend(request: Pending): boolean {
    const { asker } = this.#late.get(request.id) ?? request;
    if (this.#isTooFarAhead(request)) return false;
    return asker === request.asker && (this.#sent.get(request.id) ?? request) === request;
  }

  #isTooFarAhead({ asker, operation }: Pending): boolean {
    if (operation === undefined) return false;
    const oldest = this.of(asker).find((other) => other.operation !== undefined)?.operation;
    return operation.number > (oldest?.number ?? 0) + limits.operationsAhead;
  }

  /** Reserves the id of an ended request for its asker until the steady time `untilMs`. */
  keepId({ id, asker }: Pending, untilMs: number): void {
    this.#late.set(id, { asker, untilMs });
  }

  /** Releases each reserved id whose `untilMs` has passed. */
  releaseIds(steadyMs: number): void {
    for (const [id, { untilMs }] of this.#late) if (steadyMs >= untilMs) this.#late.delete(id);
  }

  send(request: Pending): void {
    this.#sent.set(request.id, request);
    const { id, operation, asker, tries } = request;
    if (operation !== undefined && tries === 0) operation.sinceSlot = firstSlot(asker, id);
  }

  /**
   * Removes a request and takes its functions, which hold the reply: V8 may keep a former table of
   * a growing map, and the ended requests in this table, until the next full garbage collection.
   * @returns undefined if the request is no longer among the unanswered ones
   */
  delete(request: Pending): Ending | undefined {
    const { asker, id, resolve, reject } = request;
    const requests = this.#byAsker.get(asker);
    if (requests?.get(id) !== request) return undefined;
    requests.delete(id);
    if (requests.size === 0) this.#byAsker.delete(asker);
    if (this.#sent.get(id) === request) this.#sent.delete(id);
    request.resolve = () => {};
    request.reject = () => {};
    return { resolve, reject };
  }
}

/**
 * Returns a function that makes ids. Their first part is random, so no other process makes the same
 * ids (W17).
 */
export function idMaker(): () => RequestId {
  const prefix = randomHex(8);
  let next = 0;
  return () => {
    next += 1;
    return `${prefix}-${next.toString(36)}` as RequestId;
  };
}

const operations: readonly Service[] = [
  ...(["register", "password", "account", "registration"] as const),
  ...(["buy", "offer", "trade", "deck", "supply"] as const),
  ...(["matchBegin", "matchTerm", "matchEnd", "matchVoid"] as const),
];

/** Whether the log of decisions decides the requests of a service. */
export function isOperation(service: Service): boolean {
  return operations.includes(service);
}

/** Numbers an operation among those of its asker (D9). */
export function numbered(service: Service, asker: QueueAsker): Pending["operation"] {
  if (!isOperation(service)) return undefined;
  asker.operations = (asker.operations ?? 0) + 1;
  return { number: asker.operations };
}

/** Services whose reply contains the token of a new session. */
const beginnings: readonly Service[] = ["login", "password"];

/**
 * Passes a received token to the session. Drops a renewed token if the session's token has changed
 * since the request was sent.
 */
export function takeToken({ service, asker, token: sentWith }: Pending, token: string): void {
  if (beginnings.includes(service) || asker.token === sentWith) asker.takeToken(token);
}

/**
 * Returns the slot that the session knew when it first sent an operation with this id, also if a
 * program asks for it again: with a later slot it could be done twice (D9).
 */
function firstSlot(asker: QueueAsker, id: RequestId): number | undefined {
  const { slot } = asker;
  asker.firstSlots ??= new Map();
  const first = asker.firstSlots.get(id);
  if (first !== undefined || slot === undefined) return first;
  asker.firstSlots.set(id, slot);
  const [oldest] = asker.firstSlots.keys();
  if (asker.firstSlots.size > mostFirstSlots) asker.firstSlots.delete(oldest as RequestId);
  return slot;
}

/**
 * Notes the slot in a reply. After an operation or a log-in, the session's next request must be
 * answered by a server that has the account, or the change (D8). A refusal counts too: `name_taken`
 * says that there is an account.
 */
export function takeSlot({ service, asker }: Pending, slot: number): void {
  asker.slot = Math.max(asker.slot ?? 0, slot);
  if (isOperation(service) || service === "login") raise(asker.seen, { [slotKey]: slot });
}
