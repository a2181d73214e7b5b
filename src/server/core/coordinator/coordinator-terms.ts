import { compareEpochs, type Epoch, noEpoch } from "../../../protocol/epoch.ts";
import { compareOrder } from "../../../protocol/event.ts";
import type { Vector } from "../../../protocol/vector.ts";
import type { Placed } from "../replica/placed.ts";

/** The term of one coordinator, which begins with its `coordinator` event. */
export interface CoordinatorTerm extends Placed {
  readonly epoch: Epoch;
  /**
   * The coordinator's durable vector at the beginning of its term. The vector covers all events
   * that a quorum had on disk when the quorum promised the epoch.
   */
  readonly sees: Vector;
}

/** The term of the highest epoch. The terms of lower epochs are not needed: a mark
 * settles only decisions of its own epoch (D4). */
export class CoordinatorTerms {
  last: CoordinatorTerm | undefined;

  add(term: CoordinatorTerm): void {
    const { last } = this;
    if (
      last === undefined ||
      (compareEpochs(term.epoch, last.epoch) || compareOrder(last, term)) > 0
    )
      this.last = term;
  }

  get highestEpoch(): Epoch {
    return this.last?.epoch ?? noEpoch;
  }

  /** Returns the term of an epoch if it is the highest. */
  of(epoch: Epoch): CoordinatorTerm | undefined {
    return compareEpochs(this.highestEpoch, epoch) === 0 ? this.last : undefined;
  }
}
