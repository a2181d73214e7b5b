import { isServerName, type ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import { type HeardPresence, parseHeard } from "../../../protocol/peer-messages.ts";
import type { RedisConnections } from "./connections.ts";

interface Parts {
  readonly connections: RedisConnections;
  /** What the names of this cluster's keys begin with. */
  readonly prefix: string;
  readonly name: ServerName;
  /** The cluster's time: the ages of reports are computed from this time on every server. */
  correctedMs(): number;
  /** Called with reports that a server has kept, also this one before its start. */
  onFound(server: ServerName, heard: readonly HeardPresence[]): void;
}

/** How long a report is valid, in milliseconds. */
const spanMs = durations.presenceSilenceMs;
/** How many reports are asked for at once. */
const pageSize = 500;
/** The most pages of a span that are read: more than all reports fill, also of users who left. */
const mostPages = 200;

/**
 * Reports of presence that are kept in Redis, so that a server that starts need not wait until the
 * others tell theirs again. Time is divided into spans of `spanMs`, for which a report is valid. Each
 * span has a key. So all valid reports are under the keys of the present and the previous span, and
 * Redis drops older ones by itself.
 */
export class KeptPresence {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Keeps reports that clients have sent to this server. */
  async keep(heard: readonly HeardPresence[]): Promise<void> {
    const { connections, name, correctedMs } = this.#parts;
    const nowMs = correctedMs();
    const key = this.#keyAt(nowMs);
    const fields = heard.flatMap(({ ageMs, ...report }) => [
      `${name}\n${report.user}\n${report.client}`,
      JSON.stringify({ ...report, server: name, atMs: nowMs - ageMs }),
    ]);
    await connections.ask(async (redis) => {
      await redis
        .multi()
        .hset(key, ...fields)
        .pexpire(key, 2 * spanMs)
        .exec();
    });
  }

  /** Finds what servers have kept, page by page. Stops at a page that comes late. */
  async recall(): Promise<void> {
    const nowMs = this.#parts.correctedMs();
    for (const key of [this.#keyAt(nowMs), this.#keyAt(nowMs - spanMs)]) await this.#recall(key);
  }

  async #recall(key: string): Promise<void> {
    const { connections } = this.#parts;
    let cursor = "0";
    for (let count = 0; count < mostPages; count += 1) {
      const from = cursor;
      const page: unknown = await connections.ask((redis) => {
        return redis.hscan(key, from, "COUNT", pageSize);
      });
      if (!isPage(page)) return;
      // HSCAN returns names and values in turn.
      for (const text of page[1].filter((_, at) => at % 2 === 1)) this.#take(text);
      cursor = page[0];
      if (cursor === "0") return;
    }
  }

  /** Takes a report, unless it is old or this version does not know its form. */
  #take(text: unknown): void {
    const { correctedMs, onFound } = this.#parts;
    try {
      const { server, atMs, ...report } = JSON.parse(String(text));
      const ageMs = Math.max(0, correctedMs() - atMs);
      // Own ones are from before this server started. No other server tells them, so they are needed.
      if (isServerName(server)) onFound(server, parseHeard([{ ...report, ageMs }]));
    } catch {
      // An unreadable report is ignored.
    }
  }

  #keyAt(ms: number): string {
    return `${this.#parts.prefix}presence:${Math.floor(ms / spanMs)}`;
  }
}

function isPage(page: unknown): page is [cursor: string, fields: readonly unknown[]] {
  return Array.isArray(page) && typeof page[0] === "string" && Array.isArray(page[1]);
}
