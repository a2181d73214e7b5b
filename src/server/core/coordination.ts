import { durations } from "../../protocol/limits.ts";
import type {
  ClaimOutcome,
  CoordinationAnswer,
  CoordinationRequest,
} from "../../protocol/peer-messages.ts";
import type { Claims } from "./accounts/claims.ts";
import type { Acceptor, Proposal } from "./coordinator/acceptor.ts";
import type { ClockSync } from "./coordinator/clock-sync.ts";
import type { Election } from "./coordinator/election.ts";
import type { Answered, Effects, Now, ReplyTo } from "./effects.ts";
import type { Replica } from "./replica/replica.ts";
import type { Rotation } from "./replica/rotation.ts";

export interface CoordinationParts {
  readonly replica: Replica;
  readonly rotation: Rotation;
  readonly election: Election;
  readonly acceptor: Acceptor;
  readonly claims: Claims;
  readonly clockSync: ClockSync;
  readonly effects: Effects;
}

/** What the members ask each other about the office: who holds it, and what only its holder decides. */
export class Coordination {
  readonly #parts: CoordinationParts;

  constructor(parts: CoordinationParts) {
    this.#parts = parts;
  }

  onRequest(to: ReplyTo, request: CoordinationRequest, now: Now): void {
    const { replica, rotation, election, acceptor, claims, clockSync, effects } = this.#parts;
    replica.hear(request, now);
    // A server that lost something promises and accepts nothing.
    if (replica.missesEvents) return;
    const answer = (fields: Unanswered) => {
      const full = { ...replica.summary(), ...fields } as CoordinationAnswer;
      effects.add({ type: "answerPeer", to, answer: full });
    };
    switch (request.service) {
      case "election":
        election.onElection(request.epoch, now);
        // An answer makes the asker wait: only a server in office, or one that may come into it,
        // has a word in this.
        if (rotation.isStopping || !election.mayLead(now)) return;
        return answer({ service: "election" });
      case "candidate":
      case "accept":
        if (!election.believes(request.epoch)) return;
        return acceptor.ask(to, request as Proposal, now);
      case "forward":
        if (claims.isFull) return;
        return claims.add({
          ...request.claim,
          deadlineMs: now.steadyMs + durations.peerRequestMs,
          isForwarded: true,
          settle: ({ outcome, event, credential }) => {
            answer({ service: "forward", outcome, seq: event?.seq, credential });
          },
        });
      case "clock": {
        // One that is no longer in office corrects nobody.
        if (election.coordinator?.name !== request.server) return;
        const isCorrected = clockSync.rounds > 0;
        const timeMs = clockSync.onRequest(request, now);
        return answer({ service: "clock", timeMs, isCorrected });
      }
      default:
        request satisfies never;
    }
  }

  onAnswer(input: Answered, now: Now): void {
    const { replica, election, claims, clockSync } = this.#parts;
    const { from, request } = input;
    // At the address of one that is gone another may answer: it speaks for itself alone.
    const answer = input.answer?.server === from ? input.answer : undefined;
    if (answer !== undefined) replica.hear(answer, now);
    if (request.service === "forward") {
      claims.onForwarded({ from, claim: request.claim, answer }, now);
    } else if (request.service === "clock") {
      clockSync.onAnswer({ from, request, answer }, now);
    } else {
      election.onAnswer({ from, request, answer }, now);
    }
  }
}

type Unanswered =
  | { readonly service: "election" }
  | {
      readonly service: "forward";
      readonly outcome: ClaimOutcome;
      readonly seq: number | undefined;
      readonly credential: string | undefined;
    }
  | { readonly service: "clock"; readonly timeMs: number; readonly isCorrected: boolean };
