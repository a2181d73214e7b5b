import type {
  CoordinationAnswer,
  CoordinationRequest,
  OwnFields,
} from "../../protocol/peer-messages.ts";
import type { Acceptor, GrantRequest } from "./coordinator/acceptor.ts";
import type { ClockSync } from "./coordinator/clock-sync.ts";
import type { Election } from "./coordinator/election.ts";
import type { Deciding } from "./deciding.ts";
import type { Answered, Now, ReplyTo } from "./effects.ts";
import type { Replica } from "./replica/replica.ts";
import type { Rotation } from "./replica/rotation.ts";
import type { Traces } from "./serving/traces.ts";

interface CoordinationParts {
  readonly replica: Replica;
  readonly rotation: Rotation;
  readonly election: Election;
  readonly acceptor: Acceptor;
  readonly deciding: Deciding;
  readonly clockSync: ClockSync;
  readonly traces: Traces;
}

/**
 * Handles other members' requests about elections, decisions, clocks and steps, and their answers to
 * this server's requests.
 */
export class Coordination {
  readonly #parts: CoordinationParts;

  constructor(parts: CoordinationParts) {
    this.#parts = parts;
  }

  onRequest(to: ReplyTo, request: CoordinationRequest, now: Now): void {
    const { replica, rotation, election, acceptor, deciding, clockSync, traces } = this.#parts;
    replica.hear(request, now);
    // A server whose disk lost events must not promise or accept anything until the events are
    // back, so it does not answer.
    if (replica.missesEvents) return;
    const answer = (fields: OwnFields<CoordinationAnswer>) => {
      const full = { ...replica.summary(), ...fields } as CoordinationAnswer;
      replica.effects.add({ type: "answerPeer", to, answer: full });
    };
    switch (request.service) {
      case "election":
        election.onElection(request.epoch, now);
        // A server that gets an answer waits for a coordinator. So this server answers only if it
        // may be coordinator.
        if (rotation.isStopping || !election.mayBeCoordinator(now)) return;
        return answer({ service: "election" });
      case "candidate":
      case "accept":
        if (!election.believes(request.epoch)) return;
        return acceptor.ask(to, request as GrantRequest, now);
      case "forward":
      case "slots":
        return deciding.onRequest(request, now, answer);
      case "clock": {
        // Only the present coordinator may correct this server's clock.
        if (election.coordinator?.name !== request.server) return;
        const isCorrected = clockSync.rounds > 0;
        const timeMs = clockSync.onRequest(request, now);
        return answer({ service: "clock", timeMs, isCorrected });
      }
      case "steps":
        return answer({ service: "steps", ...traces.remembered(request.of, now) });
      default:
        request satisfies never;
    }
  }

  onAnswer(input: Answered, now: Now): void {
    const { replica, election, deciding, clockSync, traces } = this.#parts;
    const { from, request } = input;
    // Another server may now use the address of the peer that was asked. An answer from another
    // server does not count.
    const answer = input.answer?.server === from ? input.answer : undefined;
    if (answer !== undefined) replica.hear(answer, now);
    if (request.service === "forward") {
      deciding.decisions.onForwarded({ from, request, answer }, now);
    } else if (request.service === "slots") {
      deciding.reads.onAnswer({ from, request, answer });
    } else if (request.service === "clock") {
      clockSync.onAnswer({ from, request, answer }, now);
    } else if (request.service === "steps") {
      traces.onAnswer({ from, request, answer }, now);
    } else {
      election.onAnswer({ from, request, answer }, now);
    }
  }
}
