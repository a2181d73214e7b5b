import type { Incoming, ParsedRequest } from "../../../protocol/client-messages.ts";
import type { ProtocolError } from "../../../protocol/errors.ts";
import type { LamportClock } from "../../../protocol/lamport-clock.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import { slotKey, type Vector } from "../../../protocol/vector.ts";
import type { Passwords } from "../accounts/passwords.ts";
import type { Effects, Input, Now } from "../effects.ts";
import { Admission } from "./admission.ts";
import { type Decision, refuse, type Services } from "./decision.ts";
import type { Flood } from "./flood.ts";
import { HeldPayloads, pacedConnection } from "./held-payloads.ts";
import { Lookups } from "./lookups.ts";
import { isRefused, PayloadReply, type Pending } from "./payload-reply.ts";
import {
  behindForGuests,
  notAsOfNow,
  toError,
  tooManyOpen,
  tooManyOperations,
  tooManyPasswords,
  tooManyRequests,
  unavailable,
  undecided,
} from "./refusals.ts";
import { costOf, rowOf, type ServiceTable } from "./service.ts";
import type { ServingParts } from "./serving-parts.ts";
import { reply, type Told } from "./waiting-answers.ts";
import { type WaitingCover, WaitingCovers } from "./waiting-covers.ts";
import { WaitingWork } from "./waiting-work.ts";

type OpenRequest = Pending & {
  readonly request: ParsedRequest;
  readonly connection: string;
  readonly waited: boolean;
  /**
   * Whether the request was admitted: the sender's rights were checked, and the request was counted
   * for the sender's pace.
   */
  readonly isAdmitted: boolean;
  /** Whether the request wants the state as of now, and this server has it (D8). */
  readonly isAsOfNow?: boolean;
};

type Covered = OpenRequest & WaitingCover;

/** Handles clients' requests, from the gate to their replies. */
export class Serving {
  readonly #parts: ServingParts;
  readonly #admission: Admission;
  readonly #services: Services;
  readonly #clock: LamportClock;
  readonly #table: ServiceTable;
  readonly #writes: ServingParts["writes"];
  readonly #answers: ServingParts["answers"];
  #openOperations = 0;
  #openReads = 0;
  readonly #covers = new WaitingCovers<Covered>();
  readonly #passwords: Passwords;
  readonly #work: WaitingWork<OpenRequest>;
  readonly #lookups: Lookups<OpenRequest>;
  readonly #flood: Flood;
  /** Payloads whose last request was answered in this step. */
  readonly #complete = new Set<PayloadReply>();
  readonly #held = new HeldPayloads();

  constructor(parts: ServingParts) {
    const { services, table, passwords, flood } = parts;
    this.#parts = parts;
    this.#passwords = passwords;
    this.#work = new WaitingWork(passwords);
    this.#lookups = new Lookups(parts);
    this.#flood = flood;
    this.#services = services;
    this.#admission = new Admission(parts);
    this.#clock = services.clock;
    this.#table = table;
    this.#writes = parts.writes;
    this.#answers = parts.answers;
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
    const worked = this.#work.size + this.#lookups.size;
    const decided = this.#openOperations + this.#openReads + this.#answers.size;
    return this.#writes.size + this.#covers.size + decided + worked;
  }

  /** Whether requests wait for a commit, for a lookup, or for work on a password. */
  get isWaiting(): boolean {
    return this.#covers.size + this.#work.size + this.#lookups.size > 0;
  }

  /** The requests that an `advance` at this time may decide, because they have waited. */
  waited({ steadyMs }: Now): readonly ParsedRequest[] {
    const covered = this.#covers.candidates(this.#shown, steadyMs);
    const due = [...this.#work.done, ...this.#lookups.done, ...covered];
    return due.map(({ request }) => request);
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
      const { payload, index, outcome } = write;
      if (outcome === "committed") payload.answer(index, write.answer());
      else if (outcome === "late") payload.refuse(index, unavailable(this.#parts.late.write));
      else write.again(now);
      this.#note(payload);
    }
    for (const { payload, index, decision } of this.#answers.due(now.steadyMs)) {
      reply(payload, index, decision);
      this.#note(payload);
    }
    for (const { asked, decide } of this.#work.due(now.steadyMs))
      this.#decideLater(asked, now, decide);
    this.#decideCovered(now);
    for (const { asked, decide } of this.#lookups.take()) this.#decideLater(asked, now, decide);
    // A request whose password is hashed now may have asked for an operation.
    if (this.#parts.decisions.hasWaiting) this.#parts.decisions.advance(now);
    for (const payload of this.#complete) {
      this.#held.remove(payload);
      const timeMs = this.#services.correctedMs(now);
      effects.add(payload.effect(this.#clock, timeMs, this.#services.log.applied));
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
    if (request.consistency === "now" && asked.isAsOfNow !== true) return this.#read(asked, now);
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
        this.#tell(asked, decision, now);
        break;
      case "refuse": {
        const error = this.#tooManyWrongHooks(asked, decision.error, now) ?? decision.error;
        this.#tell(asked, { ...decision, error }, now);
        break;
      }
      case "wait": {
        if (this.#admission.isGuest(request, now)) {
          payload.refuse(index, behindForGuests());
          break;
        }
        const plain = request.after === undefined;
        const deadlineMs = now.steadyMs + (plain ? durations.allMembersMs : durations.coverMs);
        this.#covers.add({ ...asked, until: decision.until, deadlineMs }, this.#shown);
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
          request,
          again: (later) => this.#decideLater(asked, later, () => this.#decision(asked, later)),
        });
        break;
      }
      case "decide":
        this.#decide(asked, decision, now);
        break;
      case "password":
        this.#workOn(asked, decision, now);
        break;
      case "trace":
      case "search": {
        const refused =
          decision.next === "trace"
            ? this.#lookups.trace(asked, decision.of, now)
            : this.#lookups.search(asked, decision);
        if (refused !== undefined) payload.refuse(index, refused);
        break;
      }
      default:
        decision satisfies never;
    }
    this.#note(payload);
  }

  /** Answers now, or once all live members have applied the operation that the answer tells of (R9). */
  #tell({ payload, index, request }: OpenRequest, decision: Told, now: Now): void {
    const { slot } = decision;
    if (slot === undefined || request.after !== undefined) reply(payload, index, decision);
    else this.#answers.add({ payload, index, decision, slot }, now.steadyMs);
  }

  /** Gets an operation decided. The request is answered once its outcome may be told. */
  #decide(
    asked: OpenRequest,
    { operation, settle }: Decision & { next: "decide" },
    now: Now,
  ): void {
    const { payload, index } = asked;
    const isFull = this.#parts.decisions.isFull(this.#openOperations);
    if (isFull) return payload.refuse(index, tooManyOperations());
    const older = this.#parts.memberWithoutDecisions(now.steadyMs);
    const { late } = this.#parts;
    if (older !== undefined) return payload.refuse(index, undecided(older, late));
    this.#openOperations += 1;
    this.#parts.decisions.ask(operation, {
      deadlineMs: now.steadyMs + durations.decideMs,
      settle: (decided, later) => {
        this.#openOperations -= 1;
        const decision = decided && settle(decided, later);
        this.#follow(asked, decision ?? refuse(undecided(undefined, late)), later);
      },
    });
  }

  /** Waits until this server has applied all that was decided before this moment (D8). */
  #read(asked: OpenRequest, now: Now): void {
    const deadlineMs = now.steadyMs + durations.coverMs;
    this.#openReads += 1;
    const done = (isAsOfNow: boolean, later: Now) => {
      this.#openReads -= 1;
      if (isAsOfNow) this.#admit({ ...asked, isAsOfNow }, later);
      else this.#follow(asked, refuse(notAsOfNow()), later);
    };
    this.#parts.reads.add({ deadlineMs, done });
  }

  #workOn(asked: OpenRequest, decision: Decision & { next: "password" }, now: Now): void {
    const { payload, index } = asked;
    const { work, repeats, settle } = decision;
    const tooOften = repeats && this.#flood.refusesRepetition(repeats, now.steadyMs);
    if (tooOften !== undefined) return payload.refuse(index, tooOften);
    if (this.#passwords.isFull) return payload.refuse(index, tooManyPasswords());
    this.#work.add({ asked, work, settle }, now.steadyMs);
  }

  /** What requests with `after` wait for: the committed events, and the applied slot. */
  get #shown(): Vector {
    const { replication, log } = this.#services;
    return { ...replication.committed, [slotKey]: log.applied };
  }

  #decideCovered(now: Now): void {
    if (this.#covers.size === 0) return;
    for (const asked of this.#covers.due(this.#shown, now.steadyMs)) {
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

  #tooManyWrongHooks({ connection }: OpenRequest, { code }: ProtocolError, { steadyMs }: Now) {
    if (code !== "hook_not_found") return undefined;
    return this.#flood.refusesWrongHook(connection, steadyMs);
  }

  #note(payload: PayloadReply): void {
    if (payload.isComplete) this.#complete.add(payload);
  }
}
