import type { ServerName } from "../../../protocol/ids.ts";
import { EngineDown, type ServerReport, type Standing } from "../engine.ts";
import type { EnginePool } from "./pool.ts";

/** A server that was silent for longer counts as dead. */
const silentMs = 1_500;
/** How long a keeper stays one without a report. */
const keeperMs = 2_000;
const keeper = "keeper";

/** What `report_server` returns (`migrations/001_engine.sql`). */
interface Told {
  readonly timeMs: number;
  readonly clock: number;
  readonly servers: Standing["servers"];
  readonly keeper: { readonly name: ServerName; readonly fence: number } | null;
  /** The setting `synchronous_standby_names`. */
  readonly wanted: string;
  /** The standbys that may count, the most advanced first. Null if no standby is there. */
  readonly standbys: readonly string[] | null;
}

/** Knows which servers live, and which one holds a name. */
export class Housekeeping {
  readonly #pool: EnginePool;
  #isTaking = false;

  constructor(pool: EnginePool) {
    this.#pool = pool;
  }

  /** Does not wait for the standby, so that servers know of each other while it is away. */
  async report(own: ServerReport): Promise<Standing> {
    const { rows } = await this.#pool.read<{ told: Told }>({
      name: "report",
      text: `select report_server($1, $2, $3, $4, $5 * interval '1 ms', $6 * interval '1 ms')
        as told`,
      values: [own.name, own.address, own.clock, own.rate, keeperMs, silentMs],
    });
    const { timeMs, clock, servers, keeper, wanted, standbys } = (rows[0] as { told: Told }).told;
    if (keeper === null) void this.#take(own.name);
    const holders = ["primary", ...(standbys ?? []).slice(0, countOf(wanted))];
    return { servers, keeper: keeper ?? undefined, timeMs, clock, holders };
  }

  async lease(
    name: string,
    holder: ServerName,
    ttlMs: number,
  ): Promise<{ readonly fence: number } | undefined> {
    const { rows } = await this.#pool.write<{ fence: number | null }>({
      name: "lease",
      text: "select take_lease($1, $2, $3 * interval '1 ms') as fence",
      values: [name, holder, ttlMs],
    });
    const fence = rows[0]?.fence ?? undefined;
    return fence === undefined ? undefined : { fence };
  }

  /** Tries to become the keeper. A later report shows whether this server does. */
  async #take(name: ServerName): Promise<void> {
    if (this.#isTaking) return;
    this.#isTaking = true;
    try {
      await this.lease(keeper, name, keeperMs);
    } catch (error) {
      if (!(error instanceof EngineDown)) throw error;
    } finally {
      this.#isTaking = false;
    }
  }
}

/** Returns how many standbys must confirm each commit, by `synchronous_standby_names`. */
function countOf(names: string): number {
  return Number(/(\d+)\s*\(/.exec(names)?.[1] ?? 1);
}
