import type { Grant, Request, Service, Session } from "../../../protocol/client-messages.ts";
import { ProtocolError, type RefusalReason } from "../../../protocol/errors.ts";
import type { UserName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import { isoTime } from "../../../protocol/time.ts";
import type { Accounts } from "./accounts.ts";

export type Auth = "open" | "required";

interface Rule<S extends Service> {
  /** Whom the cluster answers, where accounts are. */
  readonly for: "anybody" | "users" | "administrators";
  /** As whom the request speaks, or whose it reads: nobody else's than the asker's own. */
  as?(request: Extract<Request, { service: S }>): UserName | undefined;
}

/** Who may do what where accounts are (X2): the one place that says so. */
export const access: { readonly [S in Service]: Rule<S> } = {
  // What leads to a session, and what tells of processes alone.
  login: { for: "anybody" },
  register: { for: "anybody" },
  time: { for: "anybody" },
  status: { for: "anybody" },
  users: { for: "users" },
  channels: { for: "users" },
  channel: { for: "users", as: ({ user }) => user },
  publish: { for: "users", as: ({ user }) => user },
  message: { for: "users", as: ({ src }) => src },
  // A channel's history is everybody's; private messages are one's own.
  history: { for: "users", as: ({ conversation }) => conversation.user },
  keys: { for: "users" },
  presence: { for: "users", as: ({ user }) => user },
  // The old password proves whose it is, better than a session does.
  password: { for: "anybody" },
  account: { for: "administrators" },
  registration: { for: "administrators" },
  removal: { for: "administrators" },
};

/** Services that have no meaning without accounts. */
const accountsOnly: ReadonlySet<Service> = new Set([
  "keys",
  "password",
  "account",
  "registration",
  "removal",
]);

interface Circumstances {
  readonly auth: Auth;
  readonly accounts: Accounts;
  /** The cluster's time, in milliseconds since 1970. */
  readonly timeMs: number;
}

/** What stands against the request, by whose it is. */
export function forbids(
  request: Request,
  { auth, accounts, timeMs }: Circumstances,
): ProtocolError | undefined {
  const { service, session } = request;
  if (auth === "open") {
    if (!accountsOnly.has(service)) return undefined;
    const description = "This cluster runs with --auth open: it has no sessions.";
    return new ProtocolError("forbidden", description, { reason: "no_accounts" });
  }
  if (service === "login" && request.password === undefined) {
    return unauthenticated("no_session", "This cluster wants a `password` with the name.");
  }
  const rule = access[service] as Rule<Service>;
  if (rule.for === "anybody") return undefined;
  const ended = sessionProblem(request, accounts, timeMs);
  if (ended !== undefined) return ended;
  const { user, isOperator } = session as Session;
  if (rule.for === "administrators") {
    if (isOperator || accounts.has("administrator", user)) return undefined;
    const reason = "not_administrator";
    return new ProtocolError("forbidden", "Only an administrator may do that.", { reason });
  }
  if (isOperator) {
    return new ProtocolError("forbidden", "The operator's token administers, and nothing else.");
  }
  const as = rule.as?.(request as never);
  if (as === undefined || as === user) return undefined;
  const description = `The session is that of "${user}", not of "${as}".`;
  return new ProtocolError("forbidden", description, { reason: "other_user" });
}

/** Refusals by what is known of accounts here. */
const byAccounts: ReadonlySet<RefusalReason | undefined> = new Set<RefusalReason>([
  "password_changed",
  "account_locked",
  "not_administrator",
]);

/** Whether what its client, who is logged in, has seen may tell otherwise (A6). */
export function restsOnAccounts({ reason }: ProtocolError): boolean {
  return byAccounts.has(reason);
}

/** Who is logged in by now, though anybody may ask. */
export function loggedIn(
  request: Request,
  accounts: Accounts,
  timeMs: number,
): Session | undefined {
  return sessionProblem(request, accounts, timeMs) === undefined ? request.session : undefined;
}

/** Whether the asker administers, though anybody may ask. */
export function administers(request: Request, accounts: Accounts, timeMs: number): boolean {
  const session = loggedIn(request, accounts, timeMs);
  if (session === undefined) return false;
  return session.isOperator || accounts.has("administrator", session.user);
}

function sessionProblem(
  { session, token }: Request,
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
  if (expiresMs <= timeMs) {
    const description = `The session ended at ${isoTime(expiresMs)}: log in again.`;
    return unauthenticated("session_expired", description);
  }
  if (isOperator) return undefined;
  if (accounts.credential(user)?.version !== version) {
    const description = "The session has ended, since the password was changed: log in again.";
    return unauthenticated("password_changed", description);
  }
  return accounts.has("locked", user) ? locked(user) : undefined;
}

/** Who does not say as whom he speaks speaks as himself. */
export function asOneself(request: Request): Request {
  const { session } = request;
  if (session === undefined || request.service !== "channel") return request;
  return { ...request, user: request.user ?? session.user };
}

/** A session lasts as long as it is in use: in use is what it was looked at for. */
export function renewal({ service, session }: Request, timeMs: number): Grant | undefined {
  if (session === undefined || access[service].for === "anybody") return undefined;
  const { user, version, issuedMs, isOperator } = session;
  const isOld = timeMs - issuedMs >= durations.renewSessionMs;
  return isOld && !isOperator ? { user, version } : undefined;
}

export function locked(user: UserName): ProtocolError {
  const description = `An administrator has locked the account "${user}".`;
  return new ProtocolError("forbidden", description, { reason: "account_locked" });
}

function unauthenticated(reason: RefusalReason, description: string): ProtocolError {
  return new ProtocolError("unauthenticated", description, { reason });
}
