import type { RequestOf } from "../../../protocol/client-messages.ts";
import type { UserName } from "../../../protocol/ids.ts";
import type { ClaimPlace, Replies } from "../../../protocol/replies.ts";
import { loginWrite } from "../chat/write-services.ts";
import { type Circumstances, type Decision, refuse, type Services } from "../serving/decision.ts";
import { decideWrite } from "../serving/write.ts";
import { locked } from "./access.ts";
import { granting, maker, refusal, wrong } from "./account-decisions.ts";
import type { Credential } from "./accounts.ts";

/** Decides a login. In a cluster with accounts, a login needs the account's password (X2). */
export function login(
  services: Services,
  request: RequestOf<"login">,
  at: Circumstances,
): Decision<Replies["login"]> {
  if (services.auth === "open") return writeLogin(services, request, at);
  const { user, password } = request;
  if (password === undefined) {
    const description = "This cluster wants a `password` with the name.";
    return refusal("unauthenticated", description, "no_session");
  }
  const { accounts } = services;
  const known = accounts.credential(user);
  if (known === undefined && accounts.holder(user) !== undefined) {
    return refusal("unavailable", `The account "${user}" is just being made.`);
  }
  return {
    next: "password",
    work: { check: { password, credential: known?.credential } },
    settle: ({ isRight, credential }, later) => {
      const present = accounts.credential(user);
      if (!isRight || present?.version !== known?.version) return wrong();
      if (accounts.has("locked", user)) return refuse(locked(user));
      if (isDoubtful(services, user)) return doubtful(user);
      const { since, version } = present as Credential;
      if (credential !== undefined) {
        // The stored hash has outdated parameters, so the same password is stored with a new hash.
        // No session ends.
        maker(services, "password")({ user, credential, since, version, by: user }, later);
      }
      const written = writeLogin(services, request, { now: later, waited: true });
      return granting(written, { user, version });
    },
  };
}

/** Writes the login. The reply names the claim of the name only if the claim is confirmed. */
function writeLogin(
  services: Services,
  request: RequestOf<"login">,
  at: Pick<Circumstances, "now" | "waited">,
): Decision<Replies["login"]> {
  const decision = decideWrite(services, request, { ...at, write: loginWrite });
  if (decision.next !== "commit") return decision;
  const { answer } = decision;
  return { ...decision, answer: () => ({ ...answer(), account: claimOf(services, request.user) }) };
}

function claimOf({ accounts }: Services, user: UserName): ClaimPlace | undefined {
  const owner = accounts.owner(user);
  return owner === undefined ? undefined : { server: owner.server, seq: owner.seq };
}

/**
 * Whether the account was claimed while the cluster was open, and somebody logged in under its name
 * without the password (A11). An administrator must then find out who owns the name, and set a new
 * password.
 */
export function isDoubtful({ accounts, chat }: Services, name: UserName): boolean {
  if (accounts.owner(name)?.isOpen !== true || accounts.hasNewPassword(name)) return false;
  const logins = chat.users.get(name)?.logins.entries.slice() ?? [];
  return logins.some(({ isProven }) => isProven !== true);
}

/**
 * Returns the refusal for an account whose owner is in doubt (`isDoubtful`). Only a sender with the
 * right password may get this error, because the error reveals that the account exists.
 */
export function doubtful(user: UserName): Decision<never> {
  const description = `The name "${user}" was in use while the cluster was open: an administrator gives its account a password.`;
  return refusal("forbidden", description, "name_in_use");
}
