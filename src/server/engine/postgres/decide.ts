import assert from "node:assert";
import { kindOf, type PackName } from "../../../protocol/cards.ts";
import { fieldsOf } from "../../../protocol/fields.ts";
import { readUserName, type UserName } from "../../../protocol/ids.ts";
import { parseClock } from "../../../protocol/lamport-clock.ts";
import { isMatchId } from "../../../protocol/matches.ts";
import { type Decided, keyOf, type Operation } from "../../../protocol/operation.ts";
import { expiredOutcome } from "../../core/accounts/account-operations.ts";
import type { Apply } from "../../core/decisions/applying.ts";
import { operationsOf } from "../../core/facts.ts";
import { type DecidedWithStock, Needs } from "../engine.ts";
import { Slice } from "../slice.ts";
import { loadDecided } from "./load-decided.ts";
import type { EnginePool } from "./pool.ts";
import {
  insertion,
  type RowsByTable,
  type StateTable,
  stateRowsOf,
  stateTables,
} from "./state-rows.ts";
import { escapeNul } from "./text.ts";

/**
 * Decides operations one after the other, in one transaction, which is one slot (D1). An operation
 * whose id is known gets the outcome of the first one with this id, however old that one is. An
 * operation that a moved cluster may have decided and forgotten is refused (D9).
 * @param timeMs milliseconds since 1970
 * @throws Error if this version does not know the kind of an operation; then nothing is decided
 */
export async function decide(
  pool: EnginePool,
  operations: readonly Operation[],
  timeMs: number,
): Promise<readonly DecidedWithStock[]> {
  const needs = needsOf(operations);
  return await pool.transaction(async (db) => {
    // The lock comes before all reading: a statement does not see what is committed while it waits.
    const [head] = (await db.query<LogHead>(lock)).rows;
    assert(head !== undefined, "the log has no head");
    const slice = new Slice();
    await loadDecided(db, needs, slice);
    const before = stateRowsOf(slice);
    const slot = slice.applied + 1;
    const time = Math.max(head.time, Math.round(timeMs));
    const newlyDecided: Decided[] = [];
    const kinds: Readonly<Record<string, Apply>> = operationsOf(slice);
    const answers = operations.map((operation) => {
      const { kind, by, id, since } = operation;
      const first = slice.find(by, id);
      if (first !== undefined) return first;
      if (since < (slice.forgotten.get(by) ?? 0)) {
        return { slot, outcome: expiredOutcome(slice.accounts, operation), operation };
      }
      const applied = (kinds[kind] as Apply)(operation, time);
      const { outcome, ...result } = typeof applied === "string" ? { outcome: applied } : applied;
      const decided: Decided = { slot, outcome, operation, ...result };
      slice.remember(decided);
      newlyDecided.push(decided);
      return decided;
    });
    const { mode, hash } = slice.accounts.registration;
    const headValues = [slot, time, slice.shop.offers, mode, hash];
    const newRows = JSON.stringify(newlyDecided.map(operationRow));
    const changed = changes(before, stateRowsOf(slice));
    await db.query({ ...write, values: [...headValues, newRows, ...changed] });
    const newOnes = new Set(newlyDecided);
    return answers.map((decided) => (newOnes.has(decided) ? withStock(decided, slice) : decided));
  });
}

/** Adds how many packs are left of the pack that the operation is about. */
function withStock(decided: Decided, { shop }: Slice): DecidedWithStock {
  const { kind, pack } = decided.operation;
  if (kind !== "buy" && kind !== "supply") return decided;
  return { ...decided, left: shop.left(pack as PackName) ?? "unlimited" };
}

type LogHead = { readonly time: number };

const lock = { name: "lock log", text: "select time from log_head for update" };

type Kind = keyof ReturnType<typeof operationsOf>;

/**
 * For each kind, adds what its operations read under the lock. What a service reads before it asks
 * for an operation is in `../needs.ts`; a kind may need a row in both tables. The accounts
 * of the asker, and of the user whose rights are claimed, are loaded for all kinds. A wrong field adds
 * nothing, because the operation is then `invalid`.
 */
const reads: Readonly<Record<Kind, (operation: Operation, needs: Needs) => void>> = {
  register: ({ user, looks }, needs) => {
    addAll(needs.accounts, namesIn([user]));
    addAll(needs.userLooks, textsIn(looks));
  },
  password: () => {},
  rehash: () => {},
  reset: ({ user }, needs) => addAll(needs.accounts, namesIn([user])),
  flag: ({ user }, needs) => addAll(needs.accounts, namesIn([user])),
  registration: () => {},
  buy: ({ by }, needs) => {
    needs.wallets.add(by);
    needs.isStockNeeded = true;
  },
  offer: ({ by, to, give, want }, needs) => {
    addAll(needs.wallets, [by, ...namesIn([to])]);
    addAll(needs.cards, [...textsIn(give), ...textsIn(want)].filter(kindOf));
  },
  trade: ({ trade }, needs) => addAll(needs.trades, [trade].map(parseClock).filter(isGiven)),
  deck: ({ by, cards }, needs) => {
    needs.wallets.add(by);
    addAll(needs.cards, textsIn(cards).filter(kindOf));
  },
  supply: (_, needs) => {
    needs.isStockNeeded = true;
  },
  matchBegin: ({ match, players }, needs) => {
    addAll(needs.matches, [match].filter(isMatchId));
    const users = listOf(players).map((player) => fieldsOf(player).user);
    addAll(needs.players, namesIn(users));
    needs.isMatchCountNeeded = true;
  },
  matchTerm: ({ match }, needs) => addAll(needs.matches, [match].filter(isMatchId)),
  matchEnd: ({ match }, needs) => addAll(needs.matches, [match].filter(isMatchId)),
  matchVoid: ({ match }, needs) => addAll(needs.matches, [match].filter(isMatchId)),
};

function needsOf(operations: readonly Operation[]): Needs {
  const needs = new Needs();
  for (const operation of operations) {
    const { kind, by, rights } = operation;
    assert(Object.hasOwn(reads, kind), `this version does not know operations "${kind}"`);
    needs.operations.set(keyOf(operation), operation);
    addAll(needs.accounts, [by, ...namesIn([fieldsOf(rights).user])]);
    reads[kind as Kind](operation, needs);
  }
  return needs;
}

function addAll<T>(set: Set<T>, values: readonly T[]): void {
  for (const value of values) set.add(value);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textsIn(value: unknown): string[] {
  return listOf(value).filter((one) => typeof one === "string");
}

function namesIn(values: readonly unknown[]): UserName[] {
  return values.flatMap((value) => {
    try {
      return [readUserName(value)];
    } catch {
      return [];
    }
  });
}

function isGiven<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** A part of the statement that writes what operations have changed. */
interface Writing {
  /** @param parameter the number of its parameter */
  text(parameter: number): string;
  /** Returns the value of the parameter. */
  value(before: ReadonlyMap<unknown, string>, after: ReadonlyMap<unknown, string>): unknown;
}

function upsert(table: StateTable): Writing {
  const written = { ...table, columns: [table.key, ...table.columns] };
  return {
    text: (parameter) => insertion(written, parameter),
    value: (before, after) => {
      const rows = [...after].filter(([key, row]) => before.get(key) !== row);
      return `[${rows.map(([, row]) => row).join(",")}]`;
    },
  };
}

function deletion({ name, key }: StateTable): Writing {
  return {
    text: (parameter) => `delete from ${name} where ${key} = any($${parameter})`,
    value: (before, after) => [...before.keys()].filter((key) => !after.has(key)),
  };
}

/** For each table, what is written to it. */
const writings = stateTables.map((table) => [
  upsert(table),
  ...(table.hasDeletions === true ? [deletion(table)] : []),
]);

/** The columns of `log_head` that each slot writes. */
const headColumns = ["applied", "time", "offers", "registration", "invitation"];
/** The parameters are the values of these columns, the new rows of `operations`, and then the changes. */
const operationsAt = headColumns.length + 1;

/** All changes in one statement, because each further one would keep the others waiting. */
const write = {
  name: "write decided",
  text: `with operations as (
    insert into operations (by, id, slot, outcome, result, operation)
      select by, id, slot, outcome, result, operation
      from json_populate_recordset(null::operations, $${operationsAt}::json)
  ), ${writings
    .flat()
    .map((one, index) => `change_${index} as (${one.text(operationsAt + 1 + index)})`)
    .join(", ")}
  update log_head set ${headColumns.map((column, index) => `${column} = $${index + 1}`).join(", ")}`,
};

function changes(before: RowsByTable, after: RowsByTable): unknown[] {
  const none = new Map<unknown, string>();
  return writings.flatMap((ofTable, index) => {
    return ofTable.map((one) => one.value(before[index] ?? none, after[index] ?? none));
  });
}

/** Returns the row of the table `operations`. */
export function operationRow({ slot, outcome, result, operation }: Decided) {
  const { by, id } = operation;
  const asJson = {
    result: result && JSON.stringify(result),
    operation: JSON.stringify(operation),
  };
  return { by, id: escapeNul(id), slot, outcome, ...asJson };
}
