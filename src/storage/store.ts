import type { Ballot } from "../protocol/epoch.ts";
import type { EventLine } from "../protocol/event.ts";
import type { Heads, Mark } from "../protocol/mark.ts";
import type { SnapshotRequest } from "../protocol/peer-messages.ts";
import type { EntryFile } from "../protocol/state-files.ts";
import type { Vector } from "../protocol/vector.ts";
import type { View } from "../protocol/view.ts";
import type { CheckpointSource } from "./checkpoint.ts";

/** A replica as its store sees it: it takes up what is held at a start, and is saved. */
export interface Stored {
  readonly mark: Mark;
  recoverPromises(view: View, ballot: Ballot): void;
  /** @throws Error if it is no state of this version */
  recoverState(saved: SavedLines, mark: Mark): void;
  /** An event that the state has already is passed over. */
  recoverEvent(line: EventLine): void;
  /** What the store once had and lost (J5), and what is still whole of it. */
  recoverMissing(heads: Heads, salvaged: Iterable<EventLine>): void;
  /** As of now: what comes later is not in it, however long it takes to be written. */
  checkpoint(): CheckpointSource;
}

export interface SavedLines {
  entries(name: EntryFile): Iterable<string>;
  readonly rows: Iterable<string>;
}

/** A page of a saved state as it goes to a peer, but for the clock. */
export interface Page {
  /** The checksum that names the state. */
  readonly of: string;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly bytes: Uint8Array;
}

/**
 * Where a replica keeps its log, its promises and its saved state. What it must keep, and what it
 * may lose, is the suite that all stores run: test/contracts/store.test.ts.
 */
export interface Store {
  /** @throws Problem if it is damaged */
  readView(): Promise<View>;
  /**
   * Gives a new replica all that is held: promises, saved states, then the events behind them.
   * @throws Problem that names the place, if something was lost that nobody can return
   */
  load<Replica extends Stored>(newReplica: () => Replica): Promise<Replica>;
  /** Loads again, now that a peer's saved state is there. @throws Problem as `load` */
  reload<Replica extends Stored>(newReplica: () => Replica): Promise<Replica>;
  /** The store says by `onFlushed(count)`, in this order, how many lines are safe (R2). */
  append(lines: readonly EventLine[]): void;
  /**
   * What `since` lacks of `upTo`, by the page; `more` tells that there is another.
   * @returns undefined if some of it is no longer in the log, and only a saved state has it
   */
  read(since: Vector, upTo: Vector): Promise<{ lines: string[]; more: boolean } | undefined>;
  /** Resolves once it is safe. @throws Error if it can't be written */
  saveView(view: View): Promise<void>;
  /** As `saveView`. */
  savePromise(ballot: Ballot): Promise<void>;
  /** Whether what was lost is still lost. */
  readonly isDamaged: boolean;
  /** What a person has to know if nobody returns what was lost. */
  readonly way: string;
  /** Whether some of this was lost, and comes back. */
  isMissing(lines: readonly EventLine[]): boolean;
  /** All that was lost is there again. */
  repaired(): Promise<void>;
  /** @returns undefined if the state that is asked for is not at hand */
  page(request: SnapshotRequest): Promise<Page | undefined>;
  /** Resolves when a peer's state may be put in place. @throws Error if the server stops before */
  readyForState(): Promise<void>;
  /** Saves the state if the log has grown enough, or a peer's state came (J1). */
  checkpointIfDue(replica: Stored): void;
  /** After the last write. @param replica whose state is saved, unless that takes too long */
  close(replica: Stored | undefined): Promise<void>;
}
