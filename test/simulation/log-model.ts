import type { Chain, ServerName } from "../../src/protocol/ids.ts";
import { type Decided, keyOf, type Operation } from "../../src/protocol/operation.ts";
import { assertPromise } from "../support/check-promises.ts";
import type { VirtualServer } from "../support/virtual-server.ts";

interface Outcome {
  readonly slot: number;
  readonly outcome: string;
  readonly byWhom: ServerName;
}

interface Told extends Outcome {
  readonly operation: Pick<Operation, "by" | "id">;
  /** The highest slot that anybody had been told of when the operation was first sent. */
  readonly toldBefore: number;
}

/**
 * Checks the log of decisions against a sequential one: each slot has one content, each operation
 * has one outcome for ever, an outcome that was told is in every log, no operation takes effect
 * before one that was told before it was sent, and reads as of now show all that was told (D1 to D9).
 */
export class LogModel {
  /** For each slot, a digest of all that came of it and of the slots before it. */
  readonly #digests = new Map<number, { readonly digest: Chain; readonly byWhom: ServerName }>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #told: Told[] = [];
  /** The highest slot that anybody was told of. */
  highestTold = 0;

  /** Watches what a new process applies. */
  watch({ name, core }: VirtualServer): void {
    const { onApplied } = core.log;
    core.log.onApplied = (operation, decided) => {
      this.#apply(operation, { ...decided, byWhom: name });
      onApplied(operation, decided);
    };
  }

  onStep({ name, core }: VirtualServer): void {
    const { applied, digest } = core.log.head;
    const other = this.#digests.get(applied);
    if (other === undefined) this.#digests.set(applied, { digest, byWhom: name });
    const text = `${name} and ${other?.byWhom} have applied different contents up to slot ${applied}`;
    assertPromise(other === undefined || other.digest === digest, "D5", text);
  }

  #apply(operation: Operation, { slot, outcome, byWhom }: Outcome): void {
    if (mayDiffer(operation, { slot, outcome })) return;
    const key = keyOf(operation);
    const first = this.#outcomes.get(key);
    if (first === undefined) this.#outcomes.set(key, { slot, outcome, byWhom });
    const text = `${operation.by}'s ${operation.id} is ${first?.outcome} in ${first?.slot} at ${first?.byWhom}, ${outcome} in ${slot} at ${byWhom}`;
    const isSame = first === undefined || (first.slot === slot && first.outcome === outcome);
    assertPromise(isSame, "D9", text);
  }

  /** Records an outcome that somebody was told. */
  tell(told: Told): void {
    this.highestTold = Math.max(this.highestTold, told.slot);
    this.#told.push(told);
  }

  /** Records that a read was answered with the state up to a slot. @param toldBefore as in `Told` */
  noteRead(slot: number, toldBefore: number, byWhom: ServerName): void {
    const text = `${byWhom} reads up to slot ${slot}, and slot ${toldBefore} was told before`;
    assertPromise(slot >= toldBefore, "D8", text);
    this.highestTold = Math.max(this.highestTold, slot);
  }

  /** Checks, when all faults are over, that what was told is in every log. */
  check(up: readonly VirtualServer[]): void {
    const [first] = up;
    for (const { name, core } of up) {
      const text = `${name} has applied ${core.log.applied} slots, and ${core.log.open().length} are open`;
      const isSettled = core.log.applied === first?.core.log.applied;
      assertPromise(isSettled && core.log.open().length === 0, "D3", text);
      assertPromise(
        core.log.applied >= this.highestTold,
        "D5",
        `${text}; ${this.highestTold} told`,
      );
    }
    for (const { operation, slot, outcome, byWhom, toldBefore } of this.#told) {
      const found = this.#outcomes.get(keyOf(operation));
      const told = `${byWhom} told ${operation.by} that ${operation.id} is ${outcome} in ${slot}`;
      if (outcome === "expired") {
        // A client that is never more than `operationsAhead` ahead gets `expired` only for what was done.
        assertPromise(found !== undefined, "D9", `${told}, and it was never done`);
        continue;
      }
      const text = `${told}; it is ${found?.outcome} in ${found?.slot}`;
      assertPromise(found?.outcome === outcome && found.slot <= slot, "D5", text);
      assertPromise(
        found.slot > toldBefore,
        "D5",
        `${text}, although ${toldBefore} was told before`,
      );
    }
  }
}

/** Whether copies may have other outcomes: `name_taken` also stands for `expired` (D9). */
function mayDiffer({ kind }: Operation, { outcome }: Pick<Decided, "slot" | "outcome">): boolean {
  return outcome === "expired" || (kind === "register" && outcome === "name_taken");
}
