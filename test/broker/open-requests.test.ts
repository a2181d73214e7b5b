import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Client,
  type OpenRequest,
  OpenRequests,
} from "../../src/broker/core/open-requests.ts";
import { tagBytes } from "../../src/protocol/limits.ts";

interface Worker {
  readonly number: number;
}

/**
 * One event of a random schedule; its numbers choose among the present clients, workers and tags.
 */
const step = fc.oneof(
  fc.record({ kind: fc.constant("client comes" as const) }),
  fc.record({ kind: fc.constant("client goes" as const), of: fc.nat(99) }),
  fc.record({ kind: fc.constant("worker comes" as const) }),
  fc.record({ kind: fc.constant("worker goes" as const), of: fc.nat(99) }),
  fc.record({ kind: fc.constant("broker restarts" as const) }),
  fc.record({ kind: fc.constant("time passes" as const), ms: fc.nat(50) }),
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("ask" as const), of: fc.nat(99) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("hand on" as const), to: fc.nat(99) }) },
  {
    weight: 8,
    // Any worker replies with any tag that ever existed: late, twice, or with another worker's tag.
    arbitrary: fc.record({
      kind: fc.constant("reply" as const),
      by: fc.nat(99),
      tag: fc.nat(999),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("forged reply" as const),
      by: fc.nat(99),
      tag: fc.oneof(
        fc.uint8Array({ maxLength: 2 * tagBytes }),
        fc.uint8Array({ minLength: tagBytes, maxLength: tagBytes }),
      ),
      // A worker of an earlier broker may guess a connection's name or a number, but not both.
      name: fc.option(fc.nat(99)),
      number: fc.option(fc.bigInt({ min: 0n, max: 200n })),
    }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const patienceMs = 100;

/** A broker with clients and workers, and a simple model that predicts the broker's answers. */
class World {
  #broker = new OpenRequests<OpenRequest, Worker>();
  #nowMs = 0;
  #names = 0;
  #clients: Client[] = [];
  readonly #everyName: Buffer[] = [];
  #workers: Worker[] = [];
  /** The requests that the present broker handed to workers, by tag. */
  #handed = new Map<string, { asked: OpenRequest; worker: Worker }>();
  readonly #everyTag: Buffer[] = [];
  /** All requests, except waiting requests whose client has gone. */
  readonly #asked = new Set<OpenRequest>();
  /** The requests that were answered or given up. */
  readonly #ended = new Set<OpenRequest>();

  do(step: Step): void {
    switch (step.kind) {
      case "client comes":
        this.#clients.push({ name: this.#name() });
        return;
      case "client goes": {
        const [client] = this.#clients.splice(step.of % (this.#clients.length || 1), 1);
        if (client === undefined) return;
        for (const asked of this.#broker.waiting) {
          if (asked.client === client) this.#asked.delete(asked);
        }
        this.#broker.clientGone(client);
        return;
      }
      case "worker comes":
        this.#workers.push({ number: this.#workers.length });
        return;
      case "worker goes": {
        const [worker] = this.#workers.splice(step.of % (this.#workers.length || 1), 1);
        if (worker === undefined) return;
        for (const asked of this.#broker.workerGone(worker)) this.#end(asked);
        return;
      }
      case "broker restarts":
        // The next broker gives clients new names. Workers may still answer the old broker's
        // requests.
        for (const asked of this.#broker.expire(Number.POSITIVE_INFINITY)) this.#end(asked);
        this.#broker = new OpenRequests();
        this.#handed = new Map();
        this.#clients = this.#clients.map(() => ({ name: this.#name() }));
        return;
      case "time passes":
        this.#nowMs += step.ms;
        for (const asked of this.#broker.expire(this.#nowMs - patienceMs)) this.#end(asked);
        return;
      case "ask": {
        const client = this.#clients[step.of % (this.#clients.length || 1)];
        if (client === undefined) return;
        const asked = { client, bytes: 10 + step.of, atMs: this.#nowMs };
        this.#asked.add(asked);
        this.#broker.take(asked);
        return;
      }
      case "hand on": {
        const [asked] = this.#broker.waiting;
        const worker = this.#workers[step.to % (this.#workers.length || 1)];
        if (asked === undefined || worker === undefined) return;
        const tag = this.#broker.hand(asked, worker);
        const key = tag.toString("hex");
        expect(this.#everyTag.some((other) => other.equals(tag))).toBe(false);
        this.#everyTag.push(tag);
        this.#handed.set(key, { asked, worker });
        return;
      }
      case "reply":
        this.#reply(step.by, this.#everyTag[step.tag % (this.#everyTag.length || 1)]);
        return;
      case "forged reply": {
        const tag = Buffer.from(step.tag);
        if (tag.length === tagBytes) {
          const name = step.name === null ? undefined : this.#everyName[step.name];
          name?.copy(tag);
          if (step.number !== null) tag.writeBigUInt64BE(step.number, tagBytes / 2);
        }
        this.#reply(step.by, tag);
      }
    }
  }

  #reply(by: number, tag: Buffer | undefined): void {
    const worker = this.#workers[by % (this.#workers.length || 1)];
    if (worker === undefined || tag === undefined) return;
    const handed = this.#handed.get(tag.toString("hex"));
    const isOpen = handed?.worker === worker && !this.#ended.has(handed.asked);
    expect(this.#broker.close(worker, tag)).toBe(isOpen ? handed?.asked : undefined);
    if (isOpen) this.#end(handed.asked);
  }

  #end(asked: OpenRequest): void {
    expect(this.#ended.has(asked)).toBe(false);
    this.#ended.add(asked);
  }

  /** Ends all open requests, and checks that each ended once and the broker has none left. */
  settle(): void {
    for (const worker of this.#workers) {
      for (const asked of this.#broker.workerGone(worker)) this.#end(asked);
    }
    for (const asked of this.#broker.expire(Number.POSITIVE_INFINITY)) this.#end(asked);
    expect([...this.#asked].filter((asked) => !this.#ended.has(asked))).toEqual([]);
    expect(this.#broker.isEmpty).toBe(true);
    for (const client of this.#clients) expect(this.#broker.loadOf(client)).toBe(0);
  }

  #name(): Buffer {
    this.#names += 1;
    const name = Buffer.alloc(tagBytes / 2);
    name.writeUInt32BE(this.#names);
    this.#everyName.push(name);
    return name;
  }
}

describe("[B1] open requests of a broker", () => {
  test("[B3] in any order of events, a broker accepts one reply for each request, only from the request's worker and with the request's tag", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), (steps) => {
        const world = new World();
        for (const each of steps) world.do(each);
        world.settle();
      }),
      { numRuns: 2_000 },
    );
  });

  const client = () => ({ name: Buffer.alloc(tagBytes / 2, 1) });
  const ask = (who: Client, { atMs = 0, bytes = 100 } = {}): OpenRequest => {
    return { client: who, bytes, atMs };
  };

  test("a broker drops the waiting requests of a client that has gone", () => {
    const open = new OpenRequests<OpenRequest, Worker>();
    const [gone, other] = [client(), client()];
    open.take(ask(gone));
    open.take(ask(other));
    open.clientGone(gone);
    expect([...open.waiting].map((asked) => asked.client)).toEqual([other]);
    expect([...open.waiting][0]?.client).toBe(other);
  });

  test("[B4] a broker gives up each request at the request's deadline, whether or not a worker has the request", () => {
    const open = new OpenRequests<OpenRequest, Worker>();
    const requests = [10, 20, 30, 40].map((atMs) => ask(client(), { atMs }));
    for (const asked of requests) open.take(asked);
    open.hand(requests[1] as OpenRequest, { number: 1 });
    open.hand(requests[0] as OpenRequest, { number: 1 });
    expect(open.expire(20)).toEqual([requests[0]]);
    expect(open.expire(40)).toEqual([requests[1], requests[2]]);
    expect(open.expire(41)).toEqual([requests[3]]);
    expect(open.isEmpty).toBe(true);
  });

  test("a broker limits the number and the bytes of open requests, for each client and for all clients", () => {
    const open = new OpenRequests<OpenRequest, Worker>();
    const busy = client();
    const worker: Worker = { number: 1 };
    const fill = (bytes: number) => {
      const handed: [Buffer, OpenRequest][] = [];
      while (open.loadOf(busy) < 1) {
        const asked = ask(busy, { bytes });
        open.take(asked);
        handed.push([open.hand(asked, worker), asked]);
      }
      expect(open.loadOf(client())).toBe(0);
      return handed;
    };
    for (const [bytes, most] of [[100, 4_096] as const, [1_048_576, 16] as const]) {
      const handed = fill(bytes);
      expect(handed).toHaveLength(most);
      for (const [index, [tag, asked]] of handed.entries()) {
        expect(open.close(worker, tag)).toBe(asked);
        expect(open.loadOf(busy)).toBeCloseTo(1 - (index + 1) / most);
      }
    }
    // Each request is from a connection of its own. Requests count whether they wait or a worker
    // has them.
    let taken = 0;
    while (open.take(ask(client()))) taken += 1;
    expect(taken).toBe(200_000);
    for (const asked of [...open.waiting].slice(0, 100)) open.hand(asked, worker);
    expect(open.take(ask(client()))).toBe(false);
    open.workerGone(worker);
    expect(open.take(ask(client()))).toBe(true);
    open.expire(Number.POSITIVE_INFINITY);
    while (open.take(ask(client(), { bytes: 4_194_304 }))) taken += 1;
    expect(taken).toBe(200_000 + 64);
    open.expire(Number.POSITIVE_INFINITY);
    expect(open.isEmpty).toBe(true);
  });
});
