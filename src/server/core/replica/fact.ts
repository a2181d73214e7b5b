import type { Event } from "../../../protocol/event.ts";
import type { Fields } from "../../../protocol/fields.ts";
import { parseRequestId } from "../../../protocol/ids.ts";
import { type EntryFile, entryFiles } from "../../../protocol/state-files.ts";
import type { Vector } from "../../../protocol/vector.ts";
import { isCommitted, type Placed, place, readPlace } from "./placed.ts";
import type { FrozenState, SavedState, StateFile, StateMachine } from "./state-machine.ts";

/**
 * The code of one operation: how its events are read, added to the state, and saved. A saved entry
 * has the fields of the event's data and the event's place.
 */
export interface Fact<Data = object> {
  /**
   * Reads the data of an event or entry.
   * @throws Error if the data, from a peer or from disk, is not valid for this operation
   */
  parse(data: Fields): Data;
  /**
   * Adds an event of this operation to the state. The result must not depend on the order in which
   * events are added (R4).
   */
  fold(data: Data, placed: Placed): void;
  /** Returns the entries of this operation that the state keeps. */
  freeze(): Frozen;
  /**
   * The file of this operation's entries. If undefined, the entries are saved as rows of
   * checkpoint.json.
   */
  readonly file?: EntryFile;
  /**
   * Adds to the state what a saved entry has in addition to its event, such as which messages were
   * dropped. Called for each entry, even if the state already has the event.
   */
  recall?(entry: Fields, placed: Placed): void;
  /**
   * Whether a row is of this operation. Used for states that were saved before rows had an
   * `operation`.
   */
  isOldRow?(row: Fields): boolean;
}

interface Frozen {
  /**
   * The entries to write. Only references are copied now; the objects are built while they are
   * written.
   */
  readonly entries: Iterable<object>;
  /** A file for people and other programs, which is never read back. */
  readonly view?: StateFile;
}

/** A part of the state that is saved and restored as a whole, because its events depend on each other. */
export interface WholePart {
  /** The `operation` of the rows that `freeze` returns. */
  readonly rows: ReadonlySet<unknown>;
  freeze(): FrozenState;
  /** Begins to take in a saved state, which may be older than the own one. */
  restore(): {
    row(row: Fields): void;
    /** Called once, after the last row. */
    end(saved: SavedState): void;
  };
}

/** Maps each operation to the `Fact` that parses, applies and saves its events. */
export type FactTable<EventData> = { readonly [O in keyof EventData]: Fact<EventData[O]> };

/** Applies each event with the fact of its operation. Saves and restores the state of all facts. */
export class Facts implements StateMachine {
  readonly #facts: ReadonlyMap<string, Fact>;
  readonly #whole: WholePart;

  constructor(table: Readonly<Record<string, Fact>>, whole: WholePart) {
    this.#facts = new Map(Object.entries(table));
    this.#whole = whole;
  }

  apply(event: Event): void {
    const fact = this.#fact(event.operation);
    fact.fold(fact.parse(event.data), place(event, parseRequestId(event.data.id)));
  }

  freeze(): FrozenState {
    const whole = this.#whole.freeze();
    const files: StateFile[] = [...whole.files];
    const rows: (readonly [operation: string, entries: Iterable<object>])[] = [];
    for (const [operation, fact] of this.#facts) {
      const { entries, view } = fact.freeze();
      if (view !== undefined) files.push(view);
      if (fact.file === undefined) rows.push([operation, entries]);
      else files.push({ name: fact.file, lines: enclosed("[", "]", written(entries)) });
    }
    files.sort((a, b) => entryFiles.indexOf(a.name) - entryFiles.indexOf(b.name));
    return { files, rows: writtenRows(rows, whole.rows) };
  }

  restore(saved: SavedState, held: Vector): void {
    const whole = this.#whole.restore();
    for (const line of saved.rows) {
      const row = JSON.parse(line) as Fields;
      if (this.#whole.rows.has(row.operation)) whole.row(row);
      else this.#restoreEntry(this.#factOfRow(row), row, held);
    }
    whole.end(saved);
    for (const fact of this.#facts.values()) {
      if (fact.file === undefined) continue;
      for (const line of saved.entries(fact.file)) {
        this.#restoreEntry(fact, JSON.parse(line) as Fields, held);
      }
    }
  }

  #restoreEntry(fact: Fact, entry: Fields, held: Vector): void {
    const placed = readPlace(entry);
    fact.recall?.(entry, placed);
    if (!isCommitted(placed, held)) fact.fold(fact.parse(entry), placed);
  }

  #factOfRow(row: Fields): Fact {
    if (typeof row.operation === "string") return this.#fact(row.operation);
    const old = [...this.#facts.values()].find((fact) => fact.isOldRow?.(row) === true);
    if (old === undefined) throw new Error("a row has no `operation`");
    return old;
  }

  #fact(operation: string): Fact {
    const fact = this.#facts.get(operation);
    if (fact === undefined) throw new Error(`the operation "${operation}" is unknown`);
    return fact;
  }
}

function* writtenRows(
  lists: readonly (readonly [operation: string, entries: Iterable<object>])[],
  others: Iterable<string>,
): Generator<string> {
  for (const [operation, entries] of lists) {
    for (const entry of entries) yield JSON.stringify({ operation, ...entry });
  }
  yield* others;
}

function* written(entries: Iterable<object>): Generator<string> {
  for (const entry of entries) yield JSON.stringify(entry);
}

/** Yields an opening line, one line for each item, and a closing line. */
export function* enclosed(open: string, close: string, items: Iterable<string>): Generator<string> {
  let before: string | undefined;
  for (const item of items) {
    yield before === undefined ? `${open}\n` : `${before},\n`;
    before = item;
  }
  if (before === undefined) {
    yield `${open}${close}\n`;
    return;
  }
  yield `${before}\n`;
  yield `${close}\n`;
}
