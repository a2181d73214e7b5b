import type { Grant, ParsedRequest } from "../../../protocol/client-messages.ts";
import { ProtocolError, type RefusalReason } from "../../../protocol/errors.ts";
import type { RequestId, UserName } from "../../../protocol/ids.ts";
import type { Decided, Operation } from "../../../protocol/operation.ts";
import { type Decision, refuse, type Services } from "../serving/decision.ts";
import { locked } from "./access.ts";
import type { AccountKind, AccountOutcome, Rights } from "./account-operations.ts";

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
 * Makes an operation from a request. What the request does not say is taken from this server: an id
 * that no other operation has (R7), and the slot that this server has applied (D9).
 */
export function operationOf<Fields extends object>(
  { name, clock, log }: Services,
  kind: string,
  { id, sinceSlot, by, fields }: Asked<Fields>,
): Operation {
  const own = id ?? (`${name}/${clock.tick()}` as RequestId);
  return { kind, by, id: own, since: sinceSlot ?? log.applied, ...fields };
}

interface Asked<Fields extends object> {
  readonly id: RequestId | undefined;
  readonly sinceSlot?: number | undefined;
  readonly by: UserName;
  readonly fields: Fields;
}

/** Whose right the request claims: that of its session. The log judges it (D5). */
export function rightsOf({ session }: ParsedRequest): Rights {
  if (session?.isOperator === true) return { isOperator: true };
  return { user: session?.user, version: session?.version };
}

/** Whether the operation is of this kind, and was made of a request with these fields. */
export function isOf(operation: Operation, kind: AccountKind, fields: object): boolean {
  const isSame = ([name, value]: [string, unknown]) => operation[name] === value;
  return operation.kind === kind && Object.entries(fields).every(isSame);
}

/** Decides the answer to an operation by its outcome. @param grant the session that it grants */
export function told({ slot, outcome, operation }: Decided, grant?: Grant): Decision {
  if (outcome === "done") return { next: "answer", slot, answer: { grant } };
  return refuse(outcomeError(outcome, operation), slot);
}

/** Returns the error of an operation that was not done. */
export function outcomeError(outcome: string, { by, user = by }: Operation): ProtocolError {
  const error = errors[outcome as keyof typeof errors] ?? errors.invalid;
  return error(String(user), by);
}

const errors: Readonly<
  Record<Exclude<AccountOutcome, "done"> | "expired", (user: string, by: UserName) => ProtocolError>
> = {
  name_taken: (user) => {
    return new ProtocolError("name_taken", `The name "${user}" belongs to an account already.`);
  },
  name_confusable: (user) => {
    const text = `A name that looks like "${user}" belongs to an account already.`;
    return new ProtocolError("name_taken", text, { reason: "name_confusable" });
  },
  // The sender may be a guest, so the error does not reveal the similar name. Only `users`, which
  // requires a session, lists names.
  name_in_use: (user) => {
    const name = `The name "${user}", or one that looks like it,`;
    return forbidden(
      "name_in_use",
      `${name} is in use, without an account: an administrator makes it.`,
    );
  },
  registration_closed: () => {
    return forbidden("registration_closed", "Registration is closed: ask an administrator.");
  },
  invitation_wanted: () => {
    const text = "Registration wants the `invitation` of an administrator.";
    return forbidden("invitation_wanted", text);
  },
  user_not_found: (user) => {
    return new ProtocolError("user_not_found", `There is no account "${user}".`);
  },
  // A name without an account gets the same refusal, so that nobody can find out which accounts
  // exist.
  password_wrong: () => {
    const text = "The name or the password is wrong.";
    return new ProtocolError("unauthenticated", text, { reason: "password_wrong" });
  },
  password_changed: () => {
    const text = "The session has ended, since the password was changed: log in again.";
    return new ProtocolError("unauthenticated", text, { reason: "password_changed" });
  },
  account_locked: (_, by) => locked(by),
  not_administrator: () => {
    return forbidden("not_administrator", "Only an administrator may do that.");
  },
  expired: () => {
    const text = "The request is so old that nobody knows what came of it; nothing was done now.";
    return new ProtocolError("expired", text);
  },
  invalid: () =>
    new ProtocolError("internal", "The servers could not read what was to be decided."),
};

function forbidden(reason: RefusalReason, description: string): ProtocolError {
  return new ProtocolError("forbidden", description, { reason });
}

export function wrong(): Decision<never> {
  return refuse(errors.password_wrong("", "" as UserName));
}

export function refusal(
  code: ProtocolError["code"],
  description: string,
  reason?: RefusalReason,
): Decision<never> {
  return refuse(new ProtocolError(code, description, { reason }));
}
