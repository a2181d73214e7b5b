import { limits, tagBytes } from "../../protocol/limits.ts";

const nameBytes = tagBytes / 2;

/** A client's connection. */
export interface Client {
  /** 8 bytes that no other connection has. */
  readonly name: Buffer;
}

/** A request that has not been answered. */
export interface OpenRequest {
  readonly client: Client;
  readonly bytes: number;
  /** Steady time at which the request arrived. */
  readonly atMs: number;
}

interface Open<Request, Worker> {
  readonly request: Request;
  /** The worker that has the request; undefined while the request waits for a worker. */
  worker: Worker | undefined;
}

interface Load {
  requests: number;
  bytes: number;
}

/**
 * The requests that wait for a worker, and the requests that a worker has. A reply is accepted only
 * if its tag belongs to an open request and the reply comes from the worker that has this request.
 * So the broker accepts no second reply (B3), no reply to a request of its previous process, and no
 * reply of a worker that has reconnected since it got the request.
 */
export class OpenRequests<Request extends OpenRequest, Worker extends object> {
  /** The open requests by number, in order of arrival. */
  readonly #open = new Map<number, Open<Request, Worker>>();
  /** The numbers of the requests that wait for a worker, in order of arrival. */
  readonly #waiting = new Map<Request, number>();
  readonly #ofClient = new Map<Client, Load>();
  readonly #all: Load = { requests: 0, bytes: 0 };
  #last = 0;

  /**
   * Adds a request, which then waits for a worker.
   * @returns false if a bound is reached (B5)
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

  /** The waiting requests, the oldest first. The caller may call `hand` during the iteration. */
  get waiting(): Iterable<Request> {
    return this.#waiting.keys();
  }

  /**
   * Assigns a waiting request to a worker.
   * @returns the tag to send in front of the request
   */
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

  /**
   * Removes and returns the request that a reply answers.
   * @returns undefined if the reply matches no open request
   */
  close(worker: Worker, tag: Buffer): Request | undefined {
    if (tag.length !== tagBytes) return undefined;
    const number = Number(tag.readBigUInt64BE(nameBytes));
    const open = this.#open.get(number);
    if (open === undefined || open.worker !== worker) return undefined;
    const { request } = open;
    if (tag.compare(request.client.name, 0, nameBytes, 0, nameBytes) !== 0) return undefined;
    return this.#remove(number, request);
  }

  /**
   * Removes and returns the requests that arrived before `beforeMs`. This is a steady time:
   * milliseconds of a clock that never goes back.
   */
  expire(beforeMs: number): Request[] {
    return this.#removeWhere(({ request }) => request.atMs < beforeMs);
  }

  /** Removes and returns the requests of a worker whose connection has ended. */
  workerGone(gone: Worker): Request[] {
    return this.#removeWhere(({ worker }) => worker === gone);
  }

  /**
   * Drops the client's requests that wait for a worker. A request that was given to a worker stays
   * open, because the worker may still reply.
   */
  clientGone(client: Client): void {
    if (this.#waiting.size === 0 || !this.#ofClient.has(client)) return;
    for (const [request, number] of this.#waiting) {
      if (request.client === client) this.#remove(number, request);
    }
  }

  /**
   * Returns a client's open requests as a share of the bound for one client; 1 or more means that
   * the bound is reached.
   */
  loadOf(client: Client): number {
    const { requests, bytes } = this.#ofClient.get(client) ?? { requests: 0, bytes: 0 };
    return Math.max(requests / limits.openRequests, bytes / limits.openRequestBytes);
  }

  /** The number of open requests. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether nothing is stored: no request, and no client's count. */
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
