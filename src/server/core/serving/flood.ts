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

/** Limits how often a connection and a user may ask, and tells how long to wait (X4). */
export class Flood {
  readonly #users: Buckets | undefined;
  readonly #connections: Buckets | undefined;
  /** Guesses of a password: by account, and by connection, with the names claimed there. */
  readonly #accounts = new Buckets({
    perSecond: 1_000 / durations.accountAttemptMs,
    burst: limits.accountAttempts,
  });
  readonly #guessers = new Buckets({
    perSecond: 1_000 / durations.connectionAttemptMs,
    burst: limits.connectionAttempts,
  });

  /** Wrong invitations, over whatever connections. */
  readonly #invitations = new Buckets({
    perSecond: 1_000 / durations.invitationGuessMs,
    burst: limits.invitationGuesses,
  });

  /** Copies of a claim that was won, with another password, by the claimed name. */
  readonly #repeated = new Buckets({
    perSecond: 1_000 / durations.accountAttemptMs,
    burst: limits.accountAttempts,
  });

  /**
   * @param auth in open mode users have no pace: anybody could use up a name's and silence its user
   */
  constructor({ user, connection }: FloodPaces, auth: Auth) {
    this.#users = user && auth === "required" ? new Buckets(user) : undefined;
    this.#connections = connection && new Buckets(connection);
  }

  /** @param connection by which the shell knows who asks */
  refusesConnection(connection: string, steadyMs: number): ProtocolError | undefined {
    const waitMs = this.#connections?.take(connection, steadyMs) ?? 0;
    return waitMs > 0 ? slower("requests over this connection", waitMs) : undefined;
  }

  /** Asked only once nothing else forbids the request: nobody uses up another user's pace. */
  refusesUser(user: string | undefined, steadyMs: number): ProtocolError | undefined {
    const waitMs = user === undefined ? 0 : (this.#users?.take(user, steadyMs) ?? 0);
    return waitMs > 0 ? slower(`messages of "${user}"`, waitMs) : undefined;
  }

  /** Somebody who says that he is this user asks with a password. */
  refusesAttempt(user: string, connection: string, steadyMs: number): ProtocolError | undefined {
    const refusal = this.refusesGuesser(connection, steadyMs);
    if (refusal !== undefined) return refusal;
    const waitMs = this.#accounts.take(user, steadyMs);
    return waitMs > 0 ? tooManyAttempts(waitMs) : undefined;
  }

  /** Somebody asks for a name, perhaps with an invitation: it is no attempt of who has the name. */
  refusesGuesser(connection: string, steadyMs: number): ProtocolError | undefined {
    const waitMs = this.#guessers.take(connection, steadyMs);
    return waitMs > 0 ? tooManyAttempts(waitMs) : undefined;
  }

  /**
   * After too many wrong invitations none is judged for a while: else a right one would show
   * itself.
   */
  refusesInvitation(steadyMs: number): ProtocolError | undefined {
    const waitMs = this.#invitations.wait("", steadyMs);
    return waitMs > 0 ? slower("wrong invitations", waitMs) : undefined;
  }

  /** Only wrong invitations use up the pace of invitations. */
  noteWrongInvitation(steadyMs: number): void {
    this.#invitations.take("", steadyMs);
  }

  /** Whoever repeats a claim that was won may be guessing its password. */
  refusesRepetition(user: string, steadyMs: number): ProtocolError | undefined {
    const waitMs = this.#repeated.take(user, steadyMs);
    return waitMs > 0 ? tooManyAttempts(waitMs) : undefined;
  }
}

function tooManyAttempts(waitMs: number): ProtocolError {
  return slower("attempts with a password", waitMs);
}

function slower(what: string, waitMs: number): ProtocolError {
  const wait = Math.ceil(waitMs / 100) / 10;
  return new ProtocolError("rate_limited", `Too many ${what}: wait ${wait} s.`, { wait });
}
