import assert from "node:assert";
import { type Epoch, parseEpoch } from "../../../protocol/epoch.ts";
import { limits } from "../../../protocol/limits.ts";
import { parseVector, sorted, type Vector } from "../../../protocol/vector.ts";
import type { FactTable } from "../replica/fact.ts";
import { writePlace } from "../replica/placed.ts";
import type { CoordinatorTerms } from "./coordinator-terms.ts";

/** For each operation, the data of its events. */
export interface CoordinatorData {
  /**
   * A candidate begins its term with this event, once the candidate has the promises of a quorum
   * and all events that the promising members had on disk (E2).
   */
  coordinator: { readonly epoch: Epoch; readonly sees: Vector };
}

export function coordinatorFacts(terms: CoordinatorTerms): FactTable<CoordinatorData> {
  return {
    coordinator: {
      parse: (data) => ({
        epoch: readEpoch(data.epoch),
        sees: parseVector(data.sees, "sees", limits.memberVectorServers),
      }),
      fold: (data, placed) => terms.add({ ...data, ...placed }),
      freeze: () => {
        const { last } = terms;
        if (last === undefined) return { entries: [] };
        const { epoch, sees } = last;
        return { entries: [{ epoch, sees: sorted(sees), ...writePlace(last) }] };
      },
      isOldRow: (row) => row.sees !== undefined,
    },
  };
}

/** @throws Error if the value is not an epoch */
export function readEpoch(value: unknown): Epoch {
  const epoch = parseEpoch(value);
  assert(epoch !== undefined, "`epoch` is invalid");
  return epoch;
}
