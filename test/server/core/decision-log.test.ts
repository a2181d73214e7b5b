import { describe, expect, test } from "vitest";
import { digest } from "../../../src/platform/digest.ts";
import type { Epoch } from "../../../src/protocol/epoch.ts";
import type { RequestId, UserName } from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import type { Operation } from "../../../src/protocol/operation.ts";
import { type Decision, DecisionLog } from "../../../src/server/core/decisions/decision-log.ts";

const ana = "ana" as UserName;

function epoch(term: number): Epoch {
  return { view: 1, term };
}

/** An operation that takes a unit of the stock of three units. */
function take(id: string, since = 0, by = ana): Operation {
  return { kind: "take", by, id: id as RequestId, since };
}

function decision(term: number, slot: number, ...ops: Operation[]): Decision {
  return { epoch: epoch(term), slot, time: 10 * slot, ops };
}

/** A log with a stock of three units, and what it tells. */
function stock() {
  const told: string[] = [];
  let left = 3;
  const log = new DecisionLog({
    digest,
    kinds: {
      take: () => {
        if (left === 0) return "sold out";
        left -= 1;
        return "done";
      },
    },
    expired: () => "expired",
  });
  log.onApplied = ({ id }, { outcome, slot }) => told.push(`${id} ${outcome} in ${slot}`);
  return { log, told, left: () => left };
}

describe("what is settled", () => {
  test("[D4] a mark of one epoch settles no decision of another epoch, although that decision has the same slot", () => {
    const { log, told } = stock();
    log.add(decision(1, 1, take("overruled")));
    log.settle({ epoch: epoch(2), upTo: 1 });
    expect(log.applied).toBe(0);
    // The mark may come before its decision.
    log.add(decision(2, 1, take("chosen")));
    expect(told).toEqual(["chosen done in 1"]);
  });

  test("[D4] a mark settles only slots of which its own epoch has a decision", () => {
    const { log } = stock();
    log.add(decision(1, 1, take("of an earlier term")));
    log.add(decision(3, 2, take("of the third term")));
    log.settle({ epoch: epoch(3), upTo: 2 });
    expect(log.applied).toBe(0);
    log.add(decision(2, 1, take("settled elsewhere")));
    log.settle({ epoch: epoch(2), upTo: 1 });
    expect(log.applied).toBe(2);
    expect(log.find(ana, "of an earlier term" as RequestId)).toBeUndefined();
  });

  test("[D5] decisions are applied in the order of their slots, whatever the order in which they come", () => {
    const { log, told } = stock();
    log.settle({ epoch: epoch(1), upTo: 3 });
    for (const slot of [3, 2]) log.add(decision(1, slot, take(`take ${slot}`)));
    expect(told).toEqual([]);
    log.add(decision(1, 1, take("take 1")));
    expect(told).toEqual(["take 1 done in 1", "take 2 done in 2", "take 3 done in 3"]);
  });

  test("[D2] of several open decisions of a slot, the next coordinator proposes that of the highest epoch", () => {
    const { log } = stock();
    log.add(decision(2, 1, take("of the second term")));
    log.add(decision(1, 1, take("of the first term")));
    expect(log.standing(1, epoch(3))?.ops).toEqual([take("of the second term")]);
    expect(log.standing(1, epoch(2))?.ops).toEqual([take("of the first term")]);
    expect(log.standing(1, epoch(1))).toBeUndefined();
    log.add(decision(1, 4));
    expect([log.highestBelow(epoch(2)), log.highestBelow(epoch(1))]).toEqual([4, 0]);
  });

  test("[D6] a decision or a mark of a slot that is applied is dropped", () => {
    const { log, told } = stock();
    log.add(decision(2, 1, take("chosen")));
    log.settle({ epoch: epoch(2), upTo: 1 });
    log.add(decision(1, 1, take("late")));
    log.settle({ epoch: epoch(1), upTo: 1 });
    expect([log.open(), log.marks()]).toEqual([[], []]);
    expect(told).toEqual(["chosen done in 1"]);
  });

  test("[D5] two settled decisions of one slot with different contents are noticed as a fault", () => {
    const { log } = stock();
    log.add(decision(1, 1, take("one")));
    log.add(decision(2, 1, take("another")));
    log.settle({ epoch: epoch(1), upTo: 2 });
    expect(log.differs).toBeUndefined();
    const other = stock().log;
    other.add(decision(1, 2, take("one")));
    other.add(decision(2, 2, take("another")));
    other.settle({ epoch: epoch(1), upTo: 2 });
    other.settle({ epoch: epoch(2), upTo: 2 });
    other.add(decision(1, 1));
    expect([other.applied, other.differs]).toEqual([2, 2]);
  });

  test("[D5] a log stops at an operation of an unknown kind, skips nothing, and names the kind", () => {
    const { log, told } = stock();
    log.add(decision(1, 1, take("before"), { ...take("strange"), kind: "of the future" }));
    log.add(decision(1, 2, take("after")));
    log.settle({ epoch: epoch(1), upTo: 2 });
    expect([log.applied, log.unknownKind, told]).toEqual([0, "of the future", []]);
  });

  test("[D5] the digests of two logs agree exactly if the same was done in the same slots", () => {
    const logOf = (...contents: Operation[][]) => {
      const { log } = stock();
      for (const [at, ops] of contents.entries()) log.add(decision(1, at + 1, ...ops));
      log.settle({ epoch: epoch(1), upTo: contents.length });
      return log;
    };
    const log = logOf([take("a")], [take("b")]);
    const { digest: own, applied: slot } = log.head;
    expect(log.agrees({ slot, digest: own })).toBe(true);
    expect(log.agrees({ slot, digest: logOf([take("a")], [take("c")]).head.digest })).toBe(false);
    // Of a slot that this log has not applied it knows nothing.
    expect(log.agrees({ slot: 3, digest: own })).toBe(true);
  });
});

describe("[D9] an operation that comes again", () => {
  /** Applies operations, each in a slot of its own. @returns what was told of the last one */
  function applied(log: DecisionLog, told: readonly string[], ...ops: Operation[]) {
    for (const operation of ops) {
      const slot = log.applied + 1;
      log.add(decision(1, slot, operation));
      log.settle({ epoch: epoch(1), upTo: slot });
    }
    return told.at(-1);
  }

  const others = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => take(`other ${from + at}`, from + at));

  test("an operation with a used id does nothing, and gets the outcome and the slot of the first one", () => {
    const { log, told, left } = stock();
    applied(log, told, take("mine"));
    expect(applied(log, told, { ...take("mine"), since: 1 })).toBe("mine done in 1");
    expect(left()).toBe(2);
    // The id of another user is another id.
    applied(log, told, take("mine", 0, "bia" as UserName));
    expect(left()).toBe(1);
  });

  test("a copy that comes after as many later operations of the same user as are remembered does nothing, and expires", () => {
    const { log, told, left } = stock();
    applied(log, told, take("mine"), ...others(1, limits.keptOperations - 1));
    expect(applied(log, told, take("mine"))).toBe("mine done in 1");
    applied(log, told, take("one too many", 1));
    expect(applied(log, told, take("mine"))).toMatch(/^mine expired/);
    expect(left()).toBe(0);
  });

  test("an operation that was first sent after the floor is done, however many the user has asked for", () => {
    const { log, told } = stock();
    applied(log, told, ...others(0, 3 * limits.keptOperations));
    expect(applied(log, told, take("new", log.applied))).toMatch(/^new sold out/);
    expect(applied(log, told, take("old", limits.keptOperations))).toMatch(/^old expired/);
  });

  test("an operation that expired is not kept, so that it pushes no other operation out", () => {
    const { log, told } = stock();
    applied(log, told, ...others(0, limits.keptOperations + 1));
    const before = log.remembered();
    applied(log, told, take("old"));
    expect(log.remembered()).toEqual(before);
  });
});
