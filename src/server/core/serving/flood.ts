import { Buckets, type Pace } from "../../../protocol/buckets.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import type { HookId } from "../../../protocol/ids.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import type { Auth } from "../accounts/access.ts";

/** The paces that one server enforces; undefined for no limit. */
export interface FloodPaces {
  /** The pace of one user's messages, in a cluster with accounts. */
  readonly user: Pace | undefined;
  /** The pace of the requests over one connection. */
  readonly connection: Pace | undefined;
}

/** Limits how often a connection and a user may ask. A refusal states how long to wait (X4). */
export class Flood {
  readonly #users: Buckets | undefined;
  readonly #connections: Buckets | undefined;
  /**
   * The paces of attempts with a password, for each account (`#accounts`) and for each connection
   * (`#guessers`). Requests to register count only for the connection.
   */
  readonly #accounts = perAccount();
  readonly #guessers = new Buckets({
    perSecond: 1_000 / durations.connectionAttemptMs,
    burst: limits.connectionAttempts,
  });

  /**
   * The pace of `register` requests with a wrong invitation, over all connections together. Each
   * such request may be a guess.
   */
  readonly #invitations = new Buckets({
    perSecond: 1_000 / durations.invitationGuessMs,
    burst: limits.invitationGuesses,
  });

  /**
   * For each connection, the pace of requests for unknown hooks. A right token is never refused,
   * because nobody can guess one, and many systems may share an address.
   */
  readonly #wrongHooks = new Buckets({
    perSecond: 1_000 / durations.connectionAttemptMs,
    burst: limits.hookGuesses,
  });

  /** For each hook, the pace of its posts. */
  readonly #hooks = new Buckets({
    perSecond: limits.hookPostsPerSecond,
    burst: limits.hookPosts,
  });

  /**
   * For each name, the pace of repeated `register` requests. A repeated request has the id that
   * made the account, and its password must be checked against the account's hash.
   */
  readonly #repeated = perAccount();

  /**
   * @param auth with `open`, users have no pace, because anybody could use up a user's pace and so
   * silence the user
   */
  constructor({ user, connection }: FloodPaces, auth: Auth) {
    this.#users = user && auth === "required" ? new Buckets(user) : undefined;
    this.#connections = connection && new Buckets(connection);
  }

  /** @param cost how many requests the request counts as */
  refusesConnection(connection: string, steadyMs: number, cost = 1): ProtocolError | undefined {
    const waitMs = this.#connections?.take(connection, steadyMs, cost);
    return slower("requests over this connection", waitMs);
  }

  /**
   * Counts a message of the user, and returns an error if the user's pace is exceeded. Called only
   * for requests that nothing else forbids, so that nobody uses up another user's pace.
   */
  refusesUser(user: string | undefined, steadyMs: number): ProtocolError | undefined {
    if (user === undefined) return undefined;
    return slower(`messages of "${user}"`, this.#users?.take(user, steadyMs));
  }

  /** Counts a request with a password, for the pace of this user and of this connection. */
  refusesAttempt(user: string, connection: string, steadyMs: number): ProtocolError | undefined {
    return (
      this.refusesGuesser(connection, steadyMs) ??
      slower(attempts, this.#accounts.take(user, steadyMs))
    );
  }

  /** Counts a request to register, perhaps with an invitation, for the connection only. */
  refusesGuesser(connection: string, steadyMs: number): ProtocolError | undefined {
    return slower(attempts, this.#guessers.take(connection, steadyMs));
  }

  /**
   * After too many wrong invitations, every invitation is refused for a while. If only wrong
   * invitations were refused, the different answer would reveal a right invitation.
   */
  refusesInvitation(steadyMs: number): ProtocolError | undefined {
    return slower("wrong invitations", this.#invitations.wait("", steadyMs));
  }

  /** Counts a wrong invitation. Right invitations do not count. */
  noteWrongInvitation(steadyMs: number): void {
    this.#invitations.take("", steadyMs);
  }

  /**
   * Counts a post by the hook. A post that is refused does not count for the hook's owner, so that
   * nobody uses up the owner's pace by one hook.
   */
  refusesHook(hook: HookId | undefined, steadyMs: number): ProtocolError | undefined {
    if (hook === undefined) return undefined;
    return slower("messages of this hook", this.#hooks.take(hook, steadyMs));
  }

  /** Counts a request for a hook that does not exist, or is revoked. */
  refusesWrongHook(connection: string, steadyMs: number): ProtocolError | undefined {
    return slower("requests for unknown hooks", this.#wrongHooks.take(connection, steadyMs));
  }

  /**
   * Counts a repeated `register` request. The request's password may be a guess of the password of
   * the account.
   */
  refusesRepetition(user: string, steadyMs: number): ProtocolError | undefined {
    return slower(attempts, this.#repeated.take(user, steadyMs));
  }
}

const attempts = "attempts with a password";

function perAccount(): Buckets {
  return new Buckets({
    perSecond: 1_000 / durations.accountAttemptMs,
    burst: limits.accountAttempts,
  });
}

function slower(what: string, waitMs = 0): ProtocolError | undefined {
  if (waitMs <= 0) return undefined;
  const wait = Math.ceil(waitMs / 100) / 10;
  return new ProtocolError("rate_limited", `Too many ${what}: wait ${wait} s.`, { wait });
}
