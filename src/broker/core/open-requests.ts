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
  /** Steady time. */
  readonly atMs: number;
  /** The message that was handed on, encoded, its tag in front. */
  readonly message: Buffer;
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

  /** @param encode makes the message of the tag that is to stand in front */
  open(
    asked: Pick<OpenRequest<Client, Worker>, "client" | "worker" | "atMs">,
    encode: (tag: Buffer) => Buffer,
  ): void {
    const { client, worker } = asked;
    this.#last += 1;
    const message = encode(this.#tag(client, this.#last));
    const request = { ...asked, message };
    this.#open.set(this.#last, request);
    const numbers = this.#ofWorker.get(worker) ?? new Set();
    this.#ofWorker.set(worker, numbers.add(this.#last));
    const load = this.#ofClient.get(client) ?? { requests: 0, bytes: 0 };
    this.#ofClient.set(client, load);
    load.requests += 1;
    load.bytes += message.length;
  }

  /** @returns the request that this is the answer to; undefined if it is nobody's */
  close(worker: Worker, tag: Buffer | undefined): OpenRequest<Client, Worker> | undefined {
    if (tag?.length !== tagBytes) return undefined;
    const number = tag.readUInt32BE(nameBytes) * 2 ** 32 + tag.readUInt32BE(nameBytes + 4);
    const request = this.#open.get(number);
    if (request === undefined || request.worker !== worker) return undefined;
    if (tag.compare(request.client.name, 0, nameBytes, 0, nameBytes) !== 0) return undefined;
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

  #tag(client: Client, number: number): Buffer {
    const tag = Buffer.allocUnsafe(tagBytes);
    client.name.copy(tag);
    tag.writeUInt32BE(Math.floor(number / 2 ** 32), nameBytes);
    tag.writeUInt32BE(number % 2 ** 32, nameBytes + 4);
    return tag;
  }

  #forget(number: number, { client, worker, message }: OpenRequest<Client, Worker>): void {
    this.#open.delete(number);
    this.#ofWorker.get(worker)?.delete(number);
    const load = this.#ofClient.get(client);
    if (load === undefined) return;
    load.requests -= 1;
    load.bytes -= message.length;
    if (load.requests === 0) this.#ofClient.delete(client);
  }
}
