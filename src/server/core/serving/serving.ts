import type { Incoming, ParsedRequest, RequestOf } from "../../../protocol/client-messages.ts";
import type { ProtocolError } from "../../../protocol/errors.ts";
import type { RequestId } from "../../../protocol/ids.ts";
import type { LamportClock } from "../../../protocol/lamport-clock.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import type { Replies } from "../../../protocol/replies.ts";
import type { Trace } from "../../../protocol/steps.ts";
import type { ClaimEnd, Claims } from "../accounts/claims.ts";
import type { Passwords } from "../accounts/passwords.ts";
import type { Effects, Input, Now } from "../effects.ts";
import { Admission } from "./admission.ts";
import { type Decision, refuse, type Services } from "./decision.ts";
import type { Flood } from "./flood.ts";
import { HeldPayloads } from "./held-payloads.ts";
import { isRefused, PayloadReply, type Pending } from "./payload-reply.ts";
import {
  behindForGuests,
  claimError,
  nameTaken,
  noQuorum,
  passwordFailed,
  toError,
  tooManyClaims,
  tooManyOpen,
  tooManyPasswords,
  tooManyRequests,
  tooManyTraces,
  unavailable,
} from "./refusals.ts";
import { costOf, rowOf, type ServiceTable } from "./service.ts";
import type { Traces } from "./traces.ts";
import { type WaitingCover, WaitingCovers } from "./waiting-covers.ts";
import { WaitingWrites } from "./waiting-writes.ts";

type OpenRequest = Pending & {
  readonly request: ParsedRequest;
  readonly connection: string;
  readonly waited: boolean;
  /**
   * Whether the request was admitted: the sender's rights were checked, and the request was counted
   * for the sender's pace.
   */
  readonly isAdmitted: boolean;
};

type Covered = OpenRequest & WaitingCover;

interface ServingParts {
  readonly services: Services;
  readonly table: ServiceTable;
  readonly claims: Claims;
  readonly passwords: Passwords;
  readonly traces: Traces;
  readonly flood: Flood;
}

/** Handles clients' requests, from the gate to their replies. */
export class Serving {
  readonly #admission: Admission;
  readonly #services: Services;
  readonly #clock: LamportClock;
  readonly #table: ServiceTable;
  readonly #writes: WaitingWrites;
  readonly #claims: Claims;
  readonly #covers = new WaitingCovers<Covered>();
  #openClaims = 0;
  readonly #passwords: Passwords;
  #openPasswords = 0;
  readonly #traces: Traces;
  #openTraces = 0;
  /** Requests whose password or trace is complete; they are decided in this step. */
  readonly #completed: { readonly asked: OpenRequest; decide(now: Now): Decision }[] = [];
  readonly #flood: Flood;
  /** Payloads whose last request was answered in this step. */
  readonly #complete = new Set<PayloadReply>();
  readonly #held = new HeldPayloads();

  constructor({ services, table, claims, passwords, traces, flood }: ServingParts) {
    this.#claims = claims;
    this.#passwords = passwords;
    this.#traces = traces;
    this.#flood = flood;
    this.#services = services;
    this.#admission = new Admission(services, table, flood);
    this.#clock = services.clock;
    this.#table = table;
    this.#writes = new WaitingWrites(services.name, services.replication);
  }

  /** The number of requests whose clock was not believed (W4). */
  get disbelievedClocks(): number {
    return this.#admission.disbelievedClocks;
  }

  /** The number of writes that an earlier copy of the request had made already (R6). */
  get repeatedWrites(): number {
    return this.#writes.repeated;
  }

  /** The number of requests that wait for their answer. */
  get open(): number {
    const worked = this.#openPasswords + this.#openTraces + this.#completed.length;
    return this.#writes.size + this.#covers.size + this.#openClaims + worked;
  }

  /**
   * @param refusal the reason why only `status` is served now; undefined if every service is served
   */
  take(input: Input & { type: "requests" }, refusal: string | undefined, now: Now): void {
    const { to, batch, requests } = input;
    this.#admission.receiveClocks(requests, now);
    const { name: server } = this.#services;
    const payload = new PayloadReply({ to, batch, requests, server, table: this.#table });
    const connectionOf = (request: Incoming) => pacedConnection(request, input.connection);
    const isFull = (connection: string) => this.#held.countOf(connection) >= limits.connectionOpen;
    for (const [index, request] of requests.entries()) {
      const connection = connectionOf(request);
      // A malformed request costs as much to read as a valid request, so it counts for the
      // connection's pace (X4).
      const obstacle =
        (isRefused(request)
          ? undefined
          : this.#obstacle(request, isFull(connection) ? tooManyOpen : refusal)) ??
        this.#flood.refusesConnection(connection, now.steadyMs, costOf(this.#table, request)) ??
        (isRefused(request) ? toError(request) : undefined);
      if (obstacle !== undefined) {
        payload.refuse(index, obstacle);
        continue;
      }
      const asked = { payload, index, request: request as ParsedRequest, connection };
      this.#admit({ ...asked, waited: false, isAdmitted: false }, now);
    }
    this.#note(payload);
    if (!payload.isComplete) this.#held.add(payload, requests, connectionOf);
  }

  /** Answers requests that can be answered now, and gives up requests that waited too long. */
  advance(now: Now, effects: Effects): void {
    for (const write of this.#writes.due(now.steadyMs)) {
      const { payload, index } = write;
      if (write.committed) payload.answer(index, write.answer());
      else payload.refuse(index, noQuorum());
      this.#note(payload);
    }
    this.#decideCovered(now);
    for (const { asked, decide } of this.#completed.splice(0))
      this.#decideLater(asked, now, decide);
    if (this.#complete.size === 0) return;
    const timeMs = this.#services.correctedMs(now);
    for (const payload of this.#complete) {
      this.#held.remove(payload);
      effects.add(payload.effect(this.#clock, timeMs));
    }
    this.#complete.clear();
  }

  #obstacle(request: ParsedRequest, refusal: string | undefined): ProtocolError | undefined {
    if (rowOf(this.#table, request).isAlwaysServed === true) return undefined;
    if (refusal !== undefined) return unavailable(refusal);
    return this.open < limits.pendingRequests ? undefined : tooManyRequests();
  }

  #admit(asked: OpenRequest, now: Now): void {
    const { request, connection } = asked;
    const forbidden = this.#admission.forbids(asked, now);
    if (forbidden !== undefined) return this.#follow(asked, forbidden, now);
    const error = this.#admission.refuses(request, connection, now);
    const admitted = { ...asked, isAdmitted: true };
    const decision = error ? refuse(error) : this.#decision(admitted, now);
    this.#follow(admitted, decision, now);
  }

  #decision({ payload, request, waited }: OpenRequest, now: Now): Decision {
    const circumstances = { now, waited, room: payload.room };
    return rowOf(this.#table, request).decide(this.#services, request, circumstances);
  }

  #follow(asked: OpenRequest, decision: Decision, now: Now): void {
    const { payload, index, request } = asked;
    if (this.#isWrongInvitation(request, decision)) this.#flood.noteWrongInvitation(now.steadyMs);
    switch (decision.next) {
      case "answer":
        payload.answer(index, decision.answer);
        break;
      case "refuse":
        payload.refuse(
          index,
          this.#tooManyWrongHooks(asked, decision.error, now) ?? decision.error,
        );
        break;
      case "wait": {
        if (this.#admission.isGuest(request, now)) {
          payload.refuse(index, behindForGuests());
          break;
        }
        const plain = request.after === undefined;
        const deadlineMs = now.steadyMs + (plain ? durations.allMembersMs : durations.coverMs);
        const { committed } = this.#services.replication;
        this.#covers.add({ ...asked, until: decision.until, deadlineMs }, committed);
        break;
      }
      case "commit": {
        const { server, seq } = decision.event;
        this.#writes.add({
          payload,
          index,
          server,
          seq,
          plain: decision.isForAll === true || request.after === undefined,
          deadlineMs: now.steadyMs + durations.commitMs,
          answer: decision.answer,
        });
        break;
      }
      case "claim":
        this.#claim({ ...asked, request: decision.request }, now);
        break;
      case "password":
        this.#workOn(asked, decision);
        break;
      case "trace":
        this.#trace(asked, decision.of, now);
        break;
      default:
        decision satisfies never;
    }
    this.#note(payload);
  }

  /**
   * Hands the claim to `Claims`. A claim without an id gets an id from this server's clock, which
   * never repeats a number (R7).
   */
  #claim(asked: OpenRequest & { request: RequestOf<"register"> }, now: Now): void {
    const { payload, index, request } = asked;
    const { user, password } = request;
    if (this.#claims.isFull) return payload.refuse(index, tooManyClaims());
    const id = request.id ?? (`${this.#services.name}/${this.#clock.tick()}` as RequestId);
    this.#openClaims += 1;
    this.#claims.add({
      user,
      id,
      password,
      deadlineMs: now.steadyMs + durations.claimMs,
      isForwarded: false,
      // While the password was hashed, registration may have been closed, or the administrator who
      // asks may have been locked.
      mayBeMade: (later) => {
        const again = this.#decision(asked, later);
        if (again.next === "claim") return true;
        this.#openClaims -= 1;
        this.#follow(asked, again, later);
        return false;
      },
      settle: (end) => {
        this.#openClaims -= 1;
        const decision =
          end.outcome === "won" ? this.#won(request, end) : refuse(claimError(user, end.outcome));
        this.#follow(asked, decision, end.now);
      },
    });
  }

  /**
   * Decides the answer to a won claim. The name belongs to the sender only if the password matches
   * the claim's credential. The claim's id proves nothing, because another client may have sent the
   * same id (E3).
   */
  #won(
    { user, password }: RequestOf<"register">,
    { event, credential, own, now }: ClaimEnd,
  ): Decision<Replies["register"]> {
    // The client adds the claim to its `after`, so that a later login at another server waits for
    // the claim.
    const account = event && { server: event.server, seq: event.seq };
    const won: Decision<Replies["register"]> = { next: "answer", answer: { account } };
    // A coordinator of an older version sends no credential, so the password can't be compared.
    if (credential === undefined || credential === own) return won;
    const error = this.#flood.refusesRepetition(user, now.steadyMs);
    if (error !== undefined) return refuse(error);
    return {
      next: "password",
      work: { check: { password, credential } },
      settle: ({ isRight }) => (isRight ? won : refuse(nameTaken(user))),
    };
  }

  #workOn(asked: OpenRequest, { work, settle }: Decision & { next: "password" }): void {
    const { payload, index } = asked;
    if (this.#passwords.isFull) return payload.refuse(index, tooManyPasswords());
    this.#openPasswords += 1;
    this.#passwords.add(work, (result) => {
      this.#openPasswords -= 1;
      if (result === undefined) {
        payload.refuse(index, passwordFailed());
        return this.#note(payload);
      }
      this.#completed.push({ asked, decide: (later) => settle(result, later) });
    });
  }

  #trace(asked: OpenRequest, of: string, now: Now): void {
    const { connection } = asked;
    const isFull = this.#traces.isFullFor(connection);
    if (isFull) return asked.payload.refuse(asked.index, tooManyTraces());
    this.#openTraces += 1;
    const done = (answer: Trace) => {
      this.#openTraces -= 1;
      this.#completed.push({ asked, decide: () => ({ next: "answer", answer }) });
    };
    this.#traces.add({ of, connection, done }, now);
  }

  #decideCovered(now: Now): void {
    const { committed } = this.#services.replication;
    for (const asked of this.#covers.due(committed, now.steadyMs)) {
      const again = { ...asked, waited: true };
      if (again.isAdmitted) this.#decideLater(again, now, () => this.#decision(again, now));
      else this.#admit(again, now);
    }
  }

  /**
   * Decides a request that waited. The sender's rights are checked again, because the session may
   * have ended, or the user may no longer be an administrator.
   */
  #decideLater(asked: OpenRequest, now: Now, decide: (now: Now) => Decision): void {
    this.#follow(asked, this.#admission.forbids(asked, now) ?? decide(now), now);
  }

  #isWrongInvitation(request: ParsedRequest, decision: Decision): boolean {
    const guess = rowOf(this.#table, request).guesses?.(request);
    // A `register` with a wrong invitation may wait before it is refused. Its decision `wait`
    // already has an error with the reason `invitation_wanted`.
    const isJudged = decision.next === "refuse" || decision.next === "wait";
    return (
      guess?.invitation !== undefined && isJudged && decision.error?.reason === "invitation_wanted"
    );
  }

  #tooManyWrongHooks(
    { connection }: OpenRequest,
    { code }: ProtocolError,
    { steadyMs }: Now,
  ): ProtocolError | undefined {
    if (code !== "hook_not_found") return undefined;
    return this.#flood.refusesWrongHook(connection, steadyMs);
  }

  #note(payload: PayloadReply): void {
    if (payload.isComplete) this.#complete.add(payload);
  }
}

/**
 * Returns the connection for whose limits a request counts. A gateway's requests count for each
 * person's address; otherwise all people behind the gateway would share one limit.
 */
function pacedConnection(request: Incoming, connection: string): string {
  const address = isRefused(request) ? undefined : request.via;
  return address === undefined ? connection : `via ${address}`;
}
