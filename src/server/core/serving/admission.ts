import type { Incoming, ParsedRequest } from "../../../protocol/client-messages.ts";
import type { ProtocolError } from "../../../protocol/errors.ts";
import { ClockAllowance } from "../../../protocol/lamport-clock.ts";
import { forbids, loggedIn, restsOnAccounts } from "../accounts/access.ts";
import type { Now } from "../effects.ts";
import { type Decision, refuse, type Services, waits } from "./decision.ts";
import type { Flood } from "./flood.ts";
import { isRefused } from "./payload-reply.ts";
import { type Guess, rowOf, type ServiceTable } from "./service.ts";

/** Admits requests: what the sender may do, how often, and whether the clock is believed. */
export class Admission {
  /** Requests whose clock was missing, invalid or too far ahead (W4). */
  disbelievedClocks = 0;
  readonly #services: Services;
  readonly #table: ServiceTable;
  readonly #flood: Flood;
  readonly #clockAllowance = new ClockAllowance();

  constructor(services: Services, table: ServiceTable, flood: Flood) {
    this.#services = services;
    this.#table = table;
    this.#flood = flood;
  }

  /** The error if the request comes too often; called, and counted, once a request. */
  refuses(
    request: ParsedRequest,
    connection: string,
    { steadyMs }: Now,
  ): ProtocolError | undefined {
    const sender = rowOf(this.#table, request).sender?.(request);
    return (
      this.#flood.refusesUser(sender, steadyMs) ?? this.#refusesGuess(request, connection, steadyMs)
    );
  }

  receiveClocks(requests: readonly Incoming[], now: Now): void {
    let highest = 0;
    for (const request of requests) {
      const { clock } = request;
      // Each leap costs a sync of the disk (X1c): with accounts only logged-in users can cause one.
      if (this.#services.auth === "required" && !this.#isLoggedIn(request, now)) continue;
      const own = Math.max(this.#services.clock.value, highest);
      const believed =
        clock !== undefined && this.#clockAllowance.believes(clock, own, now.steadyMs);
      if (believed) highest = Math.max(highest, clock);
      else this.disbelievedClocks += 1;
    }
    this.#services.clock.receive(highest);
  }

  #isLoggedIn(request: Incoming, now: Now): boolean {
    const { accounts } = this.#services;
    const timeMs = this.#services.correctedMs(now);
    return !isRefused(request) && loggedIn(request, accounts, timeMs) !== undefined;
  }

  /**
   * If this server knows an older state of the account than the user has seen, the request waits
   * (A6). So an attempt with a password counts only when it is judged.
   */
  forbids(
    { request, waited }: { readonly request: ParsedRequest; readonly waited: boolean },
    now: Now,
  ): Decision | undefined {
    const { accounts, auth } = this.#services;
    const timeMs = this.#services.correctedMs(now);
    const error = forbids(request, rowOf(this.#table, request), { auth, accounts, timeMs });
    const mayWait =
      error === undefined ? this.#guess(request)?.passwordOf !== undefined : restsOnAccounts(error);
    const wait = mayWait ? waits(this.#services, request, { waited }) : undefined;
    return wait ?? (error && refuse(error));
  }

  #refusesGuess(
    request: ParsedRequest,
    connection: string,
    steadyMs: number,
  ): ProtocolError | undefined {
    const guess = this.#guess(request);
    if (guess === undefined) return undefined;
    const { passwordOf, invitation } = guess;
    if (passwordOf !== undefined) {
      return this.#flood.refusesAttempt(passwordOf, connection, steadyMs);
    }
    const isJudged = invitation !== undefined && this.#wantsInvitation;
    const refusal = isJudged ? this.#flood.refusesInvitation(steadyMs) : undefined;
    return refusal ?? this.#flood.refusesGuesser(connection, steadyMs);
  }

  #guess(request: ParsedRequest): Guess | undefined {
    if (this.#services.auth === "open") return undefined;
    return rowOf(this.#table, request).guesses?.(request);
  }

  get #wantsInvitation(): boolean {
    return this.#services.accounts.registration.mode === "invitation";
  }

  /** In a cluster with accounts no request waits without a session. */
  isGuest({ session }: ParsedRequest, now: Now): boolean {
    if (this.#services.auth === "open") return false;
    return session === undefined || session.expiresMs <= this.#services.correctedMs(now);
  }
}
