import type { Event } from "../../../protocol/event.ts";
import type { EntryFile } from "../../../protocol/state-files.ts";
import type { Vector } from "../../../protocol/vector.ts";

/**
 * The state that results from the log's events. The log uses only these three methods. The state
 * depends on the *set* of events, not on the order in which they come (R4).
 * Source: F. B. Schneider, "Implementing Fault-Tolerant Services Using the State Machine Approach",
 * 1990. The division between the log and the state is the same as in hashicorp/raft's interface
 * `FSM`.
 */
export interface StateMachine {
  /**
   * Adds an event.
   * @throws Error if the event's operation is unknown or its data is invalid; the state then stays
   * unchanged
   */
  apply(event: Event): void;
  /**
   * Returns the state as of now. Copies references only, so that the state can change while the
   * copy is written.
   */
  freeze(): FrozenState;
  /**
   * Adds the events of a saved state that are above the vector `held`. Events at or below `held`
   * are in the state already, or were dropped from the state.
   * @throws Error if a line was not written by `freeze`
   */
  restore(saved: SavedState, held: Vector): void;
}

/** A file of the state, line by line, so that a large file is never in memory as a whole. */
export interface StateFile {
  readonly name: EntryFile;
  /** The lines, each with its newline. */
  readonly lines: Iterable<string>;
}

/** The state at one instant, as it is written to disk (J1). */
export interface FrozenState {
  /** The files of the operations that have one, and the files for people (`Frozen.view`). */
  readonly files: readonly StateFile[];
  /** The entries that have no file, as JSON objects, each with its `operation`. */
  readonly rows: Iterable<string>;
}

/** A state on disk, as lines. */
export interface SavedState {
  /** Returns the entries of one file, one line each. */
  entries(name: EntryFile): Iterable<string>;
  readonly rows: Iterable<string>;
}
