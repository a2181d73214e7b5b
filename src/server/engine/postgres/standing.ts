import type { ServerName } from "../../../protocol/ids.ts";
import { EngineUnavailable, type ServerReport, type Standing, silenceMs } from "../engine.ts";
import type { EnginePool } from "./pool.ts";

/** The lease of the keeper, and how long a keeper stays one without a report. */
const keeperLease = { name: "keeper", ttlMs: 2_000 };

/** What `report_server` returns (`migrations/001_engine.sql`). */
interface ReportAnswer {
  readonly timeMs: number;
  readonly clock: number;
  readonly servers: Standing["servers"];
  readonly keeper: { readonly name: ServerName; readonly fence: number } | null;
  /** The setting `synchronous_standby_names`. */
  readonly wanted: string;
  /** The standbys that may count, the most advanced first. Null if no standby is there. */
  readonly standbys: readonly string[] | null;
}

type Connections = Pick<EnginePool, "read" | "write">;

/** Which servers live, and which one is the keeper. */
export class ServerDirectory {
  readonly #pool: Connections;
  #isTaking = false;

  constructor(pool: Connections) {
    this.#pool = pool;
  }

  /**
   * Does not wait for the standby, so that servers know of each other while it is away. Also renews
   * the keeper's lease, which saves a round trip.
   */
  async report(own: ServerReport): Promise<Standing> {
    const { rows } = await this.#pool.read<{ answer: ReportAnswer }>({
      name: "report",
      text: `select report_server($1, $2, $3, $4, $5 * interval '1 ms', $6 * interval '1 ms')
        as answer`,
      values: [own.name, own.address, own.clock, own.rate, keeperLease.ttlMs, silenceMs],
    });
    const [{ answer }] = rows as [{ answer: ReportAnswer }];
    const { timeMs, clock, servers, keeper, wanted, standbys } = answer;
    if (keeper === null) void this.#take(own.name);
    // Those that may confirm, and were the most advanced at this moment. With `ANY 1 (a, b)`, the
    // other one may confirm a later write.
    const holders = ["primary", ...(standbys ?? []).slice(0, confirmingStandbys(wanted))];
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
      await this.lease(keeperLease.name, name, keeperLease.ttlMs);
    } catch (error) {
      if (!(error instanceof EngineUnavailable)) throw error;
    } finally {
      this.#isTaking = false;
    }
  }
}

/**
 * Returns how many standbys must confirm each commit, by `synchronous_standby_names`: `FIRST 2 (a, b)`
 * and `ANY 2 (a, b)` say 2; a list without a number says 1.
 */
function confirmingStandbys(names: string): number {
  return Number(/(\d+)\s*\(/.exec(names)?.[1] ?? 1);
}
