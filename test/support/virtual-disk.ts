import { type Ballot, noBallot } from "../../src/protocol/epoch.ts";
import type { EventLine } from "../../src/protocol/event.ts";
import { type Chain, emptyChain, type ServerName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { type Head, type Heads, headsOf, type Mark } from "../../src/protocol/mark.ts";
import { covers, type MutableVector, raise, type Vector } from "../../src/protocol/vector.ts";
import { noView, type View } from "../../src/protocol/view.ts";

/** A saved state on disk, as lines. */
export interface SavedFiles {
  readonly mark: Mark;
  readonly files: ReadonlyMap<string, readonly string[]>;
  readonly rows: readonly string[];
}

/**
 * A server's disk. Appended lines wait in memory, are then written, and at last synced. A process
 * that dies loses the waiting lines; a power cut may also lose written ones.
 */
export class VirtualDisk {
  /** All lines that were written to the journal, in order. */
  readonly lines: EventLine[] = [];
  /** How many of `lines` are synced. */
  synced = 0;
  /** The index in `lines` of the first line that the journal still has. */
  #first = 0;
  /** The events that the journal no longer has, because the saved state covers them. */
  base: Vector = {};
  /** The vector of all synced events, including those in saved states. */
  readonly durable: MutableVector = {};
  /** The clock noted with the last sync (R7). */
  clock = 0;
  view: View = noView;
  ballot: Ballot = noBallot;
  saved: SavedFiles | undefined;
  /** A peer's saved state, until the server's own saved state covers it too. */
  fetched: SavedFiles | undefined;
  missing: Heads = {};
  /** Whole lines of a damaged journal that do not follow the lines that are left. */
  salvaged: readonly EventLine[] = [];
  isFlushing = false;
  #waiting: EventLine[] = [];

  /** The number of lines that processes have appended, without the lost ones. */
  get appended(): number {
    return this.lines.length + this.#waiting.length;
  }

  append(lines: readonly EventLine[]): void {
    this.#waiting.push(...lines);
  }

  /** Writes all waiting lines at once (group commit). @returns how many lines wait for the sync */
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

  /** Ends the process cleanly: all appended lines are synced. */
  close(clock: number): void {
    this.write();
    this.sync(this.lines.length, clock);
    this.isFlushing = false;
  }

  /** Ends the process: lines that it had not written are lost. */
  die(): void {
    this.#waiting = [];
    this.isFlushing = false;
  }

  /** @param kept how many of the written, unsynced lines survive */
  loseUnsynced(kept: number): void {
    this.lines.length = Math.min(this.lines.length, this.synced + kept);
  }

  get unsynced(): number {
    return this.lines.length - this.synced;
  }

  /** The lines that a starting process reads after the saved states. */
  get journal(): readonly EventLine[] {
    return this.lines.slice(this.#first);
  }

  /**
   * @param cut number of lines that the state covers
   * @param kept number of lines before the cut that peers may still ask for
   */
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
    // Events between the server's own ones and the peer's state are in no journal.
    this.base = { ...this.durable };
  }

  /** Whether the saved state covers everything that the journal no longer has. */
  get isWhole(): boolean {
    return covers(this.saved?.mark.vector ?? {}, this.base);
  }

  /** The state that a peer may fetch; undefined while it does not cover what the journal lacks. */
  get givesState(): SavedFiles | undefined {
    return this.isWhole ? this.saved : undefined;
  }

  /** Reads a page of the lines up to `upTo` that `since` lacks, as `Journal.read` does. */
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
   * Damages a synced line, or the saved state if `at` is undefined. Lines after the damage are lost
   * if they do not follow the lines before it. The server still knows which events it had.
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
    // A repaired folder has no older journal, so peers get the remaining events from a saved state.
    this.base = { ...this.durable };
    this.missing = known;
  }

  /** The last event of each server that is or was synced here. */
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
