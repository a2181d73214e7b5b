import { compareEpochs, type Epoch, noEpoch } from "../../../protocol/epoch.ts";
import { compareOrder } from "../../../protocol/event.ts";
import type { Vector } from "../../../protocol/vector.ts";
import type { Placed } from "../replica/placed.ts";

/** A coordinator's entry into office. */
export interface CoordinatorTerm extends Placed {
  readonly epoch: Epoch;
  /** All that a quorum had on disk when it promised the epoch: what stands outside was in vain. */
  readonly sees: Vector;
}

/** Every entry into office, by epoch. */
export class CoordinatorTerms {
  readonly #list: CoordinatorTerm[] = [];

  add(term: CoordinatorTerm): void {
    insertByEpoch(this.#list, term);
  }

  /** Rises with each of them. */
  get version(): number {
    return this.#list.length;
  }

  /** The one with the highest epoch. */
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

/** By epoch, within one by the total order: the same list whatever order it came in. */
export function insertByEpoch<T extends Placed & { readonly epoch: Epoch }>(
  list: T[],
  item: T,
): void {
  const at = list.findLastIndex((other) => {
    return (compareEpochs(other.epoch, item.epoch) || compareOrder(other, item)) < 0;
  });
  list.splice(at + 1, 0, item);
}
