import type { Event } from "../../../protocol/event.ts";
import type { EntryFile } from "../../../protocol/state-files.ts";
import type { Vector } from "../../../protocol/vector.ts";

/**
 * The content of the log, of which the log knows only these three operations. The state depends on
 * the *set* of events alone, in whatever order they come (R4).
 * Source: F. B. Schneider, "Implementing Fault-Tolerant Services Using the State Machine Approach",
 * 1990; the cut between log and content is that of hashicorp/raft's `FSM`.
 */
export interface StateMachine {
  /** @throws Error if the operation is unknown or its data is wrong; the state is then as before */
  apply(event: Event): void;
  /** Copies references only, so that the state can go on while the copy is written. */
  freeze(): FrozenState;
  /**
   * Adds what a saved state has above the vector `held`: events at or below it are in the state
   * already, or were dropped from it.
   * @throws Error if a line does not come from `freeze`
   */
  restore(saved: SavedState, held: Vector): void;
}

/** A file of the state, line by line, so that a large one is never built in memory. */
export interface StateFile {
  readonly name: EntryFile;
  /** Each with its newline. */
  readonly lines: Iterable<string>;
}

/** The state at one instant, as it is written to disk (J1). */
export interface FrozenState {
  /** In their documented shapes, one entry a line. */
  readonly files: readonly StateFile[];
  /** Entries without a file of their own: objects in JSON, each with its `operation`. */
  readonly rows: Iterable<string>;
}

/** A state on disk, as lines. */
export interface SavedState {
  /** The lines of one of the files that hold entries. */
  entries(name: EntryFile): Iterable<string>;
  readonly rows: Iterable<string>;
}
