import type { ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import { Tail } from "../chat/window.ts";
import type { Replication } from "../replica/replication.ts";
import type { WaitingWrite } from "./payload-reply.ts";

/**
 * `late`: nobody knows yet whether the event gets committed. `outdated`: the event was not made,
 * because somebody else was faster, and the request must be decided again.
 */
export type DueWrite = WaitingWrite & { readonly outcome: "committed" | "late" | "outdated" };

/**
 * Writes that wait until their event is committed, or is on the disks of all live members. This
 * server's events are committed in the order in which they were made, so a queue is enough for
 * them. A repeated request may wait for an older event, or for an event of another server; such
 * writes are in the list `#others`.
 */
export class WaitingWrites {
  /** Writes of this server whose event is not yet committed. */
  readonly #own = new Tail<WaitingWrite>();
  /** The number of requests that were answered with the event of an earlier copy (R6). */
  repeated = 0;
  readonly #others: WaitingWrite[] = [];
  /** Writes whose event is committed, and which wait for all live members (R9). */
  #plain: WaitingWrite[] = [];
  readonly #name: ServerName;
  readonly #replication: Replication;
  #lastOwn = 0;
  /**
   * The version of `#replication`, and the number of live members (0 while `#plain` is empty), at
   * the last check.
   */
  #seen = { version: -1, live: 0 };
  /** Whether a write whose event is already committed was added after the last check. */
  #isNew = false;

  constructor(name: ServerName, replication: Replication) {
    this.#name = name;
    this.#replication = replication;
  }

  get size(): number {
    return this.#own.length + this.#others.length + this.#plain.length;
  }

  add(write: WaitingWrite): void {
    this.#isNew ||= (this.#replication.committed[write.server] ?? 0) >= write.seq;
    if (write.server === this.#name && write.seq > this.#lastOwn) {
      this.#lastOwn = write.seq;
      this.#own.push(write);
    } else {
      this.repeated += 1;
      this.#others.push(write);
    }
  }

  /**
   * Removes and returns the writes that can be answered now, because they are committed or given
   * up. If nothing that could make a write due has changed since the last call, checks only the
   * deadlines.
   */
  due(steadyMs: number): DueWrite[] {
    if (this.size === 0 || !this.#mayBeDue(steadyMs)) return [];
    const due: DueWrite[] = [];
    const { committed } = this.#replication;
    const settle = (write: WaitingWrite): boolean => {
      if ((committed[write.server] ?? 0) >= write.seq) {
        if (write.plain)
          this.#plain.push({ ...write, deadlineMs: steadyMs + durations.allMembersMs });
        else due.push({ ...write, outcome: "committed" });
        return true;
      }
      if (steadyMs < write.deadlineMs) return false;
      due.push({ ...write, outcome: "late" });
      return true;
    };
    for (
      let first = this.#own.at(0);
      first !== undefined && settle(first);
      first = this.#own.at(0)
    ) {
      this.#own.shift();
    }
    for (let at = this.#others.length - 1; at >= 0; at -= 1) {
      if (settle(this.#others[at] as WaitingWrite)) this.#others.splice(at, 1);
    }
    if (this.#plain.length > 0) {
      const waiting = this.#plain;
      this.#plain = [];
      for (const write of waiting) {
        const everywhere = this.#replication.onAllLive(write.server, write.seq, steadyMs);
        if (everywhere || steadyMs >= write.deadlineMs)
          due.push({ ...write, outcome: "committed" });
        else this.#plain.push(write);
      }
    }
    return due;
  }

  /**
   * Whether any write may be due, because something has changed or a deadline has passed. Each list
   * is sorted by deadline, so it is enough to check the deadline of its first write.
   */
  #mayBeDue(steadyMs: number): boolean {
    const { version } = this.#replication;
    const live = this.#plain.length === 0 ? 0 : this.#replication.liveMembers(steadyMs).length;
    const isSame = version === this.#seen.version && live === this.#seen.live;
    const first = [this.#own.at(0), this.#others[0], this.#plain[0]];
    const isLate = first.some((write) => write !== undefined && steadyMs >= write.deadlineMs);
    if (isSame && !isLate && !this.#isNew) return false;
    this.#seen = { version, live };
    this.#isNew = false;
    return true;
  }
}
