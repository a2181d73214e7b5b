import { isServerName, type ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import { type HeardPresence, parseHeard } from "../../../protocol/peer-messages.ts";
import type { RedisLink } from "./link.ts";

interface Parts {
  readonly link: RedisLink;
  /** What the names of this cluster's keys begin with. */
  readonly prefix: string;
  readonly name: ServerName;
  /** The cluster's time: a report's age is told by all servers' clocks. */
  correctedMs(): number;
  /** Called with the reports of another server. */
  onFound(server: ServerName, heard: readonly HeardPresence[]): void;
}

/** How many reports are asked for at once. */
const pageSize = 500;

/**
 * Reports of presence that are kept in Redis, so that a server that starts need not wait until the
 * others tell theirs again. Each key has the reports of one span as long as a report is valid. So all
 * valid ones are in the keys of this span and the last one, and Redis drops older ones by itself.
 */
export class KeptPresence {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Keeps reports that clients have sent to this server. */
  async keep(heard: readonly HeardPresence[]): Promise<void> {
    const { link, name, correctedMs } = this.#parts;
    const nowMs = correctedMs();
    const key = this.#keyAt(nowMs);
    const fields = heard.flatMap(({ ageMs, ...said }) => [
      `${name}\n${said.user}\n${said.client}`,
      JSON.stringify({ ...said, server: name, atMs: nowMs - ageMs }),
    ]);
    await link.ask(async (redis) => {
      await redis
        .multi()
        .hset(key, ...fields)
        .pexpire(key, 2 * spanMs)
        .exec();
    });
  }

  /** Finds what servers have kept, page by page. A page that does not come in time ends it. */
  async recall(): Promise<void> {
    const nowMs = this.#parts.correctedMs();
    for (const key of [this.#keyAt(nowMs), this.#keyAt(nowMs - spanMs)]) await this.#recall(key);
  }

  async #recall(key: string): Promise<void> {
    const { link } = this.#parts;
    let cursor = "0";
    do {
      const from = cursor;
      const page = await link.ask((redis) => redis.hscan(key, from, "COUNT", pageSize));
      if (page === undefined) return;
      // Every second one is the name of a field.
      for (const text of page[1].filter((_, at) => at % 2 === 1)) this.#take(text);
      cursor = page[0];
    } while (cursor !== "0");
  }

  /** Takes a report, unless it is old or this version does not know its form. */
  #take(text: string): void {
    const { correctedMs, onFound } = this.#parts;
    try {
      const { server, atMs, ...said } = JSON.parse(text);
      const ageMs = Math.max(0, correctedMs() - atMs);
      // This server's own ones are from before it started.
      if (isServerName(server)) onFound(server, parseHeard([{ ...said, ageMs }]));
    } catch {
      // It is as if it were not there.
    }
  }

  #keyAt(ms: number): string {
    return `${this.#parts.prefix}presence:${Math.floor(ms / spanMs)}`;
  }
}

const spanMs = durations.presenceSilenceMs;
