import { type Ballot, noBallot } from "../../src/protocol/epoch.ts";
import type { EventLine } from "../../src/protocol/event.ts";
import { type Chain, emptyChain, type ServerName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { type Head, type Heads, headsOf, type Mark } from "../../src/protocol/mark.ts";
import { covers, type MutableVector, raise, type Vector } from "../../src/protocol/vector.ts";
import { noView, type View } from "../../src/protocol/view.ts";

/** A state on disk, as lines. */
export interface SavedFiles {
  readonly mark: Mark;
  readonly files: ReadonlyMap<string, readonly string[]>;
  readonly rows: readonly string[];
}

/**
 * A server's disk: what a process appended waits in memory, is then written, and is at last synced.
 * A process that dies loses what waits; a power cut may also take what was written.
 */
export class VirtualDisk {
  /** Of the journal: those that were written, in the order in which they came. */
  readonly lines: EventLine[] = [];
  /** How many of them are synced. */
  synced = 0;
  /** The first of them that the journal still has. */
  #first = 0;
  /** What the journal lacks: the saved state stands for it. */
  base: Vector = {};
  /** What is synced, saved states and all. */
  readonly durable: MutableVector = {};
  /** The clock noted with the last sync (R7). */
  clock = 0;
  view: View = noView;
  ballot: Ballot = noBallot;
  saved: SavedFiles | undefined;
  /** A peer's state, until this server's own stands for it too. */
  fetched: SavedFiles | undefined;
  missing: Heads = {};
  /** What is still whole of a journal that rotted, and does not follow what is left. */
  salvaged: readonly EventLine[] = [];
  isFlushing = false;
  #waiting: EventLine[] = [];

  /** All that was ever appended by the processes so far, but for what got lost. */
  get appended(): number {
    return this.lines.length + this.#waiting.length;
  }

  append(lines: readonly EventLine[]): void {
    this.#waiting.push(...lines);
  }

  /** Group commit: all that waits is written at once. @returns how many lines wait for the sync */
  write(): number {
    this.lines.push(...this.#waiting);
    this.#waiting = [];
    return this.lines.length - this.synced;
  }

  sync(upTo: number, clock: number): void {
    for (; this.synced < upTo; this.synced += 1) {
      const { server, seq } = (this.lines[this.synced] as EventLine).event;
      this.durable[server] = Math.max(this.durable[server] ?? 0, seq);
    }
    this.clock = Math.max(this.clock, clock);
  }

  /** A clean end: all that was appended is on disk. */
  close(clock: number): void {
    this.write();
    this.sync(this.lines.length, clock);
    this.isFlushing = false;
  }

  /** The process is gone: what it had not written is lost. */
  die(): void {
    this.#waiting = [];
    this.isFlushing = false;
  }

  /** @param kept how many of the written, unsynced lines are still there */
  loseUnsynced(kept: number): void {
    this.lines.length = Math.min(this.lines.length, this.synced + kept);
  }

  get unsynced(): number {
    return this.lines.length - this.synced;
  }

  /** What a start reads behind the saved states. */
  get journal(): readonly EventLine[] {
    return this.lines.slice(this.#first);
  }

  /** @param cut lines that the state stands for @param kept lines before that peers may ask for */
  save(state: SavedFiles, cut: number, kept: number): void {
    this.saved = state;
    this.fetched = undefined;
    raise(this.durable, state.mark.vector);
    const first = Math.max(this.#first, cut - kept);
    const base: MutableVector = { ...this.base };
    for (const { event } of this.lines.slice(this.#first, first)) {
      base[event.server] = Math.max(base[event.server] ?? 0, event.seq);
    }
    this.#first = first;
    this.base = base;
  }

  keepFetched(state: SavedFiles): void {
    this.fetched = state;
    raise(this.durable, state.mark.vector);
    // What lies between the own events and the state is in no journal.
    this.base = { ...this.durable };
  }

  /** Whether saved state and journal stand for all there is. */
  get isWhole(): boolean {
    return covers(this.saved?.mark.vector ?? {}, this.base);
  }

  /** What a peer may have: it must not stand for less than the journal lacks. */
  get givesState(): SavedFiles | undefined {
    return this.isWhole ? this.saved : undefined;
  }

  /** As `Journal.read`: what `since` lacks of `upTo`, by the page. */
  read(since: Vector, upTo: Vector): { lines: string[]; more: boolean } | undefined {
    for (const [server, seq] of Object.entries(this.base) as [ServerName, number][]) {
      if ((since[server] ?? 0) < Math.min(seq, upTo[server] ?? 0)) return undefined;
    }
    const wanted = this.lines.slice(this.#first, this.synced).filter(({ event }) => {
      const { server, seq } = event;
      return seq > (since[server] ?? 0) && seq <= (upTo[server] ?? 0);
    });
    const lines: string[] = [];
    let room: number = limits.pageBytes;
    for (const { line } of wanted) {
      if (lines.length >= limits.syncEvents || room <= 0) break;
      lines.push(line);
      room -= 3 * line.length;
    }
    return { lines, more: lines.length < wanted.length };
  }

  /**
   * A synced line is damaged, or with none the saved state: what lies behind it is lost as far as it
   * does not follow, and the server knows what it had.
   */
  rot(at: number | undefined): void {
    const known: Record<ServerName, Head> = { ...this.heads };
    const journal = [...this.journal];
    if (at === undefined) {
      this.saved = undefined;
      this.fetched = undefined;
    }
    for (const server of Object.keys(this.durable) as ServerName[]) delete this.durable[server];
    for (const state of [this.saved, this.fetched]) raise(this.durable, state?.mark.vector ?? {});
    const good = journal.filter((line, index) => {
      const { server, seq } = line.event;
      if (index === at || seq !== (this.durable[server] ?? 0) + 1) return false;
      this.durable[server] = seq;
      return true;
    });
    this.salvaged = [
      ...this.salvaged,
      ...journal.filter((line, index) => index !== at && !good.includes(line)),
    ];
    this.lines.length = 0;
    this.lines.push(...good);
    this.synced = good.length;
    this.#first = 0;
    // The folder begins anew: a saved state stands for all that is left.
    this.base = { ...this.durable };
    this.missing = known;
  }

  /** The last event of each server that is synced here. */
  get heads(): Record<ServerName, Head> {
    const heads: Record<ServerName, Head> = { ...this.missing };
    const rise = (server: ServerName, seq: number, chain: Chain) => {
      if (seq > (heads[server]?.seq ?? 0)) heads[server] = { seq, chain };
    };
    for (const state of [this.saved, this.fetched]) {
      const known = Object.entries(state === undefined ? {} : headsOf(state.mark));
      for (const [server, { seq, chain }] of known) rise(server as ServerName, seq, chain);
    }
    for (const { event, chain } of this.lines.slice(0, this.synced)) {
      rise(event.server, event.seq, chain ?? emptyChain);
    }
    return heads;
  }
}
