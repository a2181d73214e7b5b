import type { Ballot } from "../protocol/epoch.ts";
import type { EventLine } from "../protocol/event.ts";
import type { Heads, Mark } from "../protocol/mark.ts";
import type { SnapshotRequest } from "../protocol/peer-messages.ts";
import type { EntryFile } from "../protocol/state-files.ts";
import type { Vector } from "../protocol/vector.ts";
import type { View } from "../protocol/view.ts";
import type { CheckpointSource } from "./checkpoint.ts";

/**
 * What a store needs of a replica: the store restores the replica at a start, and saves its state.
 */
export interface Stored {
  readonly mark: Mark;
  /** Whether the loaded events or states have accounts of a version without a log of decisions. */
  readonly hasFormerAccounts?: boolean;
  recoverPromises(view: View, ballot: Ballot): void;
  /** Restores a saved state. @throws Error if the state is not of this version */
  recoverState(saved: SavedLines, mark: Mark): void;
  /** Adds an event; skips an event that the state already has. */
  recoverEvent(line: EventLine): void;
  /**
   * @param heads the newest events that the store has lost (J5)
   * @param salvaged the undamaged lines of the damaged journal
   */
  recoverMissing(heads: Heads, salvaged: Iterable<EventLine>): void;
  /**
   * Returns the present state. Events that are added while the state is written are not part of it.
   */
  checkpoint(): CheckpointSource;
}

export interface SavedLines {
  entries(name: EntryFile): Iterable<string>;
  readonly rows: Iterable<string>;
}

/** A page of a saved state for a peer. The sender of the page adds its Lamport clock. */
export interface Page {
  /** The checksum that identifies the state. */
  readonly of: string;
  /** The size of the whole file in bytes. */
  readonly size: number;
  readonly bytes: Uint8Array;
}

/**
 * Keeps a replica's log, promises and saved state. The test suite test/contracts/store.test.ts runs
 * against all stores. It shows what a store must keep and what it may lose.
 */
export interface Store {
  /** Returns the adopted view on disk. @throws Problem if the file is damaged */
  readView(): Promise<View>;
  /**
   * Creates a replica and restores it: promises, saved states, then the events after them.
   * @throws Problem that names file and line, if data is lost that no peer can return
   */
  load<Replica extends Stored>(newReplica: () => Replica): Promise<Replica>;
  /** Loads again, after a peer's saved state was fetched. @throws Problem as `load` */
  reload<Replica extends Stored>(newReplica: () => Replica): Promise<Replica>;
  /**
   * Appends lines to the log. The store calls `onFlushed(count)` when the next `count` lines are on
   * disk (R2).
   */
  append(lines: readonly EventLine[]): void;
  /**
   * Returns a page of the events in `upTo` that `since` lacks; `more` is true if another page
   * follows.
   * @returns undefined if some of these events are no longer in the log, only in the saved state
   */
  read(since: Vector, upTo: Vector): Promise<{ lines: string[]; more: boolean } | undefined>;
  /**
   * Saves the adopted view; resolves when it is on disk. @throws Error if the disk can't be written
   */
  saveView(view: View): Promise<void>;
  /** Saves a promise, as `saveView` saves a view. */
  savePromise(ballot: Ballot): Promise<void>;
  /** Whether this disk lost events that no peer has returned yet. */
  readonly isDamaged: boolean;
  /** What a person must do if no peer returns the lost events. */
  readonly way: string;
  /** Whether at least one of these lines is an event that this disk lost. */
  isMissing(lines: readonly EventLine[]): boolean;
  /** Called when all lost events have been returned. */
  repaired(): Promise<void>;
  /** Returns a page of a saved state. @returns undefined if the requested state is not available */
  page(request: SnapshotRequest): Promise<Page | undefined>;
  /**
   * Waits for a running save of the state; then a state may be fetched from a peer. @throws Error
   * if an earlier fetched state is not part of the saved state yet
   */
  readyForState(): Promise<void>;
  /** Saves the state if the log has grown enough, or a state was fetched from a peer (J1). */
  checkpointIfDue(replica: Stored): void;
  /**
   * Closes the store after the last write. @param replica the replica whose state is saved, unless
   * saving takes too long
   */
  close(replica: Stored | undefined): Promise<void>;
}
