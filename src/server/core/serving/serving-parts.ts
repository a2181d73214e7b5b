import type { ParsedRequest } from "../../../protocol/client-messages.ts";
import type { Passwords } from "../accounts/passwords.ts";
import type { DecisionLog } from "../decisions/decision-log.ts";
import type { Decisions } from "../decisions/decisions.ts";
import type { ReadsAsOfNow } from "../decisions/reads-as-of-now.ts";
import type { Replication } from "../replica/replication.ts";
import type { Services } from "./decision.ts";
import type { Flood } from "./flood.ts";
import { type LateWords, lateInReplicas } from "./refusals.ts";
import type { ServiceTable } from "./service.ts";
import type { Traces } from "./traces.ts";
import { WaitingAnswers } from "./waiting-answers.ts";
import { WaitingWrites } from "./waiting-writes.ts";

/** What the handling of requests uses: the services, and where requests wait. */
export interface ServingParts {
  readonly services: Services;
  readonly table: ServiceTable;
  readonly writes: Pick<WaitingWrites, "add" | "due" | "repeated" | "size">;
  readonly answers: Pick<WaitingAnswers, "add" | "due" | "size">;
  readonly decisions: Pick<Decisions, "advance" | "ask" | "hasWaiting" | "isFull">;
  readonly reads: Pick<ReadsAsOfNow, "add">;
  readonly passwords: Passwords;
  readonly traces: Pick<Traces, "add" | "isFullFor">;
  readonly flood: Flood;
  readonly late: LateWords;
  /** Returns a server that may be of a version without decisions (O60). */
  memberWithoutDecisions(steadyMs: number): string | undefined;
  /** Returns why what a request reads is not at hand now, also if it has waited. */
  unready?(request: ParsedRequest): string | undefined;
}

/** Returns what makes requests of a replicated cluster wait for its other servers. */
export function replicaWaits(
  { name, log }: { readonly name: Services["name"]; readonly log: DecisionLog },
  replication: Replication,
): Pick<ServingParts, "writes" | "answers" | "late" | "memberWithoutDecisions"> {
  return {
    late: lateInReplicas,
    writes: new WaitingWrites(name, replication),
    answers: new WaitingAnswers({ replication, log }),
    memberWithoutDecisions: (steadyMs) => replication.memberWithoutDecisions(steadyMs),
  };
}
