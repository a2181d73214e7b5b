import assert from "node:assert";
import { isMap } from "./fields.ts";
import { parseRequestId, type RequestId, readUserName, type UserName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";

/**
 * Something that somebody wants decided (D1). The other fields depend on `kind`; whoever applies the
 * operation reads them.
 */
export interface Operation {
  readonly kind: string;
  /** The user that asks. An id identifies an operation among those of the same user (D9). */
  readonly by: UserName;
  readonly id: RequestId;
  /** A slot that was settled before the operation was first sent (D9). */
  readonly since: number;
  readonly [field: string]: unknown;
}

/** What came of an operation. */
export interface Decided {
  /** The slot of the first operation with this id. */
  readonly slot: number;
  /** `done`, or the reason for which the operation was refused. */
  readonly outcome: string;
  /** What the operation made, as JSON, if its kind makes something for the one who asked. */
  readonly result?: object | undefined;
  /** The first operation with this id, which may differ from the one that was asked for. */
  readonly operation: Operation;
}

/** @throws Error if the value is not an operation; the fields of its kind are not read here */
export function readOperation(value: unknown): Operation {
  assert(isMap(value) && typeof value.kind === "string", "it is no operation");
  const id = parseRequestId(value.id);
  const since = parseClock(value.since);
  assert(id !== undefined && since !== undefined, "an operation has no `id` or `since`");
  return { ...value, kind: value.kind, by: readUserName(value.by), id, since };
}

/** @throws Error if the value is not a list of operations */
export function readOperations(value: unknown): readonly Operation[] {
  assert(Array.isArray(value), "it has no list of operations");
  return value.map(readOperation);
}

/** Returns the key by which the same operation is recognised (D9). */
export function keyOf({ by, id }: Pick<Operation, "by" | "id">): string {
  return `${by}\n${id}`;
}
