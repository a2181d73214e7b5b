import type { ServerName } from "../../src/protocol/ids.ts";
import type { MutableVector, Vector } from "../../src/protocol/vector.ts";
import { quorumOf, type View } from "../../src/protocol/view.ts";

/** An event that was counted as committed, and what R5 promises for it by now. */
interface Committed {
  readonly origin: ServerName;
  readonly seq: number;
  /** The smallest quorum of the views in force since. */
  quorum: number;
  /** Disks that were destroyed since, or left the view. */
  readonly destroyed: Set<ServerName>;
}

/** What may not be lost: per server, the highest event that anybody counted as committed. */
export class Frontier {
  readonly #vector: MutableVector = {};
  readonly #destroyed = new Set<ServerName>();
  readonly #events: Committed[] = [];
  /** Whether the promise ended for an event that is lost now. */
  isBeyondPromise = false;

  get vector(): Vector {
    return this.#vector;
  }

  /** @returns whether it rose */
  rise(origin: ServerName, seq: number, views: readonly View[]): boolean {
    if (seq <= (this.#vector[origin] ?? 0)) return false;
    this.#vector[origin] = seq;
    const quorum = Math.min(...views.map(quorumOf));
    this.#events.push({ origin, seq, quorum, destroyed: new Set() });
    return true;
  }

  onView(before: View, view: View): void {
    const gone = before.members.filter((member) => !view.members.includes(member));
    for (const event of this.#events) {
      event.quorum = Math.min(event.quorum, quorumOf(view));
      for (const name of gone) event.destroyed.add(name);
    }
  }

  /**
   * Nobody can mend the disk. Fewer may go so than the smallest quorum has members (R5).
   * @param isSafe whether an event is on enough of the other disks all the same
   */
  onDestroyed(name: ServerName, isSafe: (origin: ServerName, seq: number) => boolean): void {
    this.#destroyed.add(name);
    for (const { destroyed } of this.#events) destroyed.add(name);
    this.isBeyondPromise ||= this.#events.some(({ origin, seq, quorum, destroyed }) => {
      return destroyed.size >= quorum && !isSafe(origin, seq);
    });
  }

  isDestroyed(name: ServerName): boolean {
    return this.#destroyed.has(name);
  }
}
