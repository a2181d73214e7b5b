import type { GameRequest } from "../../protocol/game-requests.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { GameName, MatchId, OpenMatch } from "../../protocol/matches.ts";
import type { Answered, Effect, GameMessage, Input, Now, Place } from "./effects.ts";
import type { Holding, Holdings } from "./holdings.ts";
import type { Asked, Reply } from "./hosting.ts";
import type { Matchmaking } from "./matchmaking.ts";
import type { Peers } from "./peers.ts";
import { merged, type Stamp } from "./stamps.ts";

/** The most milliseconds in which a request must find a host that answers it. */
const patienceMs = 10_000;
/** Milliseconds after which a request that the host has not answered is sent again. */
const againMs = 1_000;
/**
 * Milliseconds after which a look that waits for news at a host is sent again: the host may have lost
 * it, or its answer, for example because the host had just started.
 */
const lookAgainMs = 2_000;
/** Milliseconds after which a request that found no host is tried again. */
const pauseMs = 100;
/** Requests are numbered from the time of the start on, so no two starts use the same numbers. */
const numbersPerMs = 1_000;

interface Pending {
  readonly number: number;
  readonly to: unknown;
  readonly user: UserName;
  readonly request: GameRequest;
  readonly stamp: Stamp;
  readonly untilMs: number;
  /**
   * `parked`: a look waits for news of a user without a match. `locating`: the cluster is asked.
   * `sent`: another server is asked. `hosted`: this server is the host. `again`: a new try is due.
   */
  state: "parked" | "locating" | "sent" | "hosted" | "again";
  /** Steady time of the last attempt. */
  sinceMs: number;
  /** The game server that has got the request last. */
  sentTo: GameName | undefined;
  /** The game servers that were asked how the last match ended that the player has seen. */
  readonly askedAboutEnd: Set<GameName>;
  /** Whether the last server was asked about that end. */
  isAboutEnd: boolean;
}

interface Parts {
  readonly self: GameName;
  readonly holdings: Holdings;
  readonly matchmaking: Matchmaking;
  readonly peers: Peers;
  emit(effect: Effect): void;
  tick(): Stamp;
}

/**
 * The requests of players that use this game server. Those about a match go to its host, wherever it
 * is; when another server becomes the host, they go there, until somebody has answered.
 */
export class Desk {
  readonly #parts: Parts;
  readonly #pending = new Map<number, Pending>();
  /** The same by the user whose queue or match they are about. */
  readonly #bySubject = new Map<UserName, Set<Pending>>();
  /** Where the cluster says that matches of players are, if they are not here. */
  readonly #places = new Map<UserName, OpenMatch>();
  #next: number;

  constructor(parts: Parts, { wallMs }: Now) {
    this.#parts = parts;
    // An answer to a request of the process before must not be taken for one to a new request.
    this.#next = Math.floor(wallMs) * numbersPerMs;
  }

  ask({ to, user, request }: Input & { readonly type: "asked" }, now: Now): void {
    this.#parts.matchmaking.hearOf(user, now);
    const copy = this.#parts.holdings.of(subjectOf(user, request))?.copy;
    const waitMs = request.type === "look" ? request.waitMs : 0;
    const pending: Pending = {
      number: this.#next,
      to,
      user,
      request,
      stamp: merged(copy?.clock ?? {}, this.#parts.tick()),
      untilMs: now.steadyMs + patienceMs + waitMs,
      state: "again",
      sinceMs: now.steadyMs,
      sentTo: undefined,
      askedAboutEnd: new Set(),
      isAboutEnd: false,
    };
    this.#next += 1;
    this.#pending.set(pending.number, pending);
    const subject = subjectOf(user, request);
    this.#bySubject.set(subject, this.#about(subject).add(pending));
    this.#route(pending, now);
  }

  /** Handles a request that another server forwards to the host of the match. */
  take(from: GameName, message: GameMessage & { readonly type: "asked" }, now: Now): void {
    const { number, user, request, stamp, only } = message;
    const { holdings } = this.#parts;
    const subject = subjectOf(user, request);
    const holding = only === undefined ? holdings.of(subject) : holdings.get(only);
    const isTheirs = holding?.copy.state.players.some((player) => player.user === subject);
    const hosting = isTheirs === true ? holding?.hosting : undefined;
    const say = (answer: GameMessage) =>
      this.#parts.emit({ type: "send", to: from, message: answer });
    if (hosting === undefined || isOfQueue(request)) {
      return say({ type: "notHost", number });
    }
    const asked: Asked = { user, request, origin: from, stamp };
    hosting.take(
      asked,
      (answered) => {
        if ("moved" in answered) say({ type: "notHost", number });
        else say({ type: "answered", number, answered });
      },
      now,
    );
  }

  /**
   * Takes an answer. A refusal counts only from the server that was asked last: a host that was stopped
   * may refuse by its old log what the next host takes.
   */
  answered(from: GameName, message: GameMessage & { readonly type: "answered" }): void {
    const { number, answered } = message;
    const pending = this.#pending.get(number);
    if (pending === undefined) return;
    const isLast = pending.state === "sent" && pending.sentTo === from;
    if (isLast || !("refused" in answered)) this.#finish(pending, answered);
  }

  notHost(from: GameName, { number }: GameMessage & { readonly type: "notHost" }, now: Now): void {
    const pending = this.#pending.get(number);
    if (pending?.state !== "sent" || pending.sentTo !== from) return;
    if (pending.isAboutEnd) return this.#askAboutEnd(pending, now);
    this.#again(pending, now);
    this.#parts.holdings.missed(subjectOf(pending.user, pending.request), from);
  }

  located(user: UserName, place: Place | undefined, now: Now): void {
    if (place?.open === undefined) this.#places.delete(user);
    else this.#places.set(user, place.open);
    for (const pending of this.#about(user)) {
      if (pending.state !== "locating") continue;
      if (place === undefined) this.#finish(pending, { refused: "unavailable" });
      else if (place.open === undefined) this.#withoutMatch(pending, place.rating, now);
      else this.#toHost(pending, place.open, now);
    }
  }

  /** Looks again at the requests about a user, for whom something has changed. */
  changed(user: UserName, now: Now): void {
    this.#places.delete(user);
    for (const pending of this.#about(user)) {
      const { state, request } = pending;
      // A look may wait for news of a match that is over, while the next one has begun.
      const mayMove = state !== "locating" && (state !== "hosted" || request.type === "look");
      if (mayMove) this.#route(pending, now);
    }
  }

  /** A game server has restarted: it knows nothing of the requests that it has got. */
  forgotten(game: GameName, now: Now): void {
    for (const pending of this.#pending.values()) {
      if (pending.state === "sent" && pending.sentTo === game) this.#again(pending, now);
    }
  }

  tick(now: Now): void {
    const { peers } = this.#parts;
    for (const pending of this.#pending.values()) {
      const { state, request, untilMs, sinceMs, sentTo } = pending;
      const passedMs = now.steadyMs - sinceMs;
      const waitMs = request.type === "look" ? request.waitMs : 0;
      if (state === "parked" && passedMs >= waitMs) {
        this.#finish(pending, this.#standing(subjectOf(pending.user, request), now));
      } else if (untilMs <= now.steadyMs) this.#finish(pending, { refused: "unavailable" });
      else if (state === "again" && passedMs >= pauseMs) this.#route(pending, now);
      else if (state === "sent") {
        const isLost = sentTo !== undefined && peers.isSilent(sentTo, now);
        const isLook = request.type === "look";
        if (isLost || (!isLook && passedMs >= againMs)) this.#again(pending, now);
        else if (isLook && passedMs >= lookAgainMs) this.#route(pending, now);
      }
    }
  }

  #route(pending: Pending, now: Now): void {
    const { holdings, matchmaking, emit } = this.#parts;
    const { request, user } = pending;
    const subject = subjectOf(user, request);
    const holding = holdings.of(subject);
    const isOver = holding?.endedMs !== undefined;
    pending.sinceMs = now.steadyMs;
    const queued = matchmaking.find(subject);
    if (queued !== undefined) return this.#inQueue(pending, now);
    const isOfMatch = request.type === "act" && request.match === holding?.copy.match;
    if (holding !== undefined && (!isOver || isOfMatch)) {
      return this.#toHolding(pending, holding, now);
    }
    const place = this.#places.get(subject);
    if (place !== undefined && !isOfQueue(request)) return this.#toHost(pending, place, now);
    const isAsked = [...this.#about(subject)].some(({ state }) => state === "locating");
    pending.state = "locating";
    if (!isAsked) emit({ type: "locate", user: subject });
  }

  /** Asks the host of a match of which this server has a copy. */
  #toHolding(pending: Pending, { hosting, copy }: Holding, now: Now): void {
    const { user, request, stamp } = pending;
    if (isOfQueue(request)) return this.#finish(pending, { refused: "seated" });
    if (hosting === undefined) return this.#forward(pending, copy.term.host);
    pending.state = "hosted";
    const asked: Asked = { user, request, origin: this.#parts.self, stamp };
    hosting.take(asked, this.#replyTo(pending, now), now);
  }

  #replyTo(pending: Pending, now: Now): Reply {
    return (answered) => {
      if ("moved" in answered) this.#again(pending, now);
      else this.#finish(pending, answered);
    };
  }

  #toHost(pending: Pending, open: OpenMatch, now: Now): void {
    const { self } = this.#parts;
    if (isOfQueue(pending.request)) return this.#finish(pending, { refused: "seated" });
    // This server should host the match, and has not got it yet, or has lost it; or the host is silent.
    const isAway = open.host === self || this.#parts.peers.isSilent(open.host, now);
    if (isAway) return this.#again(pending, now);
    this.#forward(pending, open.host);
  }

  #forward(pending: Pending, to: GameName, only?: MatchId): void {
    const { number, user, request, stamp } = pending;
    pending.state = "sent";
    pending.sentTo = to;
    pending.isAboutEnd = only !== undefined;
    this.#parts.emit({
      type: "send",
      to,
      message: { type: "asked", number, user, request, stamp, only },
    });
  }

  #inQueue(pending: Pending, now: Now): void {
    const { request, user } = pending;
    const { matchmaking } = this.#parts;
    if (request.type === "act") return this.#finish(pending, { refused: "not_in_match" });
    if (request.type === "leave") {
      // A match may be about to begin: then the player sits in it, or waits on.
      if (matchmaking.isReserved(user)) return this.#again(pending, now);
      matchmaking.remove(user);
      this.#finish(pending, { answer: { phase: "idle" } });
      return this.changed(user, now);
    }
    if (request.type === "enter") {
      const queued = matchmaking.find(user);
      if (queued !== undefined && !matchmaking.isReserved(user)) {
        matchmaking.add({ ...queued, rules: request.rules }, now);
      }
      return this.#finish(pending, this.#standing(user, now));
    }
    this.#lookWithoutMatch(pending, now);
  }

  #withoutMatch(pending: Pending, rating: number, now: Now): void {
    const { request, user } = pending;
    const { matchmaking } = this.#parts;
    switch (request.type) {
      case "act":
        return this.#finish(pending, { refused: "not_in_match" });
      case "leave":
        return this.#finish(pending, { answer: { phase: "idle" } });
      case "look": {
        const here = this.#parts.holdings.of(subjectOf(user, request));
        const seen = request.after?.match;
        const isSeen = seen === undefined || seen === here?.copy.match;
        if (isSeen && here !== undefined) return this.#toHolding(pending, here, now);
        return this.#askAboutEnd(pending, now);
      }
      case "enter": {
        const isTaken = matchmaking.add({ user, rules: request.rules, rating }, now);
        const answered = this.#standing(user, now);
        this.#finish(pending, isTaken ? answered : { refused: "queue_full" });
        return this.changed(user, now);
      }
    }
  }

  /**
   * Asks the other game servers, one after the other, how the match ended that the player has seen: they
   * may have missed it, for example because their own game server has died. If nobody knows, the
   * player sees the match of theirs that this server has, or that they sit in none.
   */
  #askAboutEnd(pending: Pending, now: Now): void {
    const { user, request, askedAboutEnd } = pending;
    const { peers, holdings } = this.#parts;
    const isNext = (game: GameName) => peers.isLive(game, now) && !askedAboutEnd.has(game);
    const seen = request.type === "look" ? request.after?.match : undefined;
    const next = seen === undefined ? undefined : peers.known.find(isNext);
    const here = holdings.of(subjectOf(user, request));
    if (next !== undefined) {
      askedAboutEnd.add(next);
      this.#forward(pending, next, seen);
    } else if (here !== undefined) this.#toHolding(pending, here, now);
    else this.#lookWithoutMatch(pending, now);
  }

  /** Answers a look at once, unless the player already knows that they sit in no match. */
  #lookWithoutMatch(pending: Pending, now: Now): void {
    const { request, user } = pending;
    const { after } = request as GameRequest & { readonly type: "look" };
    const isNew = after === undefined || after.match !== undefined || pending.state === "parked";
    if (isNew) return this.#finish(pending, this.#standing(subjectOf(user, request), now));
    pending.state = "parked";
  }

  #standing(user: UserName, { steadyMs }: Now): Answered {
    const queued = this.#parts.matchmaking.find(user);
    if (queued === undefined) return { answer: { phase: "idle" } };
    const { rules, sinceMs } = queued;
    return { answer: { phase: "waiting", rules, waitedMs: steadyMs - sinceMs } };
  }

  #about(subject: UserName): Set<Pending> {
    return this.#bySubject.get(subject) ?? new Set();
  }

  #again(pending: Pending, now: Now): void {
    this.#places.delete(subjectOf(pending.user, pending.request));
    pending.state = "again";
    pending.sinceMs = now.steadyMs;
  }

  #finish(pending: Pending, answered: Answered): void {
    if (!this.#pending.delete(pending.number)) return;
    const subject = subjectOf(pending.user, pending.request);
    const about = this.#about(subject);
    about.delete(pending);
    if (about.size === 0) this.#bySubject.delete(subject);
    this.#parts.emit({ type: "answer", to: pending.to, answered });
  }
}

/** The user whose queue or match a request is about. */
function subjectOf(user: UserName, request: GameRequest): UserName {
  return request.type === "look" ? (request.of ?? user) : user;
}

function isOfQueue(
  request: GameRequest,
): request is Extract<GameRequest, { readonly type: "enter" | "leave" }> {
  return request.type === "enter" || request.type === "leave";
}
