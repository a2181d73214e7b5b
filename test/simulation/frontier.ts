import type { ServerName } from "../../src/protocol/ids.ts";
import type { MutableVector, Vector } from "../../src/protocol/vector.ts";
import { quorumOf, type View } from "../../src/protocol/view.ts";

/** A committed event, and what R5 still promises for it. */
interface Committed {
  readonly origin: ServerName;
  readonly seq: number;
  /** The smallest quorum of all views since the commit. */
  quorum: number;
  /** Members whose disks were destroyed, or which left the view, since the commit. */
  readonly destroyed: Set<ServerName>;
}

/**
 * The events that may not be lost: per server, the highest `seq` that any server counted as
 * committed.
 */
export class Frontier {
  readonly #vector: MutableVector = {};
  readonly #destroyed = new Set<ServerName>();
  readonly #events: Committed[] = [];
  /** Whether so many disks were destroyed that R5 no longer promises every committed event. */
  isBeyondPromise = false;

  get vector(): Vector {
    return this.#vector;
  }

  /** @returns whether the frontier rose */
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
   * Records a disk that is lost for good. R5 allows fewer lost disks than the smallest quorum has
   * members.
   * @param isSafe whether enough of the other disks have the event anyway
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
