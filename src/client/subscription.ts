import { ProtocolError } from "../protocol/errors.ts";
import type { ServerName } from "../protocol/ids.ts";
import type { Entry, Publication } from "../protocol/publications.ts";
import type { HistoryPage } from "../protocol/replies.ts";
import { covers, type MutableVector, raise, type Vector } from "../protocol/vector.ts";
import type { Duplicates } from "./duplicates.ts";

export interface SubscribeOptions {
  /** Number of past entries to deliver before new ones; 0 by default. Ignored with `since`. */
  readonly last?: number | undefined;
  /** Vector to resume from: every entry that the vector does not cover is delivered. */
  readonly since?: Vector | undefined;
  /**
   * For a subscription to a user: true delivers sent and received messages; by default, only
   * received ones.
   */
  readonly own?: boolean | undefined;
  /**
   * Called each time the subscription notices that it can't deliver some entries, because the
   * servers no longer keep them (J3). The next delivered entry follows the missing ones.
   */
  readonly onMissed?: (() => void) | undefined;
}

export interface SubscriptionPorts {
  /** Reads every entry that the vector does not cover, page by page. */
  pages(since: Vector): AsyncIterable<HistoryPage>;
  /** @param place the subscription's `place` after the entry; it changes with the next entry */
  deliver(entry: Entry, place: Vector): void;
  /** Called if servers have dropped entries that the subscription has not delivered (J3). */
  missed(): void;
  /** Called if a fetch fails with an error that no retry resolves. */
  refused(error: ProtocolError): void;
}

/**
 * The most publications to hold while missing ones are fetched. Further publications are dropped
 * here, and fetched from the history.
 */
const heldPublications = 10_000;
/** Shortest time between two fetches caused by publications that may be forged. */
const doubtMs = 1_000;

/**
 * Delivers every committed publication of one topic exactly once, in the order of each server's
 * `seq` (C3). If a publication is missing, fetches it from the history before delivering the next
 * ones of its server.
 */
export class Subscription {
  readonly topic: string;
  readonly #ports: SubscriptionPorts;
  readonly #vector: MutableVector = {};
  readonly #place: MutableVector = {};
  readonly #expected: MutableVector = {};
  readonly #duplicates: Duplicates;
  #held: Publication[] = [];
  #filling: Promise<void> | undefined;
  #again = false;
  #closed = false;
  /** While false, the start of the subscription is unknown, so no publication counts as missing. */
  #hasBegun = false;
  #doubtedMs = Number.NEGATIVE_INFINITY;

  /** @param duplicates shared by all of the connection's subscriptions to the topic */
  constructor(topic: string, ports: SubscriptionPorts, duplicates: Duplicates) {
    this.topic = topic;
    this.#ports = ports;
    this.#duplicates = duplicates;
  }

  /** The vector of delivered entries, from which a later subscription can resume. */
  get vector(): Vector {
    return { ...this.#vector };
  }

  /**
   * As `vector`, but raised only by the topic's own entries. So subscriptions that have delivered the
   * same entries come to have equal places.
   */
  get place(): Vector {
    return this.#place;
  }

  /** Delivers the entries of `page`, and starts the subscription after `since`. */
  begin(since: Vector, page: readonly Entry[] = []): void {
    Object.assign(this.#place, before(since, page));
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

  /**
   * Fetches missing entries. Called when a publication is missing, when a proxy connects, and every
   * few seconds.
   */
  fill(): void {
    if (this.#closed || !this.#hasBegun) return;
    this.#again = true;
    this.#filling ??= this.#fillAll();
  }

  /** Handles a publication that may be forged: fetches missing entries, at most once a second. */
  doubt(steadyMs: number): void {
    if (steadyMs - this.#doubtedMs < doubtMs) return;
    this.#doubtedMs = steadyMs;
    this.fill();
  }

  /** Resolves when the running fetch, if any, has ended. */
  async settled(): Promise<void> {
    await this.#filling;
  }

  /**
   * Records an entry known from a receipt, so that `complete` fetches the entry if its publication
   * is late or lost.
   */
  expect(server: ServerName, seq: number): void {
    raise(this.#expected, { [server]: seq });
  }

  /**
   * Resolves when every expected entry is delivered, or when a fetch has ended without all of them.
   */
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
      // Held publications stay held. The next call of `fill`, a few seconds later, repeats the
      // fetch.
      if (!(error instanceof ProtocolError)) throw error;
      if (!error.retry) this.#ports.refused(error);
    } finally {
      this.#filling = undefined;
    }
  }

  async #fetchAll(): Promise<void> {
    let isFirst = true;
    for await (const { entries, seen, complete } of this.#ports.pages(this.vector)) {
      if (this.#closed) return;
      if (isFirst && complete === false) this.#ports.missed();
      isFirst = false;
      for (const entry of entries) this.#pass(entry);
      raise(this.#vector, seen);
    }
  }

  /**
   * Delivers each held publication whose previous entry has been delivered.
   * @param before the publications held when the fetch began. Such a publication is dropped if the
   * fetch did not return its previous entry: the previous entry does not exist, or the answering
   * server lacks it. If the server lacks it, a later fetch delivers the previous entry and the
   * publication.
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

  /** Delivers a publication. @returns false if the previous publication of its server is missing */
  #take(publication: Publication): boolean {
    if (publication.prev > this.#last(publication.server)) return this.#hasPassed(publication);
    this.#pass(publication);
    return true;
  }

  /** Delivers an entry, unless the entry or a duplicate of the entry was delivered before. */
  #pass(entry: Entry | Publication): void {
    if (this.#closed || this.#hasPassed(entry)) return;
    const isDuplicate = this.#duplicates
      .note(entry)
      .some((duplicate) => this.#hasPassed(duplicate));
    this.#vector[entry.server] = entry.seq;
    this.#place[entry.server] = entry.seq;
    if (isDuplicate) return;
    // Several sessions may get the same object, so each session delivers its own copy.
    const { prev: _, ...copy } = entry as Publication;
    this.#ports.deliver(copy as Entry, this.#place);
  }

  #hasPassed({ server, seq }: Pick<Entry, "server" | "seq">): boolean {
    return seq <= this.#last(server);
  }

  #last(server: ServerName): number {
    return this.#vector[server] ?? 0;
  }
}

/** Returns the vector before the first of a page's entries, whose end has the vector `seen`. */
function before(seen: Vector, page: readonly Entry[]): Vector {
  const vector: MutableVector = { ...seen };
  for (const { server, seq } of page.toReversed()) vector[server] = seq - 1;
  return vector;
}

/** Calls `onEntry`. Its exception is thrown in a microtask, so that other subscriptions go on. */
export function handOver(onEntry: () => void): void {
  try {
    onEntry();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
