import { compareEpochs, type Epoch, noEpoch } from "../../../protocol/epoch.ts";
import { compareOrder } from "../../../protocol/event.ts";
import type { Vector } from "../../../protocol/vector.ts";
import type { Placed } from "../replica/placed.ts";

/** The term of one coordinator, which begins with its `coordinator` event. */
export interface CoordinatorTerm extends Placed {
  readonly epoch: Epoch;
  /**
   * The coordinator's durable vector at the beginning of its term. The vector covers all events
   * that a quorum had on disk when the quorum promised the epoch. While this epoch is the highest,
   * a claim of a lower epoch counts only if this vector covers the claim.
   */
  readonly sees: Vector;
}

/** The terms of all coordinators, by rising epoch. */
export class CoordinatorTerms {
  readonly #list: CoordinatorTerm[] = [];

  add(term: CoordinatorTerm): void {
    insertByEpoch(this.#list, term);
  }

  /** Rises with each added term. */
  get version(): number {
    return this.#list.length;
  }

  /** The term with the highest epoch. */
  get last(): CoordinatorTerm | undefined {
    return this.#list.at(-1);
  }

  get highestEpoch(): Epoch {
    return this.last?.epoch ?? noEpoch;
  }

  of(epoch: Epoch): CoordinatorTerm | undefined {
    return this.#list.findLast((term) => compareEpochs(term.epoch, epoch) === 0);
  }

  all(): readonly CoordinatorTerm[] {
    return this.#list.slice();
  }
}

/**
 * Inserts an item by epoch, then by the total order. So the list does not depend on the order in
 * which items are added.
 */
export function insertByEpoch<T extends Placed & { readonly epoch: Epoch }>(
  list: T[],
  item: T,
): void {
  const at = list.findLastIndex((other) => {
    return (compareEpochs(other.epoch, item.epoch) || compareOrder(other, item)) < 0;
  });
  list.splice(at + 1, 0, item);
}
