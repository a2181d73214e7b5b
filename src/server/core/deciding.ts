import type {
  CoordinationAnswer,
  CoordinationRequest,
  OwnFields,
  ReplicationMessage,
} from "../../protocol/peer-messages.ts";
import type { DecisionFaults } from "../../protocol/reference-messages.ts";
import type { ClockSync } from "./coordinator/clock-sync.ts";
import type { Election } from "./coordinator/election.ts";
import { Decisions } from "./decisions/decisions.ts";
import { ReadsAsOfNow } from "./decisions/reads-as-of-now.ts";
import type { Now } from "./effects.ts";
import type { Content } from "./facts.ts";
import type { Replica } from "./replica/replica.ts";

interface DecidingParts {
  readonly replica: Replica;
  readonly content: Content;
  readonly election: Election;
  readonly clockSync: ClockSync;
}

/** Composes what works on the log of decisions: getting operations decided, and reads as of now. */
export class Deciding {
  readonly decisions: Decisions;
  readonly reads: ReadsAsOfNow;
  readonly #content: Content;
  readonly #faults: Faults;

  constructor({ replica, content, election, clockSync }: DecidingParts) {
    const { log } = content;
    this.decisions = new Decisions({ replica, log, election, clockSync });
    this.reads = new ReadsAsOfNow(replica, log);
    this.#content = content;
    this.#faults = new Faults(replica, content);
  }

  get faults(): DecisionFaults {
    const { log, accounts } = this.#content;
    const { unknownKind } = log;
    const differs = log.differs ?? this.#faults.differsFromMember;
    return { differs, unknownKind, hasFormer: accounts.hasFormer ? true : undefined };
  }

  advance(now: Now): void {
    this.decisions.advance(now);
    this.reads.advance(now);
    this.#faults.note();
  }

  /** Compares what a member has applied with what this server has applied. */
  hear(message: ReplicationMessage & { readonly type: "heartbeat" }): void {
    this.#faults.compare(message);
  }

  /** Answers the request of another server, now or later. */
  onRequest(
    request: CoordinationRequest & { readonly service: "forward" | "slots" },
    now: Now,
    answer: (fields: OwnFields<CoordinationAnswer>) => void,
  ): void {
    if (request.service === "forward") {
      return this.decisions.onForward(request.operations, now, (ends) => {
        answer({ service: "forward", ends });
      });
    }
    const { highest } = this.#content.log;
    if (this.reads.mayAnswer(request.number)) answer({ service: "slots", highest });
  }
}

/** Logs faults of the decisions that no server can mend, each once. */
class Faults {
  readonly #replica: Replica;
  readonly #content: Content;
  readonly #logged = new Set<string>();
  /** The first slot at which a member was seen to have applied something else. */
  differsFromMember: number | undefined;

  constructor(replica: Replica, content: Content) {
    this.#replica = replica;
    this.#content = content;
  }

  /** Compares what a member has applied with what this server had applied at the same slot. */
  compare({ server, applied }: ReplicationMessage & { readonly type: "heartbeat" }): void {
    const { log } = this.#content;
    if (applied === undefined || log.agrees(applied)) return;
    this.differsFromMember ??= applied.slot;
    const text = `What was decided up to slot ${applied.slot} differs here and at ${server}`;
    this.#log(`differs at ${server}`, text);
  }

  note(): void {
    const { log, accounts } = this.#content;
    if (log.unknownKind !== undefined) {
      const kind = JSON.stringify(log.unknownKind);
      const text = `Applies no decisions after slot ${log.applied}: the operation ${kind} is unknown`;
      this.#log(`unknown ${kind}`, text);
    }
    if (log.differs !== undefined) {
      this.#log("differs", `This server has two decisions of slot ${log.differs} that differ`);
    }
    if (accounts.hasFormer) {
      const text = "An older version has written accounts, which this version ignores (O60)";
      this.#log("former accounts", text);
    }
  }

  #log(fault: string, text: string): void {
    if (this.#logged.has(fault)) return;
    this.#logged.add(fault);
    this.#replica.effects.log("error", text);
  }
}
