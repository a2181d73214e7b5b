import { durations } from "../../../protocol/limits.ts";
import type { DecisionLog } from "../decisions/decision-log.ts";
import type { Replication } from "../replica/replication.ts";
import type { Decision } from "./decision.ts";
import type { PayloadReply, Pending } from "./payload-reply.ts";

/** An answer or an error. */
export type Told = Decision & { readonly next: "answer" | "refuse" };

/** An answer that tells of a decided operation, to a client that sends no `after`. */
interface WaitingAnswer extends Pending {
  readonly decision: Told;
  readonly slot: number;
}

interface Parts {
  readonly replication: Pick<Replication, "onAllLiveApplied">;
  readonly log: Pick<DecisionLog, "applied">;
}

type Timed = WaitingAnswer & { readonly deadlineMs: number };

export function reply(payload: PayloadReply, index: number, decision: Told): void {
  if (decision.next === "answer") payload.answer(index, decision.answer, decision.slot);
  else payload.refuse(index, decision.error, decision.slot);
}

/**
 * Answers that wait until all live members have applied the slot of the operation that they tell of,
 * so that the person's next command sees it at any server (R9). This server waits for itself too: the
 * coordinator tells it an outcome before the mark arrives.
 */
export class WaitingAnswers {
  readonly #replication: Parts["replication"];
  readonly #log: Parts["log"];
  #waiting: Timed[] = [];

  constructor({ replication, log }: Parts) {
    this.#replication = replication;
    this.#log = log;
  }

  get size(): number {
    return this.#waiting.length;
  }

  add(answer: WaitingAnswer, steadyMs: number): void {
    this.#waiting.push({ ...answer, deadlineMs: steadyMs + durations.allMembersMs });
  }

  /** Removes and returns the answers that can be sent now. */
  due(steadyMs: number): readonly WaitingAnswer[] {
    if (this.#waiting.length === 0) return [];
    const isDue = ({ slot, deadlineMs }: Timed) => {
      if (steadyMs >= deadlineMs) return true;
      return this.#log.applied >= slot && this.#replication.onAllLiveApplied(slot, steadyMs);
    };
    const due = this.#waiting.filter(isDue);
    if (due.length > 0) this.#waiting = this.#waiting.filter((one) => !due.includes(one));
    return due;
  }
}
