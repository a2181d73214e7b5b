import type { Incoming, ParsedRequest } from "../../protocol/client-messages.ts";
import type { Digest } from "../../protocol/event.ts";
import { limits } from "../../protocol/limits.ts";
import type { PasswordResult } from "../../protocol/password-work.ts";
import type { Vector } from "../../protocol/vector.ts";
import { Passwords } from "../core/accounts/passwords.ts";
import { Outlet } from "../core/chat/outlet.ts";
import { type Effect, Effects, type Input, type Now } from "../core/effects.ts";
import type { Services } from "../core/serving/decision.ts";
import type { Flood } from "../core/serving/flood.ts";
import { isRefused } from "../core/serving/payload-reply.ts";
import { lateInEngine } from "../core/serving/refusals.ts";
import { rowOf } from "../core/serving/service.ts";
import { Serving } from "../core/serving/serving.ts";
import { reply } from "../core/serving/waiting-answers.ts";
import type { ServingFigures } from "../measure.ts";
import {
  type Appended,
  type Engine,
  EngineUnavailable,
  Needs,
  type UnpublishedEvent,
} from "./engine.ts";
import { engineServices, engineServiceTable } from "./engine-services.ts";
import { EngineDecisions, EngineSearches, EngineWrites } from "./engine-waits.ts";
import { messageIn } from "./events.ts";
import { addNeedsOf, needsOfHooks } from "./needs.ts";
import type { Reservations } from "./redis/reservations.ts";
import type { Slice } from "./slice.ts";
import { type MadeEvent, type OuterServices, Turn } from "./turn.ts";
import { within } from "./within.ts";

type Requests = Input & { readonly type: "requests" };

interface Parts {
  readonly engine: Engine;
  readonly services: Omit<OuterServices, "submit">;
  readonly flood: Flood;
  /** Reservations of packs, if the server has a Redis. */
  readonly reservations?: Pick<Reservations, "admit" | "settle"> | undefined;
  now(): Now;
  perform(effect: Effect): void;
}

/** An event that waits to be appended, by the number that its writes wait for. */
type Numbered = readonly [number: number, made: MadeEvent];

/**
 * Handles requests in turns. A turn:
 *
 * 1. takes in what has ended since the last turn, such as appends, searches and passwords;
 * 2. takes requests, as many as one load can serve;
 * 3. loads a slice;
 * 4. lets `Serving` decide, by the same services as a replica;
 * 5. sends the replies;
 * 6. starts the next append.
 *
 * A turn waits only for its load. Appends, operations and searches run beside the turns.
 */
export class EngineCore {
  readonly outlet: Outlet;
  readonly serving: Serving;
  readonly passwords = new Passwords();
  /**
   * Why this server is out of the rotation, and serves nothing but `status`; undefined while it is in.
   * The housekeeping sets this.
   */
  whyNotServing: string | undefined;
  /** Whether new requests are refused, so that the open ones come to an end. */
  isStopping = false;
  /** Why this turn has no slice, for the clients; undefined if it has one. */
  #whyNotLoaded: string | undefined;
  readonly #parts: Parts;
  readonly #digest: Digest;
  readonly #turn = new Turn();
  readonly #writes = new EngineWrites(() => this.#turn.holders);
  readonly #decisions: EngineDecisions;
  readonly #searches: EngineSearches;
  readonly #effects = new Effects();
  #requests: Requests[] = [];
  /** How many requests wait for a turn. */
  #queued = 0;
  /** Requests of this turn that would have read too much. */
  readonly #unloaded = new Set<ParsedRequest>();
  /** What the next turn does first: it takes in what has ended since this turn began. */
  #actions: (() => void)[] = [];
  #waiting: Numbered[] = [];
  #isAppending = false;
  #isTurning = false;
  #isDue = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { engine, services, flood, reservations, now } = parts;
    this.#decisions = new EngineDecisions({
      decide: async (operations) => {
        const decided = await engine.decide(operations, services.correctedMs(now()));
        reservations?.settle(decided);
        return decided;
      },
      admit: reservations && ((operation) => reservations.admit(operation)),
      wake: () => this.wake(),
    });
    this.#searches = new EngineSearches(
      (query) => engine.search(query),
      (action) => this.#atNextTurn(action),
    );
    this.#digest = services.digest;
    this.outlet = new Outlet(services.auth);
    const submit: Services["submit"] = (operation, at) => this.#decisions.submit(operation, at);
    this.serving = new Serving({
      services: this.#turn.services({
        ...services,
        submit,
        search: (query, done) => this.#searches.add(query, done),
      }),
      table: engineServices,
      writes: this.#writes,
      answers: {
        size: 0,
        // All servers read the same database, so an answer waits for no other server.
        add: ({ payload, index, decision }) => reply(payload, index, decision),
        due: () => [],
      },
      decisions: this.#decisions,
      // The turn's slice was loaded after the request came, so it is as of now (D8).
      reads: { add: ({ done }) => done(true, now()) },
      passwords: this.passwords,
      // Servers with an engine keep no steps.
      traces: {
        isFullFor: () => false,
        add: ({ done }) => done({ event: undefined, servers: [], silent: [] }),
      },
      flood,
      late: lateInEngine,
      memberWithoutDecisions: () => undefined,
      unready: (request) =>
        this.#whyNotLoaded ?? (this.#unloaded.has(request) ? tooMuch : undefined),
    });
  }

  /** For each origin, its highest `seq` on disk, as far as this server has read it. */
  get committed(): Vector {
    return this.#turn.slice.committed;
  }

  /** Whether nothing is open. */
  get isIdle(): boolean {
    const isWaiting = this.#requests.length > 0 || this.#waiting.length > 0;
    return !isWaiting && !this.#isAppending && this.serving.open === 0;
  }

  /** @param offsetMs by how much the cluster's time is ahead of this machine's clock */
  figures(offsetMs: number, { steadyMs }: Now): ServingFigures {
    return {
      isServing: this.whyNotServing === undefined,
      openRequests: this.serving.open,
      openPasswords: this.passwords.open,
      presentUsers: this.#parts.services.presence.list(steadyMs).length,
      topics: this.outlet.topics,
      published: this.outlet.published,
      repeatedWrites: this.serving.repeatedWrites,
      disbelievedClocks: this.serving.disbelievedClocks,
      offsetMs,
    };
  }

  /** Names of the nodes that have each commit on disk. */
  set holders(names: readonly string[]) {
    this.#turn.holders = names;
  }

  take(requests: Requests): void {
    if (this.#queued >= limits.pendingRequests) {
      this.serving.take(requests, "This server has too many open requests.", this.#parts.now());
    } else {
      this.#requests.push(requests);
      this.#queued += requests.requests.length;
    }
    this.wake();
  }

  /** @param result undefined if the work could not be done */
  passwordDone(number: number, result: PasswordResult | undefined): void {
    this.#atNextTurn(() => this.passwords.settle(number, result));
  }

  #atNextTurn(action: () => void): void {
    this.#actions.push(action);
    this.wake();
  }

  /** Has a turn, now or after the present one. */
  wake(): void {
    this.#isDue = true;
    if (!this.#isTurning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isTurning = true;
    while (this.#isDue) {
      // Requests of one turn of the event loop share a load.
      await new Promise((resolve) => setImmediate(resolve));
      this.#isDue = false;
      await this.#turnOnce();
    }
    this.#isTurning = false;
  }

  async #turnOnce(): Promise<void> {
    for (const act of this.#actions.splice(0)) act();
    const needs = new Needs();
    const outdated = this.#writes.outdated;
    for (const request of outdated) this.#need(needs, request, mostRows);
    const requests = this.#takeRequests(needs);
    const asked = [...requests.flatMap((one) => one.requests), ...outdated];
    const { isLoaded, now } = await this.#load(asked, needs);
    this.#whyNotLoaded = isLoaded ? undefined : noAnswer;
    const refusal = this.isStopping ? "This server is stopping." : this.#whyNotLoaded;
    for (const one of requests) this.serving.take(one, refusal, now);
    this.serving.advance(now, this.#effects);
    this.passwords.advance(this.#effects);
    this.#unloaded.clear();
    for (const numbered of this.#turn.takeMade()) this.#waiting.push(numbered);
    // While the engine does not answer, clients ask again and again: what nobody waits for is dropped.
    this.#waiting = this.#waiting.filter(([number]) => this.#writes.isWaiting(number));
    for (const effect of this.#effects.take()) this.#parts.perform(effect);
    void this.#append();
  }

  /** Takes as many payloads as can be loaded together, at least one, and adds what they need. */
  #takeRequests(needs: Needs): Requests[] {
    const most = needs.estimatedRows + mostRows;
    let count = 0;
    for (const { requests } of this.#requests) {
      if (count > 0 && needs.estimatedRows >= most) break;
      count += 1;
      this.#queued -= requests.length;
      for (const request of requests) {
        if (isRefused(request) || this.#isStranger(request)) continue;
        this.#need(needs, request, most);
      }
    }
    if (count < this.#requests.length) this.#isDue = true;
    return this.#requests.splice(0, count);
  }

  #need(needs: Needs, request: ParsedRequest, most: number): void {
    if (needs.estimatedRows < most) addNeedsOf(needs, request, this.#digest);
    else this.#unloaded.add(request);
  }

  /** Whether the request is refused whatever the engine has, because its sender has no session. */
  #isStranger(request: ParsedRequest): boolean {
    const isOpen = this.#parts.services.auth === "open" || request.session !== undefined;
    return !isOpen && rowOf(engineServiceTable, request).for !== "anybody";
  }

  /**
   * Loads what the new requests read. If requests that waited can now be decided, loads everything
   * again with what they read. `isLoaded` is false if the engine did not answer.
   * @returns also the time at which the turn decides
   */
  async #load(
    requests: readonly Incoming[],
    needs: Needs,
  ): Promise<{ readonly isLoaded: boolean; readonly now: Now }> {
    const { now } = this.#parts;
    if (this.whyNotServing !== undefined) return { isLoaded: false, now: now() };
    if (requests.length === 0 && !this.serving.isWaiting) return { isLoaded: true, now: now() };
    try {
      this.#turn.slice = await this.#loadFor(requests, needs);
      const time = now();
      const waited = this.serving.waited(time);
      const most = needs.estimatedRows + mostRows;
      for (const request of waited) this.#need(needs, request, most);
      // `committed` and the pages of a slice must be of one moment, so a slice with pages is not
      // extended.
      if (waited.length > 0) {
        this.#turn.slice = await this.#loadFor([...requests, ...waited], needs);
      }
      this.#hear(this.#turn.slice.clock);
      return { isLoaded: true, now: time };
    } catch (error) {
      if (error instanceof EngineUnavailable) return { isLoaded: false, now: now() };
      throw error;
    }
  }

  async #loadFor(requests: readonly Incoming[], needs: Needs): Promise<Slice> {
    const { engine } = this.#parts;
    const slice = await within(loadMs, engine.load(needs));
    const more = needsOfHooks(requests, slice, this.#digest);
    return more === undefined ? slice : await within(loadMs, engine.load(more, slice));
  }

  /** Appends what waits, once the batch before is on disk. */
  async #append(): Promise<void> {
    if (this.#isAppending || this.#waiting.length === 0) return;
    this.#isAppending = true;
    const batch = this.#waiting.splice(0, mostAppended);
    try {
      const appended = await this.#parts.engine.append(batch.map(([, { event }]) => event));
      this.#hear(Math.max(...appended.map((one) => (one === "conflict" ? 0 : one.place.clock))));
      this.#publish(batch, appended);
      this.#actions.push(() => {
        for (const [at, [number]] of batch.entries()) {
          this.#writes.settle(number, appended[at] as Appended);
        }
      });
    } catch (error) {
      if (!(error instanceof EngineUnavailable)) throw error;
      this.#actions.push(() => {
        for (const [number] of batch) this.#writes.giveUp(number);
      });
    }
    this.#isAppending = false;
    this.wake();
  }

  /** Raises this server's clock above that of events which its replies tell of (R7). */
  #hear(eventClock: number): void {
    const { clock } = this.#parts.services;
    if (eventClock > clock.value) clock.receive(eventClock);
  }

  #publish(batch: readonly Numbered[], appended: readonly Appended[]): void {
    const events = batch.flatMap(([, { event, timestamp }], at): UnpublishedEvent[] => {
      const one = appended[at];
      const isNew = one !== undefined && one !== "conflict" && one.isNew;
      return isNew ? [{ event, appended: one, timestamp }] : [];
    });
    this.publish(events);
  }

  /** Publishes the messages among events that are on disk. */
  publish(events: readonly UnpublishedEvent[]): void {
    const messages = messagesAmong(events);
    if (messages.length === 0) return;
    const versions = new Map(events.flatMap(({ appended }) => [...appended.versions]));
    this.outlet.publish(messages, (user) => versions.get(user), this.#effects);
    for (const effect of this.#effects.take()) this.#parts.perform(effect);
    const places = messages.map(({ message }) => message);
    // If this fails, the keeper publishes them once more, and clients drop what they have.
    void this.#parts.engine.markPublished(places).catch(() => {});
  }
}

/** Returns the messages among events, those of each lane in their order. */
function messagesAmong(events: readonly UnpublishedEvent[]) {
  const messages = events.flatMap(({ event, appended: { place, prevs }, timestamp }) => {
    const written = messageIn(event);
    return written === undefined ? [] : [{ message: { ...place, ...written }, prevs, timestamp }];
  });
  // Only the order within a lane matters.
  return messages.sort((a, b) => a.message.seq - b.message.seq);
}

const noAnswer = "This server's database does not answer at the moment.";

/**
 * The most rows of one load, by estimate. A longer load might exceed `loadMs`, which would refuse all
 * requests of the turn. The replies to one payload can't show more.
 */
const mostRows = 30_000;
const tooMuch = "This payload asks for too much at once: ask for less, or again.";

/** Milliseconds after which a load is given up, and the requests that need it are refused. */
const loadMs = 1_000;

/** The most events of one append. */
const mostAppended = 1_000;
