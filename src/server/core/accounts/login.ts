import type { RequestOf } from "../../../protocol/client-messages.ts";
import type { UserName } from "../../../protocol/ids.ts";
import type { Replies } from "../../../protocol/replies.ts";
import { loginWrite } from "../chat/write-services.ts";
import { type Circumstances, type Decision, refuse, type Services } from "../serving/decision.ts";
import { decideWrite } from "../serving/write.ts";
import { locked } from "./access.ts";
import { granting, operationOf, refusal, wrong } from "./account-decisions.ts";
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
  const known = services.accounts.credential(user);
  return {
    next: "password",
    work: { check: { password, credential: known?.credential } },
    settle: ({ isRight, credential }, later) => {
      // With an engine, these are other accounts than before: those of now.
      const { accounts } = services;
      const present = accounts.credential(user);
      if (!isRight || present?.version !== known?.version) return wrong();
      if (accounts.has("locked", user)) return refuse(locked(user));
      if (isDoubtful(services, user)) return doubtful(user);
      const { version } = present as Credential;
      if (credential !== undefined) {
        // The stored hash has outdated parameters, so the same password is stored with a new hash.
        // No session ends, and nobody waits for it.
        const fields = { credential, from: version };
        services.submit(
          operationOf(services, "rehash", { id: undefined, by: user, fields }),
          later,
        );
      }
      const written = writeLogin(services, request, { now: later, waited: true });
      return granting(written, { user, version });
    },
  };
}

/** Writes the login. The reply has the id of the operation that made the account of the name. */
function writeLogin(
  services: Services,
  request: RequestOf<"login">,
  at: Pick<Circumstances, "now" | "waited">,
): Decision<Replies["login"]> {
  const decision = decideWrite(services, request, { ...at, write: loginWrite });
  if (decision.next !== "commit") return decision;
  const { answer } = decision;
  const account = services.accounts.owner(request.user)?.id;
  return { ...decision, answer: () => ({ ...answer(), account }) };
}

/**
 * Whether the account was made while the cluster was open, and somebody logged in under its name
 * without the password (A11). An administrator must then find out who owns the name, and set a new
 * password.
 */
export function isDoubtful({ accounts, chat }: Services, name: UserName): boolean {
  const { isOpen, hasNewPassword } = accounts.owner(name) ?? {};
  if (isOpen !== true || hasNewPassword === true) return false;
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
