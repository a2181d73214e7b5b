import type { RequestOf } from "../../../protocol/client-messages.ts";
import type { Chain, UserName } from "../../../protocol/ids.ts";
import type { Replies, Written } from "../../../protocol/replies.ts";
import type { Now } from "../effects.ts";
import { type Decision, idReused, refuse, type Services } from "../serving/decision.ts";
import { commit } from "../serving/write.ts";
import { locked } from "./access.ts";
import { granting, maker, wrong } from "./account-decisions.ts";
import type { PasswordChange } from "./accounts.ts";
import { doubtful, isDoubtful } from "./login.ts";

/**
 * Decides a user's request to change their password, which requires the old password. The change
 * ends all of the user's sessions, including the sender's; the reply grants a new session.
 */
export function changePassword(
  services: Services,
  request: RequestOf<"password">,
): Decision<Replies["password"]> {
  const { user, password, newPassword, id } = request;
  const { accounts } = services;
  const known = accounts.credential(user);
  const check = { password, credential: known?.credential };
  const asked = { id, by: user };
  const lock = () => (accounts.has("locked", user) ? refuse(locked(user)) : undefined);
  const done = () => accounts.passwords.asked(user, asked);
  if (done().length > 0) {
    return recall(done(), newPassword, {
      same: (change) => lock() ?? grantBy(services, change),
      // The error reveals that the id is in use, so only a sender with the right password gets it.
      other: () => ({
        next: "password",
        work: { check },
        settle: ({ isRight }) => (isRight ? refuse(idReused()) : wrong()),
      }),
    });
  }
  return {
    next: "password",
    work: { check, hash: newPassword },
    settle: ({ isRight, credential }, now) => {
      if (!isRight) return wrong();
      const refusal = lock();
      if (refusal !== undefined) return refusal;
      if (isDoubtful(services, user)) return doubtful(user);
      // While the old password was checked, another copy of this request may have set the new one.
      if (done().length > 0) return changePassword(services, request);
      if (accounts.credential(user)?.version !== known?.version) return wrong();
      const change = replacePassword(services, { user, ...asked, credential }, now);
      return grantBy(services, change);
    },
  };
}

export function resetPassword(
  services: Services,
  request: RequestOf<"account">,
  newPassword: string,
): Decision<Written> {
  const { user, id, session } = request;
  const asked = { id, by: session?.user as UserName };
  const done = () => services.accounts.passwords.asked(user, asked);
  if (done().length > 0) {
    return recall(done(), newPassword, {
      same: (event) => commit(services, event),
      other: () => refuse(idReused()),
    });
  }
  return {
    next: "password",
    work: { hash: newPassword },
    // The answer grants no session, because the sender is not the owner of the account.
    settle: ({ credential }, now) => {
      if (done().length > 0) return resetPassword(services, request, newPassword);
      const event = replacePassword(services, { user, ...asked, credential }, now);
      return commit(services, event);
    },
  };
}

/**
 * Checks the password against each change with the request's id, one after the other. Continues
 * with `same` for the first change that set this password, or with `other` if no change did.
 */
function recall(
  [change, ...rest]: readonly PasswordChange[],
  password: string,
  then: { same(change: PasswordChange): Decision<Written>; other(): Decision<Written> },
): Decision<Written> {
  if (change === undefined) return then.other();
  return {
    next: "password",
    work: { check: { password, credential: change.credential } },
    settle: ({ isRight }) => (isRight ? then.same(change) : recall(rest, password, then)),
  };
}

/** Answers a user's change of their own password with a receipt and a new session. */
function grantBy(services: Services, change: PasswordChange): Decision<Written> {
  const { user, version } = change;
  return granting(commit(services, change), { user, version });
}

function replacePassword(
  services: Services,
  change: Pick<PasswordChange, "user" | "id" | "by"> & { readonly credential: string | undefined },
  now: Now,
): PasswordChange {
  const { user, id, by, credential = "" } = change;
  const known = services.accounts.credential(user)?.version ?? "";
  // A server's clock never repeats a number, even after a restart (R7), so the version is unique.
  const since = services.clock.tick();
  const own = `${services.name}/${since}`;
  // Duplicates of one request (R6) get the same version, so that neither ends a session that the
  // other began.
  const version = services.digest.chain(known as Chain, id === undefined ? own : `${by} ${id}`);
  const data = { user, by, credential, since, version };
  return { ...maker(services, "password")({ ...data, id }, now), ...data };
}
