import type { Grant } from "../../../protocol/client-messages.ts";
import { ProtocolError, type RefusalReason } from "../../../protocol/errors.ts";
import type { Written } from "../../../protocol/replies.ts";
import type { Now } from "../effects.ts";
import type { EventData, Operation } from "../facts.ts";
import type { Placed } from "../replica/placed.ts";
import { type Decision, idReused, refuse, type Services } from "../serving/decision.ts";
import { commit } from "../serving/write.ts";

/** Adds a session to the answer, if the decision is to commit. */
export function granting<Answer extends object>(
  decision: Decision<Answer>,
  grant: Grant,
): Decision<Answer> {
  if (decision.next !== "commit") return decision;
  const { answer } = decision;
  return { ...decision, answer: () => ({ ...answer(), grant }) };
}

/**
 * Decides a request whose id may already be in use: `before` has the changes that earlier requests
 * with this id made. Answers with a receipt if one of these changes is the requested change,
 * otherwise refuses. Returns undefined if `before` is empty.
 */
export function repeated<Change extends Placed>(
  services: Services,
  before: readonly Change[],
  isSame: (change: Change) => boolean,
): Decision<Written> | undefined {
  const event = before.find(isSame);
  if (event !== undefined) return commit(services, event);
  return before.length === 0 ? undefined : refuse(idReused());
}

export function maker<O extends Operation>({ ledger, correctedMs }: Services, operation: O) {
  return (data: EventData[O] & { readonly id?: Placed["id"] | undefined }, now: Now): Placed => {
    const event = ledger.make(operation, data, correctedMs(now));
    return { ...event, time: event.timestamp, id: data.id };
  };
}

/**
 * Returns the refusal for a wrong password. A name without an account gets the same refusal, so
 * that nobody can find out which accounts exist.
 */
export function wrong(): Decision<never> {
  return refusal("unauthenticated", "The name or the password is wrong.", "password_wrong");
}

export function refusal(
  code: ProtocolError["code"],
  description: string,
  reason?: RefusalReason,
): Decision<never> {
  return refuse(new ProtocolError(code, description, { reason }));
}
