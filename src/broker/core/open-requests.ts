import assert from "node:assert";
import { limits, tagBytes } from "../../protocol/limits.ts";

const nameBytes = tagBytes / 2;

/** The connection of a client. */
export interface Client {
  /** 8 bytes that no other connection ever has. */
  readonly name: Buffer;
}

/** A request without an answer. */
export interface OpenRequest {
  readonly client: Client;
  readonly bytes: number;
  /** Steady time. */
  readonly atMs: number;
}

interface Handed<Request, Worker> {
  readonly request: Request;
  readonly worker: Worker;
}

interface Load {
  requests: number;
  bytes: number;
}

/**
 * The requests that wait for a worker, and those that were handed to one. A reply counts once, if
 * it has the whole tag of an open request and comes from the worker that this request was handed to
 * (B3). Replies owed to an earlier process of this broker, or to a connection that is gone, fit no
 * open request.
 */
export class OpenRequests<Request extends OpenRequest, Worker extends object> {
  /** In the order in which they came. */
  readonly #waiting = new Set<Request>();
  readonly #handed = new Map<number, Handed<Request, Worker>>();
  readonly #ofWorker = new Map<Worker, Set<number>>();
  readonly #ofClient = new Map<Client, Load>();
  readonly #all: Load = { requests: 0, bytes: 0 };
  #last = 0;

  /**
   * Adds a request, which waits for a worker.
   * @returns false if there is no room (B5)
   */
  take(request: Request): boolean {
    const { requests, bytes } = this.#all;
    if (requests >= limits.openRequestsOfAll) return false;
    if (bytes + request.bytes > limits.openRequestBytesOfAll) return false;
    const load = this.#ofClient.get(request.client) ?? { requests: 0, bytes: 0 };
    this.#ofClient.set(request.client, load);
    add(load, request.bytes);
    add(this.#all, request.bytes);
    this.#waiting.add(request);
    return true;
  }

  /** Requests that wait, the oldest first. They may be handed on during the iteration. */
  get waiting(): Iterable<Request> {
    return this.#waiting;
  }

  /** @returns the tag to put in front of what the worker is sent */
  hand(request: Request, worker: Worker): Buffer {
    this.#waiting.delete(request);
    this.#last += 1;
    this.#handed.set(this.#last, { request, worker });
    const numbers = this.#ofWorker.get(worker) ?? new Set();
    this.#ofWorker.set(worker, numbers.add(this.#last));
    const tag = Buffer.allocUnsafe(tagBytes);
    request.client.name.copy(tag);
    tag.writeUInt32BE(Math.floor(this.#last / 2 ** 32), nameBytes);
    tag.writeUInt32BE(this.#last % 2 ** 32, nameBytes + 4);
    return tag;
  }

  /** @returns the request that a reply with this tag answers; undefined if there is none */
  close(worker: Worker, tag: Buffer): Request | undefined {
    if (tag.length !== tagBytes) return undefined;
    const number = tag.readUInt32BE(nameBytes) * 2 ** 32 + tag.readUInt32BE(nameBytes + 4);
    const handed = this.#handed.get(number);
    if (handed === undefined || handed.worker !== worker) return undefined;
    const { request } = handed;
    if (tag.compare(request.client.name, 0, nameBytes, 0, nameBytes) !== 0) return undefined;
    this.#forget(number, handed);
    return request;
  }

  /** Takes out the requests that came before that time. */
  expire(beforeMs: number): Request[] {
    const expired: Request[] = [];
    for (const [number, handed] of this.#handed) {
      if (handed.request.atMs >= beforeMs) continue;
      expired.push(handed.request);
      this.#forget(number, handed);
    }
    for (const request of this.#waiting) {
      if (request.atMs >= beforeMs) continue;
      expired.push(request);
      this.#drop(request);
    }
    return expired;
  }

  /** Takes out the requests that the worker was handed. */
  workerGone(worker: Worker): Request[] {
    const open: Request[] = [];
    for (const number of this.#ofWorker.get(worker) ?? []) {
      const handed = this.#handed.get(number);
      assert(handed !== undefined, "a worker has only requests that are open");
      open.push(handed.request);
      this.#forget(number, handed);
    }
    this.#ofWorker.delete(worker);
    return open;
  }

  /** Drops the client's requests that wait; those that a worker has may still be answered. */
  clientGone(client: Client): void {
    if (this.#waiting.size === 0 || !this.#ofClient.has(client)) return;
    for (const request of this.#waiting) if (request.client === client) this.#drop(request);
  }

  /** What a client has open, as a share of its bound. */
  loadOf(client: Client): number {
    const { requests, bytes } = this.#ofClient.get(client) ?? { requests: 0, bytes: 0 };
    return Math.max(requests / limits.openRequests, bytes / limits.openRequestBytes);
  }

  /** Whether nothing is kept, of any client. */
  get isEmpty(): boolean {
    return this.#ofClient.size + this.#all.requests + this.#all.bytes === 0;
  }

  #drop(request: Request): void {
    this.#waiting.delete(request);
    this.#unload(request);
  }

  #forget(number: number, { request, worker }: Handed<Request, Worker>): void {
    this.#handed.delete(number);
    this.#ofWorker.get(worker)?.delete(number);
    this.#unload(request);
  }

  #unload({ client, bytes }: Request): void {
    remove(this.#all, bytes);
    const load = this.#ofClient.get(client);
    if (load === undefined) return;
    remove(load, bytes);
    if (load.requests === 0) this.#ofClient.delete(client);
  }
}

function add(load: Load, bytes: number): void {
  load.requests += 1;
  load.bytes += bytes;
}

function remove(load: Load, bytes: number): void {
  load.requests -= 1;
  load.bytes -= bytes;
}
