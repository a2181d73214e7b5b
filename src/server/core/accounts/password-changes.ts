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

/** Whoever knows the old password may set a new one; all older sessions of the user end. */
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
      // Only whoever has the present password learns that the id is in use.
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
      // Another copy of the request may have been quicker.
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
    // The answer has no session: only the owner of the account may have one.
    settle: ({ credential }, now) => {
      if (done().length > 0) return resetPassword(services, request, newPassword);
      const event = replacePassword(services, { user, ...asked, credential }, now);
      return commit(services, event);
    },
  };
}

/** Finds the change under the request's id that set this password, by a check of each one. */
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

/** A change of one's own password begins a session. */
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
  // A server's clock never repeats a number, even after a restart (R7).
  const since = services.clock.tick();
  const own = `${services.name}/${since}`;
  // Duplicates of one request (R6) have one version: so neither ends a session that the other began.
  const version = services.digest.chain(known as Chain, id === undefined ? own : `${by} ${id}`);
  const data = { user, by, credential, since, version };
  return { ...maker(services, "password")({ ...data, id }, now), ...data };
}
