import type { Service } from "../protocol/client-messages.ts";
import type { ProtocolError } from "../protocol/errors.ts";
import type { Fields } from "../protocol/fields.ts";
import type { RequestId } from "../protocol/ids.ts";
import type { RequestData } from "../protocol/request-data.ts";
import { emptyVector } from "../protocol/vector.ts";
import type { Asker } from "./request-bytes.ts";

/** A session, as the queue knows it. */
export interface QueueAsker extends Asker {
  /** A server gave a token: by a login, or since the present one grows old. */
  takeToken(token: string): void;
}

/** Asks for the connection itself. */
export const nobody: QueueAsker = { seen: emptyVector, token: undefined, takeToken: () => {} };

export interface Pending {
  readonly id: RequestId;
  readonly asker: QueueAsker;
  readonly service: Service;
  readonly data: RequestData[Service];
  readonly deadlineMs: number;
  /** What it was sent with last. */
  token: string | undefined;
  tries: number;
  lastError: ProtocolError | undefined;
  resolve(reply: Fields): void;
  reject(error: ProtocolError): void;
}

/**
 * Requests without an answer, by whose they are and by id. Two askers may use the same id (R6): as a
 * reply is known by its id alone, only one of their requests is on its way at a time.
 */
export class PendingRequests {
  readonly #byAsker = new Map<QueueAsker, Map<RequestId, Pending>>();
  /** Sent once at least. */
  readonly #sent = new Map<RequestId, Pending>();

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

  /** The request that a reply with this id answers. */
  sent(id: RequestId): Pending | undefined {
    return this.#sent.get(id);
  }

  add(request: Pending): void {
    const { asker, id } = request;
    const requests = this.#byAsker.get(asker) ?? new Map<RequestId, Pending>();
    this.#byAsker.set(asker, requests.set(id, request));
  }

  /** Whether no request of another asker is on its way under this id. */
  maySend(request: Pending): boolean {
    return (this.#sent.get(request.id) ?? request) === request;
  }

  send(request: Pending): void {
    this.#sent.set(request.id, request);
  }

  /** @returns false if it was answered, or another took its place */
  delete(request: Pending): boolean {
    const { asker, id } = request;
    const requests = this.#byAsker.get(asker);
    if (requests?.get(id) !== request) return false;
    requests.delete(id);
    if (requests.size === 0) this.#byAsker.delete(asker);
    if (this.#sent.get(id) === request) this.#sent.delete(id);
    return true;
  }
}
