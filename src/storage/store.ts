import type { Ballot } from "../protocol/epoch.ts";
import type { EventLine } from "../protocol/event.ts";
import type { Heads, Mark } from "../protocol/mark.ts";
import type { SnapshotRequest } from "../protocol/peer-messages.ts";
import type { EntryFile } from "../protocol/state-files.ts";
import type { Vector } from "../protocol/vector.ts";
import type { View } from "../protocol/view.ts";
import type { CheckpointSource } from "./checkpoint.ts";

/** A replica as its store sees it: it gets all that is held at a start, and is saved. */
export interface Stored {
  readonly mark: Mark;
  recoverPromises(view: View, ballot: Ballot): void;
  /** @throws Error if the saved state is not of this version */
  recoverState(saved: SavedLines, mark: Mark): void;
  /** Passes over an event that the state has already. */
  recoverEvent(line: EventLine): void;
  /** @param heads what the store had and lost (J5) @param salvaged whole lines of that */
  recoverMissing(heads: Heads, salvaged: Iterable<EventLine>): void;
  /** The state as of now: later events are not in it, however long it takes to write. */
  checkpoint(): CheckpointSource;
}

export interface SavedLines {
  entries(name: EntryFile): Iterable<string>;
  readonly rows: Iterable<string>;
}

/** A page of a saved state for a peer, without the clock that goes with it. */
export interface Page {
  /** The checksum that names the state. */
  readonly of: string;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly bytes: Uint8Array;
}

/**
 * Where a replica keeps its log, its promises and its saved state. All stores run one suite, which
 * shows what a store must keep and what it may lose: test/contracts/store.test.ts.
 */
export interface Store {
  /** @throws Problem if it is damaged */
  readView(): Promise<View>;
  /**
   * Gives a new replica all that is held: promises, saved states, then the events behind them.
   * @throws Problem that names file and line, if something was lost that nobody can return
   */
  load<Replica extends Stored>(newReplica: () => Replica): Promise<Replica>;
  /** Loads again, once a peer's saved state has come. @throws Problem as `load` */
  reload<Replica extends Stored>(newReplica: () => Replica): Promise<Replica>;
  /** The store tells by `onFlushed(count)`, in this order, how many lines are on disk (R2). */
  append(lines: readonly EventLine[]): void;
  /**
   * A page of the events that `since` lacks of `upTo`; `more` tells whether another page follows.
   * @returns undefined if some of them are no longer in the log, but in the saved state alone
   */
  read(since: Vector, upTo: Vector): Promise<{ lines: string[]; more: boolean } | undefined>;
  /** Resolves once it is on disk. @throws Error if it can't be written */
  saveView(view: View): Promise<void>;
  /** As `saveView`. */
  savePromise(ballot: Ballot): Promise<void>;
  /** Whether what was lost is still lost. */
  readonly isDamaged: boolean;
  /** What a person has to do if nobody returns what was lost. */
  readonly way: string;
  /** Whether some of these lines were lost, and come back. */
  isMissing(lines: readonly EventLine[]): boolean;
  /** Called once all that was lost has come back. */
  repaired(): Promise<void>;
  /** @returns undefined if that state is not available */
  page(request: SnapshotRequest): Promise<Page | undefined>;
  /** Resolves when a peer's state may be put in place. @throws Error if the server stops before */
  readyForState(): Promise<void>;
  /** Saves the state if the log has grown enough, or a peer's state has come (J1). */
  checkpointIfDue(replica: Stored): void;
  /** After the last write. @param replica its state is saved, unless that takes too long */
  close(replica: Stored | undefined): Promise<void>;
}
