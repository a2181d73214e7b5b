import { ProtocolError } from "../protocol/errors.ts";
import type { ServerName } from "../protocol/ids.ts";
import type { Entry, Publication } from "../protocol/publications.ts";
import type { HistoryPage } from "../protocol/replies.ts";
import { covers, type MutableVector, raise, type Vector } from "../protocol/vector.ts";
import type { Duplicates } from "./duplicates.ts";

export interface SubscriptionPorts {
  /** All that is missing since a vector. */
  pages(since: Vector): AsyncIterable<HistoryPage>;
  deliver(entry: Entry): void;
  /** What is missing is not given, and asking again does not help. */
  refused(error: ProtocolError): void;
}

/** Publications held back while a gap is filled; more are fetched with the gap. */
const heldPublications = 10_000;
/** What need not be true makes nobody look more often. */
const doubtMs = 1_000;

/**
 * Every committed publication of one topic exactly once, in each server's order (C3): what comes
 * twice is dropped, a gap is filled from history before what follows is delivered.
 */
export class Subscription {
  readonly topic: string;
  readonly #ports: SubscriptionPorts;
  readonly #vector: MutableVector = {};
  readonly #expected: MutableVector = {};
  readonly #duplicates: Duplicates;
  #held: Publication[] = [];
  #filling: Promise<void> | undefined;
  #again = false;
  #closed = false;
  /** Until then nobody knows from where on something is missing. */
  #hasBegun = false;
  #doubtedMs = Number.NEGATIVE_INFINITY;

  /** @param duplicates of all subscriptions to the topic */
  constructor(topic: string, ports: SubscriptionPorts, duplicates: Duplicates) {
    this.topic = topic;
    this.#ports = ports;
    this.#duplicates = duplicates;
  }

  /** What has been delivered, to resume from. */
  get vector(): Vector {
    return { ...this.#vector };
  }

  /** Begins behind what the vector covers; what the page shows of it is delivered first. */
  begin(since: Vector, page: readonly Entry[] = []): void {
    for (const entry of page) this.#pass(entry);
    raise(this.#vector, since);
    this.#hasBegun = true;
  }

  receive(publications: readonly Publication[]): void {
    for (const publication of publications) {
      if (this.#filling !== undefined || !this.#hasBegun) this.#hold(publication);
      else if (!this.#take(publication)) {
        this.#hold(publication);
        this.fill();
      }
    }
  }

  /** Fetches what is missing: after a gap, a reconnect, and now and then. */
  fill(): void {
    if (this.#closed || !this.#hasBegun) return;
    this.#again = true;
    this.#filling ??= this.#fillAll();
  }

  /** Something came that anybody may have sent: looks whether there is more, once a second. */
  doubt(steadyMs: number): void {
    if (steadyMs - this.#doubtedMs < doubtMs) return;
    this.#doubtedMs = steadyMs;
    this.fill();
  }

  /** Resolves when the fetch under way, if any, has ended. */
  async settled(): Promise<void> {
    await this.#filling;
  }

  /** A receipt tells of an entry: its publication may be late, or lost. */
  expect(server: ServerName, seq: number): void {
    raise(this.#expected, { [server]: seq });
  }

  /** Resolves when everything expected is delivered, or no server gives it at present. */
  async complete(): Promise<void> {
    if (covers(this.#vector, this.#expected)) return;
    this.fill();
    await this.settled();
  }

  close(): void {
    this.#closed = true;
  }

  async #fillAll(): Promise<void> {
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        const held = new Set(this.#held);
        await this.#fetchAll();
        this.#release(held);
      }
    } catch (error) {
      // What is held stays held; the next fill, a few seconds later, tries again.
      if (!(error instanceof ProtocolError)) throw error;
      if (!error.retry) this.#ports.refused(error);
    } finally {
      this.#filling = undefined;
    }
  }

  async #fetchAll(): Promise<void> {
    for await (const { entries, seen } of this.#ports.pages(this.vector)) {
      if (this.#closed) return;
      for (const entry of entries) this.#pass(entry);
      raise(this.#vector, seen);
    }
  }

  /**
   * @param before what was held when the fetch began: if something is still missing in front of it,
   * either no server has published it, or who answered did not have it yet; a later look tells
   */
  #release(before: ReadonlySet<Publication>): void {
    const held = this.#held.sort((a, b) => a.seq - b.seq);
    this.#held = [];
    for (const publication of held) {
      if (this.#take(publication)) continue;
      if (before.has(publication)) continue;
      this.#held.push(publication);
      this.#again = true;
    }
  }

  #hold(publication: Publication): void {
    if (this.#held.length < heldPublications) this.#held.push(publication);
    else this.#again = true;
  }

  /** @returns false if something before it is missing */
  #take(publication: Publication): boolean {
    if (publication.prev > this.#last(publication.server)) return this.#hasPassed(publication);
    this.#pass(publication);
    return true;
  }

  /** Delivers what was not passed yet, unless a duplicate of it was. */
  #pass(entry: Entry | Publication): void {
    if (this.#closed || this.#hasPassed(entry)) return;
    const isDuplicate = this.#duplicates
      .note(entry)
      .some((duplicate) => this.#hasPassed(duplicate));
    this.#vector[entry.server] = entry.seq;
    if (isDuplicate) return;
    // Several sessions may be handed the same object: each gives away a copy of its own.
    const { prev: _, ...copy } = entry as Publication;
    this.#ports.deliver(copy as Entry);
  }

  #hasPassed({ server, seq }: Pick<Entry, "server" | "seq">): boolean {
    return seq <= this.#last(server);
  }

  #last(server: ServerName): number {
    return this.#vector[server] ?? 0;
  }
}
