import type { ParsedRequest } from "../../../protocol/client-messages.ts";
import type { ProtocolError } from "../../../protocol/errors.ts";
import type { UserName } from "../../../protocol/ids.ts";
import type { Decided } from "../../../protocol/operation.ts";
import { type Decision, idReused, refuse, type Services } from "../serving/decision.ts";
import { operationOf, outcomeError, rightsOf } from "./account-decisions.ts";

interface Asked<Operations, K extends keyof Operations> {
  readonly by: UserName;
  readonly kind: K;
  /** What the request says. A repeated request must say the same. */
  readonly fields: Partial<Operations[K]>;
  /** What the server adds. */
  readonly more?: Partial<Operations[K]>;
}

/**
 * Returns a function that has operations decided on behalf of requests, with the rights of their
 * sessions, and answers with what they made.
 * @param errors for each outcome of these operations, the error; without those of rights
 */
export function asking<Operations extends object>(
  errors: Readonly<Record<string, () => ProtocolError>>,
) {
  return <K extends keyof Operations & string, Answer extends object>(
    services: Services,
    request: ParsedRequest,
    { by, kind, fields, more }: Asked<Operations, K>,
  ): Decision<Answer> => {
    const { id, sinceSlot } = request;
    const settle = ({ operation, outcome, result = {}, slot }: Decided): Decision<Answer> => {
      const isSame = ([name, value]: [string, unknown]) =>
        JSON.stringify(operation[name]) === JSON.stringify(value);
      if (operation.kind !== kind || !Object.entries(fields).every(isSame)) {
        return refuse(idReused());
      }
      if (outcome === "done") return { next: "answer", slot, answer: result as Answer };
      return refuse(errors[outcome]?.() ?? outcomeError(outcome, operation), slot);
    };
    const first = services.log.find(by, id);
    if (first !== undefined) return settle(first);
    const asked = { ...fields, ...more, rights: rightsOf(request) };
    const operation = operationOf(services, kind, { id, sinceSlot, by, fields: asked });
    return { next: "decide", operation, settle };
  };
}
