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

interface Open<Request, Worker> {
  readonly request: Request;
  /** Undefined while the request waits. */
  worker: Worker | undefined;
}

interface Load {
  requests: number;
  bytes: number;
}

/**
 * The requests that wait for a worker, and those that a worker has. A reply counts once, if it has
 * the whole tag of an open request and comes from the worker that has this request (B3). A reply to
 * an earlier process of this broker, or to a connection that is gone, fits no open request.
 */
export class OpenRequests<Request extends OpenRequest, Worker extends object> {
  /** By number, in the order of arrival. */
  readonly #open = new Map<number, Open<Request, Worker>>();
  /** The numbers of those that wait, in the same order. */
  readonly #waiting = new Map<Request, number>();
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
    this.#last += 1;
    this.#open.set(this.#last, { request, worker: undefined });
    this.#waiting.set(request, this.#last);
    this.#count(request, 1);
    return true;
  }

  /** Requests that wait, the oldest first. They may be handed on during the iteration. */
  get waiting(): Iterable<Request> {
    return this.#waiting.keys();
  }

  /** @returns the tag in front of the request on its way to the worker */
  hand(request: Request, worker: Worker): Buffer {
    const number = this.#waiting.get(request) ?? 0;
    this.#waiting.delete(request);
    const open = this.#open.get(number);
    if (open !== undefined) open.worker = worker;
    const tag = Buffer.allocUnsafe(tagBytes);
    request.client.name.copy(tag);
    tag.writeBigUInt64BE(BigInt(number), nameBytes);
    return tag;
  }

  /** @returns the request that a reply with this tag answers; undefined if there is none */
  close(worker: Worker, tag: Buffer): Request | undefined {
    if (tag.length !== tagBytes) return undefined;
    const number = Number(tag.readBigUInt64BE(nameBytes));
    const open = this.#open.get(number);
    if (open === undefined || open.worker !== worker) return undefined;
    const { request } = open;
    if (tag.compare(request.client.name, 0, nameBytes, 0, nameBytes) !== 0) return undefined;
    return this.#remove(number, request);
  }

  /** Takes out the requests that arrived before that time. */
  expire(beforeMs: number): Request[] {
    return this.#removeWhere(({ request }) => request.atMs < beforeMs);
  }

  /** Takes out the requests that the worker has. */
  workerGone(gone: Worker): Request[] {
    return this.#removeWhere(({ worker }) => worker === gone);
  }

  /** Drops the client's requests that wait; those that a worker has may still be answered. */
  clientGone(client: Client): void {
    if (this.#waiting.size === 0 || !this.#ofClient.has(client)) return;
    for (const [request, number] of this.#waiting) {
      if (request.client === client) this.#remove(number, request);
    }
  }

  /** A client's open requests, as a share of its bound. */
  loadOf(client: Client): number {
    const { requests, bytes } = this.#ofClient.get(client) ?? { requests: 0, bytes: 0 };
    return Math.max(requests / limits.openRequests, bytes / limits.openRequestBytes);
  }

  /** Whether nothing is kept of any client. */
  get isEmpty(): boolean {
    return this.#open.size + this.#waiting.size + this.#ofClient.size + this.#all.bytes === 0;
  }

  #removeWhere(isTaken: (open: Open<Request, Worker>) => boolean): Request[] {
    const taken: Request[] = [];
    for (const [number, open] of this.#open) {
      if (isTaken(open)) taken.push(this.#remove(number, open.request));
    }
    return taken;
  }

  #remove(number: number, request: Request): Request {
    this.#open.delete(number);
    this.#waiting.delete(request);
    this.#count(request, -1);
    return request;
  }

  #count({ client, bytes }: Request, change: 1 | -1): void {
    const load = this.#ofClient.get(client) ?? { requests: 0, bytes: 0 };
    for (const sum of [load, this.#all]) {
      sum.requests += change;
      sum.bytes += change * bytes;
    }
    if (load.requests === 0) this.#ofClient.delete(client);
    else this.#ofClient.set(client, load);
  }
}
