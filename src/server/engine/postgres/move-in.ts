import { createHash } from "node:crypto";
import type { Fields } from "../../../protocol/fields.ts";
import { servers } from "../../../protocol/vector.ts";
import { laneCount, laneOf } from "../events.ts";
import { unplacedOrigin } from "../turn.ts";
import { type MovedTable, movedTables, type WholeState } from "./moved-rows.ts";
import type { EnginePool, Queries } from "./pool.ts";
import { insertion } from "./state-rows.ts";

/** The error if a schema can't take a state. */
export class SchemaUsedError extends Error {
  /** Whether servers use the schema just now. */
  readonly isRunning: boolean;

  constructor(isRunning: boolean) {
    super(isRunning ? "servers use it" : "it is not empty");
    this.isRunning = isRunning;
  }
}

/** What was moved, and was the same when it was read back. */
export interface Moved {
  /** For each kind of events, and for each other table, the number of rows. */
  readonly counts: ReadonlyMap<string, number>;
  /** For each channel, the number of publications. */
  readonly channels: ReadonlyMap<string, number>;
  /** The sum of the SHA-256 of all rows, in hexadecimal. */
  readonly digest: string;
}

/** The most rows that one statement writes or reads, and the most characters that it writes. */
const most = { rows: 1_000, characters: 4_000_000 };

/**
 * Checks that a schema has no cluster yet. Until the transaction ends, no server can append, decide
 * or report, and nothing else can be moved into the schema.
 * @throws SchemaUsedError
 */
export async function refuseUnlessEmpty(transaction: Queries): Promise<void> {
  await transaction.query({ text: "lock table log_head, lanes, servers in exclusive mode" });
  const { rows } = await transaction.query<{ used: boolean; running: boolean }>({
    text: `select
      exists (select from lanes where seq > 0) or exists (select from log_head where applied > 0)
        as used,
      exists (select from servers where heard > now() - interval '10 seconds') as running`,
  });
  const [{ used, running } = { used: true, running: false }] = rows;
  if (used || running) throw new SchemaUsedError(!used);
}

/**
 * Writes the state of a cluster into an empty schema, and reads all of it back. All in one
 * transaction: if anything differs, nothing was moved.
 * @throws SchemaUsedError; EngineUnavailable if it is unknown whether the state was moved; Error if
 * nothing was moved
 */
export async function moveIn(
  pool: Pick<EnginePool, "transaction">,
  state: WholeState,
  signal: AbortSignal,
): Promise<Moved> {
  refuseNames(state);
  decideOpen(state);
  return await pool.transaction(async (db) => {
    await db.query({ text: "set local statement_timeout = 0" });
    await db.query({ text: "set local idle_in_transaction_session_timeout = 0" });
    await refuseUnlessEmpty(db);
    const [written, read] = [new Tally(), new Tally()];
    for (const table of movedTables(state)) {
      for (const batch of batchesOf(table, written)) {
        signal.throwIfAborted();
        await db.query({ text: insertion(table, 1), values: [batch] });
      }
      for await (const row of rowsOf(db, table)) {
        signal.throwIfAborted();
        read.add(table, row, table.textOf(row));
      }
      // Without this, PostgreSQL would plan its first statements as for empty tables.
      await db.query({ text: `analyze ${table.name}` });
    }
    written.compare(read);
    return { counts: read.counts, channels: read.channels, digest: read.digest };
  });
}

/** Server names are random, so one move in millions fails here. */
function refuseNames({ vector }: WholeState): void {
  const taken = servers(vector).find((server) => {
    return laneOf(server) < laneCount || server === unplacedOrigin;
  });
  if (taken !== undefined) throw new Error(`an engine uses the name of the server ${taken}`);
}

/**
 * Decides what the cluster's coordinator had proposed, as the next coordinator would do (D2): a
 * majority may have accepted it, and somebody may know the outcome.
 * @throws Error if this version does not know the kind of an operation
 */
function decideOpen({ log }: WholeState): void {
  for (;;) {
    const standing = log.open().findLast(({ slot }) => slot === log.applied + 1);
    if (standing === undefined) return;
    log.settle({ epoch: standing.epoch, upTo: standing.slot });
    if (log.unknownKind === undefined) continue;
    throw new Error(`this version does not know operations "${log.unknownKind}"`);
  }
}

/** Yields the rows as lists in JSON. */
function* batchesOf(table: MovedTable, tally: Tally): Iterable<string> {
  let rows: string[] = [];
  let characters = 0;
  for (const { row, text } of table.rows()) {
    tally.add(table, row, text);
    const json = JSON.stringify(row);
    rows.push(json);
    characters += json.length;
    if (rows.length < most.rows && characters < most.characters) continue;
    yield `[${rows.join(",")}]`;
    rows = [];
    characters = 0;
  }
  if (rows.length > 0) yield `[${rows.join(",")}]`;
}

/** Reads all rows of a table, without the columns that are null. */
async function* rowsOf(db: Queries, { name, columns }: MovedTable): AsyncIterable<Fields> {
  const text = `declare moved no scroll cursor for
    select json_strip_nulls(row_to_json(moved)) as row
    from (select ${columns.join(", ")} from ${name}) moved`;
  await db.query({ text });
  for (;;) {
    const { rows } = await db.query<{ row: Fields }>({ text: `fetch ${most.rows} from moved` });
    if (rows.length === 0) break;
    for (const { row } of rows) yield row;
  }
  await db.query({ text: "close moved" });
}

/** Counts rows, and adds up their hashes, so that their order does not matter. */
class Tally {
  readonly counts = new Map<string, number>();
  readonly channels = new Map<string, number>();
  #sum = 0n;

  get digest(): string {
    return this.#sum.toString(16).padStart(64, "0");
  }

  add({ name }: MovedTable, { kind, subject }: Fields, text: string): void {
    count(this.counts, name === "events" ? String(kind) : name);
    if (kind === "publication") count(this.channels, String(subject).slice(1));
    const hash = createHash("sha256").update(`${name}\n${text}`).digest("hex");
    this.#sum = BigInt.asUintN(256, this.#sum + BigInt(`0x${hash}`));
  }

  /** @throws Error unless the other one has counted the same rows */
  compare(other: Tally): void {
    for (const of of ["counts", "channels"] as const) {
      for (const name of new Set([...this[of].keys(), ...other[of].keys()])) {
        const [own, found] = [this[of].get(name) ?? 0, other[of].get(name) ?? 0];
        if (own !== found) throw new Error(`PostgreSQL has ${found} of ${own}: ${name}`);
      }
    }
    if (this.digest !== other.digest)
      throw new Error("PostgreSQL has other rows than were written");
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
