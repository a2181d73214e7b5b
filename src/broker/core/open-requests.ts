import assert from "node:assert";
import { limits, tagBytes } from "../../protocol/limits.ts";

const nameBytes = tagBytes / 2;

/** One who asks or answers, as far as routing goes. */
export interface Party {
  /** 8 bytes that no other connection ever has. */
  readonly name: Buffer;
}

/** A request that has no answer yet. */
export interface Asked {
  readonly client: Party;
  readonly bytes: number;
  /** Steady time. */
  readonly atMs: number;
}

interface Handed<Request, Worker> {
  readonly asked: Request;
  readonly worker: Worker;
}

interface Load {
  requests: number;
  bytes: number;
}

/**
 * What was asked and is not answered: what waits for a worker, and what one was handed. A reply counts
 * only from the worker that was asked, for a request that is open, with the very tag that it was handed
 * on with; each request has one answer. What an earlier process of this broker is still owed, or a
 * connection that is gone, fits none.
 */
export class OpenRequests<Request extends Asked, Worker extends object> {
  /** The oldest first. */
  readonly #waiting = new Set<Request>();
  readonly #handed = new Map<number, Handed<Request, Worker>>();
  readonly #ofWorker = new Map<Worker, Set<number>>();
  readonly #ofClient = new Map<Party, Load>();
  readonly #all: Load = { requests: 0, bytes: 0 };
  #last = 0;

  /**
   * It waits first.
   * @returns false if there is no more room
   */
  take(asked: Request): boolean {
    const { requests, bytes } = this.#all;
    if (requests >= limits.openRequestsOfAll) return false;
    if (bytes + asked.bytes > limits.openRequestBytesOfAll) return false;
    const load = this.#ofClient.get(asked.client) ?? { requests: 0, bytes: 0 };
    this.#ofClient.set(asked.client, load);
    add(load, asked.bytes);
    add(this.#all, asked.bytes);
    this.#waiting.add(asked);
    return true;
  }

  /** Those that wait, the oldest first; each may be handed on meanwhile. */
  get waiting(): Iterable<Request> {
    return this.#waiting;
  }

  /** @returns the frame to put in front of what that worker is sent */
  hand(asked: Request, worker: Worker): Buffer {
    this.#waiting.delete(asked);
    this.#last += 1;
    this.#handed.set(this.#last, { asked, worker });
    const numbers = this.#ofWorker.get(worker) ?? new Set();
    this.#ofWorker.set(worker, numbers.add(this.#last));
    const tag = Buffer.allocUnsafe(tagBytes);
    asked.client.name.copy(tag);
    tag.writeUInt32BE(Math.floor(this.#last / 2 ** 32), nameBytes);
    tag.writeUInt32BE(this.#last % 2 ** 32, nameBytes + 4);
    return tag;
  }

  /** @returns the request that this is the answer to; undefined if it is nobody's */
  close(worker: Worker, tag: Buffer): Request | undefined {
    if (tag.length !== tagBytes) return undefined;
    const number = tag.readUInt32BE(nameBytes) * 2 ** 32 + tag.readUInt32BE(nameBytes + 4);
    const handed = this.#handed.get(number);
    if (handed === undefined || handed.worker !== worker) return undefined;
    const { asked } = handed;
    if (tag.compare(asked.client.name, 0, nameBytes, 0, nameBytes) !== 0) return undefined;
    this.#forget(number, handed);
    return asked;
  }

  /** @returns the requests of before that time: nobody answers them any more */
  expire(beforeMs: number): Request[] {
    const expired: Request[] = [];
    for (const [number, handed] of this.#handed) {
      if (handed.asked.atMs >= beforeMs) continue;
      expired.push(handed.asked);
      this.#forget(number, handed);
    }
    for (const asked of this.#waiting) {
      if (asked.atMs >= beforeMs) continue;
      expired.push(asked);
      this.#drop(asked);
    }
    return expired;
  }

  /** @returns the requests that nobody answers any more */
  workerGone(worker: Worker): Request[] {
    const open: Request[] = [];
    for (const number of this.#ofWorker.get(worker) ?? []) {
      const handed = this.#handed.get(number);
      assert(handed !== undefined, "what is over was forgotten");
      open.push(handed.asked);
      this.#forget(number, handed);
    }
    this.#ofWorker.delete(worker);
    return open;
  }

  /** What waits of it is not asked any more; what is under way may come to its end. */
  clientGone(client: Party): void {
    if (this.#waiting.size === 0 || !this.#ofClient.has(client)) return;
    for (const asked of this.#waiting) if (asked.client === client) this.#drop(asked);
  }

  /** What a client has open, as a share of what it may. */
  loadOf(client: Party): number {
    const { requests, bytes } = this.#ofClient.get(client) ?? { requests: 0, bytes: 0 };
    return Math.max(requests / limits.openRequests, bytes / limits.openRequestBytes);
  }

  /** Whether nothing is kept of anybody. */
  get isEmpty(): boolean {
    return this.#ofClient.size + this.#all.requests + this.#all.bytes === 0;
  }

  #drop(asked: Request): void {
    this.#waiting.delete(asked);
    this.#unload(asked);
  }

  #forget(number: number, { asked, worker }: Handed<Request, Worker>): void {
    this.#handed.delete(number);
    this.#ofWorker.get(worker)?.delete(number);
    this.#unload(asked);
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
