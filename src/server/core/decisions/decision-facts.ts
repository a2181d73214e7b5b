import assert from "node:assert";
import { type Fields, fieldsOf, isMap } from "../../../protocol/fields.ts";
import { isChain, readUserName } from "../../../protocol/ids.ts";
import { parseClock } from "../../../protocol/lamport-clock.ts";
import { type Decided, readOperation, readOperations } from "../../../protocol/operation.ts";
import { readEpoch } from "../coordinator/coordinator-facts.ts";
import type { FactTable, WholePart } from "../replica/fact.ts";
import { readText } from "../replica/fields.ts";
import type { SavedState, StateFile } from "../replica/state-machine.ts";
import type { Decision, DecisionLog, LogHead, Remembered, Settled } from "./decision-log.ts";

/** For each kind of event, its data. */
export interface DecisionData {
  /** A coordinator proposes the content of a slot (D1). */
  decision: Decision;
  /** A quorum has accepted the coordinator's decisions up to a slot (D4). */
  settled: Settled;
}

/** A part of what the operations have made. It is saved together with the log. */
export interface DecidedState {
  /** The `operation` of the part's rows. */
  readonly rows: readonly string[];
  /** Returns the part's files, if it has any, and its rows, each with its `operation`. */
  freeze(): { readonly files?: readonly StateFile[]; readonly rows: readonly object[] };
  /** Replaces the whole part by a saved one. */
  restore(saved: SavedState, rows: readonly Fields[]): void;
  /** Takes note of what a state of an older version has, which no log has decided. */
  noteFormer?(saved: SavedState): void;
}

const nothing = { freeze: () => ({ entries: [] }) };

/** The events of the log. They are saved by `decidedPart`. */
export function decisionFacts(log: DecisionLog): FactTable<DecisionData> {
  return {
    decision: { parse: readDecision, fold: (data) => log.add(data), ...nothing },
    settled: { parse: readSettled, fold: (data) => log.settle(data), ...nothing },
  };
}

/** The log and what it has decided, in a saved state: rows for the log, and the state's file (D6). */
export function decidedPart(log: DecisionLog, states: readonly DecidedState[]): WholePart {
  const ofStates = states.flatMap(({ rows }) => rows);
  return {
    rows: new Set(["applied", "asker", "decision", "settled", ...ofStates]),
    freeze: () => {
      const frozen = states.map((state) => state.freeze());
      const files = frozen.flatMap((one) => one.files ?? []);
      return {
        files,
        rows: rowsOf(
          log,
          frozen.flatMap(({ rows }) => rows),
        ),
      };
    },
    restore: () => {
      const open: Decision[] = [];
      const marks: Settled[] = [];
      let isFurther = false;
      let head: Fields | undefined;
      const decided: Fields[] = [];
      return {
        row: (row) => {
          if (row.operation === "decision") open.push(readDecision(row));
          else if (row.operation === "settled") marks.push(readSettled(row));
          else if (row.operation === "applied") {
            head = row;
            isFurther = log.takeHead(readHead(row));
          } else if (ofStates.includes(row.operation as string)) decided.push(row);
          else if (isFurther) log.takeRemembered(readUserName(row.by), readRemembered(row));
        },
        end: (saved) => {
          for (const state of states) {
            const own = ({ operation }: Fields) => state.rows.includes(operation as string);
            if (isFurther) state.restore(saved, decided.filter(own));
            if (head === undefined) state.noteFormer?.(saved);
          }
          log.take(open, marks);
        },
      };
    },
  };
}

function rowsOf(log: DecisionLog, decided: readonly object[]): Iterable<string> {
  const head = { operation: "applied", ...log.head };
  const remembered = log.remembered();
  const open = log.open();
  const marks = log.marks();
  return (function* () {
    // Servers of an older version can read a state in which nothing is decided (O60).
    if (head.applied > 0) {
      yield JSON.stringify(head);
      for (const row of decided) yield JSON.stringify(row);
    }
    for (const [by, asker] of remembered.sort(([a], [b]) => (a < b ? -1 : 1))) {
      yield JSON.stringify({ operation: "asker", by, ...asker });
    }
    for (const one of open) yield JSON.stringify({ operation: "decision", ...one });
    for (const one of marks) yield JSON.stringify({ operation: "settled", ...one });
  })();
}

function readDecision(data: Fields): Decision {
  const [slot, time] = [readCount(data, "slot"), readCount(data, "time")];
  return { epoch: readEpoch(data.epoch), slot, time, ops: readOperations(data.ops) };
}

function readSettled(data: Fields): Settled {
  return { epoch: readEpoch(data.epoch), upTo: readCount(data, "upTo") };
}

function readHead(row: Fields): LogHead {
  const { digest } = row;
  assert(isChain(digest), "`digest` is wrong");
  return { applied: readCount(row, "applied"), digest, time: readCount(row, "time") };
}

function readRemembered(row: Fields): Remembered {
  assert(Array.isArray(row.kept), "`kept` is no list");
  const kept = row.kept.map((one): Decided => {
    const { slot, outcome, operation, result } = fieldsOf(one);
    const told = { slot: readCount({ slot }, "slot"), outcome: readText({ outcome }, "outcome") };
    const made = isMap(result) ? { result } : {};
    return { ...told, operation: readOperation(operation), ...made };
  });
  return { kept, floor: readCount(row, "floor") };
}

function readCount(data: Fields, field: string): number {
  const value = parseClock(data[field]);
  assert(value !== undefined, `\`${field}\` is not a count`);
  return value;
}
