import type { Incoming, Request } from "../../../protocol/client-messages.ts";
import type { ProtocolError } from "../../../protocol/errors.ts";
import { ClockAllowance } from "../../../protocol/lamport-clock.ts";
import { forbids, loggedIn, restsOnAccounts } from "../accounts/access.ts";
import type { Now } from "../effects.ts";
import { waits } from "../services.ts";
import { type Decision, refuse, type Services } from "./decision.ts";
import type { Flood } from "./flood.ts";
import { isRefused } from "./payload-reply.ts";

/** Whether a request is let in: what its sender may do, how often, and whether its clock counts. */
export class Admission {
  /** Requests whose clock was missing, no integer or too far ahead (W4). */
  disbelievedClocks = 0;
  readonly #services: Services;
  readonly #flood: Flood;
  readonly #clockAllowance = new ClockAllowance();

  constructor(services: Services, flood: Flood) {
    this.#services = services;
    this.#flood = flood;
  }

  /** Why the request comes too often, if so; that is asked, and counted, once. */
  refuses(request: Request, connection: string, { steadyMs }: Now): ProtocolError | undefined {
    return (
      this.#flood.refusesUser(request, steadyMs) ??
      this.#refusesAttempt(request, connection, steadyMs)
    );
  }

  receiveClocks(requests: readonly Incoming[], now: Now): void {
    let highest = 0;
    for (const request of requests) {
      const { clock } = request;
      // Each leap costs the disk a sync (X1c): where there are users, only they make it one.
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
   * This server may know an older state of the account than the user has seen: then the request
   * waits (A6). An attempt with a password is counted only when it is judged.
   */
  forbids(
    { request, waited }: { readonly request: Request; readonly waited: boolean },
    now: Now,
  ): Decision | undefined {
    const { accounts, auth } = this.#services;
    const timeMs = this.#services.correctedMs(now);
    const error = forbids(request, { auth, accounts, timeMs });
    const mayWait = error === undefined ? this.#isAttempt(request) : restsOnAccounts(error);
    const wait = mayWait ? waits(this.#services, request, { waited }) : undefined;
    return wait ?? (error && refuse(error));
  }

  #refusesAttempt(
    request: Request,
    connection: string,
    steadyMs: number,
  ): ProtocolError | undefined {
    const { service } = request;
    if (this.#services.auth === "open") return undefined;
    if (service === "register") {
      const guesses = request.invitation !== undefined && this.#wantsInvitation;
      const refusal = guesses ? this.#flood.refusesInvitation(steadyMs) : undefined;
      return refusal ?? this.#flood.refusesGuesser(connection, steadyMs);
    }
    if (!this.#isAttempt(request)) return undefined;
    return this.#flood.refusesAttempt(request.user, connection, steadyMs);
  }

  get #wantsInvitation(): boolean {
    return this.#services.accounts.registration.mode === "invitation";
  }

  #isAttempt(request: Request): request is Request & { service: "login" | "password" } {
    if (this.#services.auth === "open") return false;
    return request.service === "login" || request.service === "password";
  }

  /** Where accounts are, nothing waits for whoever has no session. */
  isGuest({ session }: Request, now: Now): boolean {
    if (this.#services.auth === "open") return false;
    return session === undefined || session.expiresMs <= this.#services.correctedMs(now);
  }
}
