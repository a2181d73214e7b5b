import type { Incoming, ParsedRequest } from "../../../protocol/client-messages.ts";
import type { ProtocolError } from "../../../protocol/errors.ts";
import { ClockAllowance } from "../../../protocol/lamport-clock.ts";
import { forbids, loggedIn, restsOnAccounts } from "../accounts/access.ts";
import type { Now } from "../effects.ts";
import { type Decision, refuse, waits } from "./decision.ts";
import { isRefused } from "./payload-reply.ts";
import { unavailable } from "./refusals.ts";
import { type Guess, rowOf } from "./service.ts";
import type { ServingParts } from "./serving-parts.ts";

type Parts = Pick<ServingParts, "services" | "table" | "flood" | "unready">;

/**
 * Decides whether a request is admitted, by the sender's rights and pace, and whether its clock is
 * believed.
 */
export class Admission {
  /** The number of requests whose clock was missing, invalid or too far ahead (W4). */
  disbelievedClocks = 0;
  readonly #services: Parts["services"];
  readonly #table: Parts["table"];
  readonly #flood: Parts["flood"];
  readonly #unready: Parts["unready"];
  readonly #clockAllowance = new ClockAllowance();

  constructor({ services, table, flood, unready }: Parts) {
    this.#services = services;
    this.#table = table;
    this.#flood = flood;
    this.#unready = unready;
  }

  /**
   * Returns the error if the sender exceeds its pace. Each call counts as one request, so `refuses`
   * must be called only once for each request.
   */
  refuses(
    request: ParsedRequest,
    connection: string,
    { steadyMs }: Now,
  ): ProtocolError | undefined {
    const row = rowOf(this.#table, request);
    const hook = row.hook?.(request, this.#services);
    const sender = row.sender?.(request, this.#services);
    return (
      this.#flood.refusesHook(hook, steadyMs) ??
      this.#flood.refusesUser(sender, steadyMs) ??
      this.#refusesGuess(request, connection, steadyMs)
    );
  }

  receiveClocks(requests: readonly Incoming[], now: Now): void {
    let highest = 0;
    for (const request of requests) {
      const { clock } = request;
      // Each leap of the clock costs a sync of the disk (X1c). With accounts, only logged-in users
      // can cause a leap.
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
   * Returns a refusal if the sender may not make the request. If the decision depends on accounts,
   * and this server lacks events that the client has seen, the request waits (A6). An attempt with
   * a password counts toward its pace only after this wait.
   */
  forbids(
    { request, waited }: { readonly request: ParsedRequest; readonly waited: boolean },
    now: Now,
  ): Decision | undefined {
    const { accounts, auth } = this.#services;
    const row = rowOf(this.#table, request);
    const unready = row.isAlwaysServed === true ? undefined : this.#unready?.(request);
    if (unready !== undefined) return refuse(unavailable(unready));
    const timeMs = this.#services.correctedMs(now);
    const error = forbids(request, row, { auth, accounts, timeMs });
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

  /**
   * Whether the sender has no valid session in a cluster with accounts. Requests of such senders
   * never wait.
   */
  isGuest({ session }: ParsedRequest, now: Now): boolean {
    if (this.#services.auth === "open") return false;
    return session === undefined || session.expiresMs <= this.#services.correctedMs(now);
  }
}
