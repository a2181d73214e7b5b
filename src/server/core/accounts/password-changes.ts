import type { RequestOf } from "../../../protocol/client-messages.ts";
import type { Chain, RequestId, UserName } from "../../../protocol/ids.ts";
import type { Decided } from "../../../protocol/operation.ts";
import type { Replies } from "../../../protocol/replies.ts";
import { type Decision, idReused, refuse, type Services } from "../serving/decision.ts";
import { locked } from "./access.ts";
import { isOf, operationOf, rightsOf, told, wrong } from "./account-decisions.ts";
import { doubtful, isDoubtful } from "./login.ts";

/**
 * Decides a user's request to change their password, which requires the old password. The change
 * ends all of the user's sessions, including the sender's; the reply grants a new session.
 */
export function changePassword(
  services: Services,
  request: RequestOf<"password">,
): Decision<Replies["password"]> {
  const { user, password, newPassword, id, sinceSlot } = request;
  const { log } = services;
  const known = services.accounts.credential(user);
  const check = { password, credential: known?.credential };
  const lock = () => (services.accounts.has("locked", user) ? refuse(locked(user)) : undefined);
  const first = log.find(user, id);
  if (first !== undefined) return again(services, request, first);
  return {
    next: "password",
    work: { check, hash: newPassword },
    settle: ({ isRight, credential = "" }) => {
      if (!isRight) return wrong();
      const refusal = lock();
      if (refusal !== undefined) return refusal;
      if (isDoubtful(services, user)) return doubtful(user);
      if (known === undefined || services.accounts.credential(user)?.version !== known.version) {
        // Perhaps another copy of this request has set the new password meanwhile.
        const copy = log.find(user, id);
        return copy === undefined ? wrong() : again(services, request, copy);
      }
      const { version: from } = known;
      const fields = { credential, from, version: newVersion(services, from, { id, by: user }) };
      return {
        next: "decide",
        operation: operationOf(services, "password", { id, sinceSlot, by: user, fields }),
        settle: (decided) => {
          const isOwn = decided.operation.credential === credential;
          return isOwn ? grant(decided) : again(services, request, decided);
        },
      };
    },
  };
}

/** Decides the answer to a change of a password by the operation that already has its id. */
function again(
  services: Services,
  { user, password, newPassword }: RequestOf<"password">,
  first: Decided,
): Decision<Replies["password"]> {
  const reused = (): Decision<never> => ({
    next: "password",
    work: { check: { password, credential: services.accounts.credential(user)?.credential } },
    // The error reveals that the id is in use, so only a sender with the right password gets it.
    settle: ({ isRight }) => (isRight ? refuse(idReused()) : wrong()),
  });
  const same = () => (services.accounts.has("locked", user) ? refuse(locked(user)) : grant(first));
  return ifSamePassword(newPassword, first, { kind: "password", same, other: reused });
}

/** Answers a user's change of their own password with a new session. */
function grant(decided: Decided): Decision<Replies["password"]> {
  const { by: user, version } = decided.operation;
  return told(decided, { user, version: String(version) });
}

export function resetPassword(
  services: Services,
  request: RequestOf<"account">,
  newPassword: string,
): Decision {
  const { user, id, session, sinceSlot } = request;
  const by = session?.user as UserName;
  const answered = (decided: Decided): Decision => {
    const other = () => refuse(idReused());
    if (decided.operation.user !== user) return other();
    return ifSamePassword(newPassword, decided, {
      kind: "reset",
      same: () => told(decided),
      other,
    });
  };
  const first = services.log.find(by, id);
  if (first !== undefined) return answered(first);
  return {
    next: "password",
    work: { hash: newPassword },
    settle: ({ credential = "" }) => {
      const from = services.accounts.credential(user)?.version ?? "";
      const version = newVersion(services, from, { id, by });
      const fields = { user, credential, version, rights: rightsOf(request) };
      return {
        next: "decide",
        operation: operationOf(services, "reset", { id, sinceSlot, by, fields }),
        // The answer grants no session, because the sender is not the owner of the account.
        settle: (decided) => {
          return decided.operation.credential === credential ? told(decided) : answered(decided);
        },
      };
    },
  };
}

/**
 * Continues with `same` if the operation set this password, or with `other` if it was made of another
 * request.
 */
function ifSamePassword(
  password: string,
  { operation }: Decided,
  then: { readonly kind: "password" | "reset"; same(): Decision; other(): Decision },
): Decision {
  if (!isOf(operation, then.kind, {})) return then.other();
  return {
    next: "password",
    work: { check: { password, credential: String(operation.credential) } },
    settle: ({ isRight }) => (isRight ? then.same() : then.other()),
  };
}

/** Returns a version that no other password has. A server's clock never repeats a number (R7). */
function newVersion(
  { name, clock, digest }: Services,
  known: string,
  { id, by }: { readonly id: RequestId | undefined; readonly by: UserName },
): string {
  const own = `${name}/${clock.tick()}`;
  return digest.chain(known as Chain, id === undefined ? own : `${by} ${id}`);
}
