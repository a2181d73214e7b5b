import { tagBytes } from "../../protocol/limits.ts";

const nameBytes = tagBytes / 2;

/** One who asks or answers, as far as routing goes. */
export interface Party {
  /** 8 bytes that no other connection ever has. */
  readonly name: Buffer;
}

/** A request that was handed to a worker and has no answer yet. */
export interface OpenRequest<Client extends Party, Worker> {
  readonly client: Client;
  readonly worker: Worker;
  /** All that the client sent: its envelope, then the payload. */
  readonly frames: readonly Buffer[];
  readonly bytes: number;
  /** Steady time. */
  readonly atMs: number;
}

/** What the requests of one client are, while they are open. */
export interface Load {
  requests: number;
  bytes: number;
}

/**
 * Which answer is whose. A reply counts only from the worker that was asked, for a request that is
 * open, with the very tag that it was handed on with; each request has one answer. What an earlier
 * process of this broker is still owed, or a connection that is gone, fits none.
 */
export class OpenRequests<Client extends Party, Worker extends object> {
  readonly #open = new Map<number, OpenRequest<Client, Worker>>();
  readonly #ofWorker = new Map<Worker, Set<number>>();
  readonly #ofClient = new Map<Client, Load>();
  #last = 0;

  /** @returns the frame to put in front */
  open(request: OpenRequest<Client, Worker>): Buffer {
    const { client, worker, bytes } = request;
    this.#last += 1;
    this.#open.set(this.#last, request);
    const numbers = this.#ofWorker.get(worker) ?? new Set();
    this.#ofWorker.set(worker, numbers.add(this.#last));
    const load = this.#ofClient.get(client) ?? { requests: 0, bytes: 0 };
    this.#ofClient.set(client, load);
    load.requests += 1;
    load.bytes += bytes;
    const tag = Buffer.allocUnsafe(tagBytes);
    client.name.copy(tag);
    tag.writeBigUInt64BE(BigInt(this.#last), nameBytes);
    return tag;
  }

  /** @returns the request that this is the answer to; undefined if it is nobody's */
  close(worker: Worker, tag: Uint8Array | undefined): OpenRequest<Client, Worker> | undefined {
    if (tag?.length !== tagBytes) return undefined;
    const bytes = Buffer.from(tag.buffer, tag.byteOffset, tagBytes);
    const number = Number(bytes.readBigUInt64BE(nameBytes));
    const request = this.#open.get(number);
    if (request === undefined || request.worker !== worker) return undefined;
    if (bytes.compare(request.client.name, 0, nameBytes, 0, nameBytes) !== 0) return undefined;
    this.#forget(number, request);
    return request;
  }

  /** @returns the requests of before that time, whose answers count no more */
  expire(beforeMs: number): OpenRequest<Client, Worker>[] {
    const requests: OpenRequest<Client, Worker>[] = [];
    // They stand in the order in which they were opened.
    for (const [number, request] of this.#open) {
      if (request.atMs >= beforeMs) break;
      requests.push(request);
      this.#forget(number, request);
    }
    return requests;
  }

  /** @returns the requests that nobody answers any more */
  workerGone(worker: Worker): OpenRequest<Client, Worker>[] {
    const requests: OpenRequest<Client, Worker>[] = [];
    for (const number of this.#ofWorker.get(worker) ?? []) {
      const request = this.#open.get(number);
      if (request === undefined) continue;
      requests.push(request);
      this.#forget(number, request);
    }
    this.#ofWorker.delete(worker);
    return requests;
  }

  /** What a client has open. */
  loadOf(client: Client): Readonly<Load> {
    return this.#ofClient.get(client) ?? { requests: 0, bytes: 0 };
  }

  get size(): number {
    return this.#open.size;
  }

  #forget(number: number, { client, worker, bytes }: OpenRequest<Client, Worker>): void {
    this.#open.delete(number);
    this.#ofWorker.get(worker)?.delete(number);
    const load = this.#ofClient.get(client);
    if (load === undefined) return;
    load.requests -= 1;
    load.bytes -= bytes;
    if (load.requests === 0) this.#ofClient.delete(client);
  }
}
