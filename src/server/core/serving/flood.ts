import { Buckets, type Pace } from "../../../protocol/buckets.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import type { Auth } from "../accounts/access.ts";

/** What one server takes; undefined for any amount. */
export interface FloodPaces {
  /** Messages of one user, where accounts are. */
  readonly user: Pace | undefined;
  /** Requests over one connection. */
  readonly connection: Pace | undefined;
}

/** Limits how often a connection and a user may ask. A refusal tells how long to wait (X4). */
export class Flood {
  readonly #users: Buckets | undefined;
  readonly #connections: Buckets | undefined;
  /** Guesses of a password: by account, and by connection; claims of names count there too. */
  readonly #accounts = perAccount();
  readonly #guessers = new Buckets({
    perSecond: 1_000 / durations.connectionAttemptMs,
    burst: limits.connectionAttempts,
  });

  /** Wrong invitations, over all connections. */
  readonly #invitations = new Buckets({
    perSecond: 1_000 / durations.invitationGuessMs,
    burst: limits.invitationGuesses,
  });

  /** Copies of a won claim with another password, by the claimed name. */
  readonly #repeated = perAccount();

  /**
   * @param auth in open mode users have no pace: anybody could use up a user's and so silence them
   */
  constructor({ user, connection }: FloodPaces, auth: Auth) {
    this.#users = user && auth === "required" ? new Buckets(user) : undefined;
    this.#connections = connection && new Buckets(connection);
  }

  refusesConnection(connection: string, steadyMs: number): ProtocolError | undefined {
    return slower("requests over this connection", this.#connections?.take(connection, steadyMs));
  }

  /** Called only for requests that nothing else forbids: nobody uses up another user's pace. */
  refusesUser(user: string | undefined, steadyMs: number): ProtocolError | undefined {
    if (user === undefined) return undefined;
    return slower(`messages of "${user}"`, this.#users?.take(user, steadyMs));
  }

  /** A request with a password, for this user. */
  refusesAttempt(user: string, connection: string, steadyMs: number): ProtocolError | undefined {
    return (
      this.refusesGuesser(connection, steadyMs) ??
      slower(attempts, this.#accounts.take(user, steadyMs))
    );
  }

  /** A request to register, perhaps with an invitation: it does not count for the name. */
  refusesGuesser(connection: string, steadyMs: number): ProtocolError | undefined {
    return slower(attempts, this.#guessers.take(connection, steadyMs));
  }

  /** After too many wrong invitations all are refused for a while: else the right one would show. */
  refusesInvitation(steadyMs: number): ProtocolError | undefined {
    return slower("wrong invitations", this.#invitations.wait("", steadyMs));
  }

  /** Only wrong invitations use up the pace of invitations. */
  noteWrongInvitation(steadyMs: number): void {
    this.#invitations.take("", steadyMs);
  }

  /** A repeated claim that was won may be a guess of its password. */
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
