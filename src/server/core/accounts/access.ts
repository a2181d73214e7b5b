import type { Grant, ParsedRequest, Session } from "../../../protocol/client-messages.ts";
import { ProtocolError, type RefusalReason } from "../../../protocol/errors.ts";
import type { UserName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import { isoTime } from "../../../protocol/time.ts";
import type { Accounts } from "./accounts.ts";

export type Auth = "open" | "required";

/** Who may use a service (X2). */
export interface Access<R extends ParsedRequest = ParsedRequest> {
  /**
   * The senders that the service accepts in a cluster with accounts. `members` are the cluster's own
   * processes, which know its secret: nobody else may use these services, also in an open cluster.
   */
  readonly for: "anybody" | "users" | "administrators" | "members";
  /**
   * Returns the user that the request acts for, or whose data it reads. This user must be the
   * session's user.
   */
  as?(request: R): UserName | undefined;
  /** Whether administrators may make the request too, and the operator, for any user. */
  readonly alsoForAdministrators?: true;
  /** Whether the service exists only in a cluster with accounts. */
  readonly needsAccounts?: true;
}

interface AccessContext {
  readonly auth: Auth;
  readonly accounts: Accounts;
  /** The cluster's time, in milliseconds since 1970. */
  readonly timeMs: number;
}

/** Returns the error if the sender may not make the request (X2), otherwise undefined. */
export function forbids(
  request: ParsedRequest,
  access: Access,
  { auth, accounts, timeMs }: AccessContext,
): ProtocolError | undefined {
  if (access.for === "members") {
    const refusal = memberProblem(request, timeMs);
    const mayBeOther = auth === "required" && access.alsoForAdministrators === true;
    if (refusal === undefined || !mayBeOther) return refusal;
  }
  if (auth === "open") {
    if (access.needsAccounts !== true) return undefined;
    const description = "This cluster runs with --auth open: it has no sessions.";
    return new ProtocolError("forbidden", description, { reason: "no_accounts" });
  }
  if (access.for === "anybody") return undefined;
  const ended = sessionProblem(request, accounts, timeMs);
  if (ended !== undefined) return ended;
  const { user, isOperator } = request.session as Session;
  const isAdministrator = isOperator || accounts.has("administrator", user);
  if (isAdministrator && access.alsoForAdministrators === true) return undefined;
  if (access.for !== "users") {
    if (isAdministrator) return undefined;
    const reason = "not_administrator";
    return new ProtocolError("forbidden", "Only an administrator may do that.", { reason });
  }
  if (isOperator) {
    return new ProtocolError("forbidden", "The operator's token administers, and nothing else.");
  }
  const as = access.as?.(request);
  if (as === undefined || as === user) return undefined;
  const description = `The session is that of "${user}", not of "${as}".`;
  return new ProtocolError("forbidden", description, { reason: "other_user" });
}

/** Returns the reason if the sender is not a process of the cluster. */
function memberProblem({ session }: ParsedRequest, timeMs: number): ProtocolError | undefined {
  if (session?.isOperator !== true) {
    const description = "Only a process with the cluster's secret may do that.";
    return new ProtocolError("forbidden", description);
  }
  return session.expiresMs > timeMs ? undefined : expired(session);
}

/** The reasons of refusals that may be wrong if this server has not applied all decisions. */
const byAccounts: ReadonlySet<RefusalReason | undefined> = new Set<RefusalReason>([
  "password_changed",
  "account_locked",
  "not_administrator",
]);

/**
 * Whether this refusal may be wrong because this server lacks what the client has seen (A6).
 */
export function restsOnAccounts({ reason }: ProtocolError): boolean {
  return byAccounts.has(reason);
}

/** Returns the request's session, or undefined if it is not valid. */
export function loggedIn(
  request: ParsedRequest,
  accounts: Accounts,
  timeMs: number,
): Session | undefined {
  return sessionProblem(request, accounts, timeMs) === undefined ? request.session : undefined;
}

/** Whether an administrator or the operator makes the request, by a valid session. */
export function administers(request: ParsedRequest, accounts: Accounts, timeMs: number): boolean {
  const session = loggedIn(request, accounts, timeMs);
  if (session === undefined) return false;
  return session.isOperator || accounts.has("administrator", session.user);
}

function sessionProblem(
  { session, token }: ParsedRequest,
  accounts: Accounts,
  timeMs: number,
): ProtocolError | undefined {
  if (token === undefined) {
    const description = "This cluster wants a `token`, which `login` with a password gives.";
    return unauthenticated("no_session", description);
  }
  if (session === undefined) {
    return unauthenticated("session_unknown", "The `token` is not one of this cluster's.");
  }
  const { user, expiresMs, isOperator, version } = session;
  if (expiresMs <= timeMs) return expired(session);
  if (isOperator) return undefined;
  if (accounts.credential(user)?.version !== version) {
    const description = "The session has ended, since the password was changed: log in again.";
    return unauthenticated("password_changed", description);
  }
  return accounts.has("locked", user) ? locked(user) : undefined;
}

/**
 * Returns the session to grant with the reply, if the request's session is at least
 * `durations.renewSessionMs` old, or is proven by a secret that is no longer in use. Requests to services for anybody, and the operator's requests,
 * renew no session.
 */
export function renewal(
  { session }: ParsedRequest,
  access: Access,
  timeMs: number,
): Grant | undefined {
  if (session === undefined || access.for === "anybody") return undefined;
  const { user, version, issuedMs, isOperator, isOfOtherSecret = false } = session;
  const isOld = isOfOtherSecret || timeMs - issuedMs >= durations.renewSessionMs;
  return isOld && !isOperator ? { user, version } : undefined;
}

export function locked(user: UserName): ProtocolError {
  const description = `An administrator has locked the account "${user}".`;
  return new ProtocolError("forbidden", description, { reason: "account_locked" });
}

function expired({ expiresMs }: Session): ProtocolError {
  const description = `The session ended at ${isoTime(expiresMs)}: log in again.`;
  return unauthenticated("session_expired", description);
}

function unauthenticated(reason: RefusalReason, description: string): ProtocolError {
  return new ProtocolError("unauthenticated", description, { reason });
}
