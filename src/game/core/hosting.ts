import { gameDurations, gameLimits } from "../../protocol/game-limits.ts";
import type { GameRequest, Look, LookedAt } from "../../protocol/game-requests.ts";
import type { Seat } from "../../protocol/game-view.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { GameName } from "../../protocol/matches.ts";
import type { Answered, GameMessage, Now, Question } from "./effects.ts";
import type { Figures } from "./figures.ts";
import type { MatchCopy } from "./match-copy.ts";
import type { Action, Operation } from "./match-event.ts";
import {
  begun,
  deadlineOf,
  fold,
  type MatchState,
  seatOf,
  shownEvent,
  viewOf,
} from "./match-state.ts";
import { merged, type Stamp } from "./stamps.ts";
import { TwoPhaseCommit } from "./two-phase-commit.ts";

/** Where the answer to a request goes. `moved` if another game server must be asked. */
export type Reply = (answered: Answered | { readonly moved: true }) => void;

/** A request of a player about a match that this server hosts. */
export interface Asked {
  readonly user: UserName;
  readonly request: GameRequest & { readonly type: "act" | "look" };
  /** The game server that the player asked, and its clock when it made the request. */
  readonly origin: GameName;
  readonly stamp: Stamp;
}

interface Looker {
  readonly seat: Seat | undefined;
  readonly after: LookedAt;
  /** Steady time since when they wait. */
  readonly sinceMs: number;
  /** The most milliseconds that they want to wait. */
  readonly waitMs: number;
  readonly reply: Reply;
}

interface Parts {
  readonly self: GameName;
  send(to: GameName, message: GameMessage): void;
  decide(question: Question): void;
  /** Returns this server's clock after one more operation. */
  tick(): Stamp;
  readonly figures: Figures;
}

/** What a host does for a match: players' actions and looks, deadlines, seats, and the end. */
export class Hosting {
  readonly #copy: MatchCopy;
  readonly #parts: Parts;
  readonly #commit: TwoPhaseCommit;
  /** What players may see. */
  #agreed: MatchState | undefined;
  #lookers: Looker[] = [];
  /** Steady times at which the players were last heard of. */
  readonly #heardMs: [number, number];
  #isEnding = false;
  /** The term in which this server has asked that the match ends. */
  #endTerm = 0;
  /** By how much the match's time is ahead of the steady clock. */
  readonly #aheadMs: number;

  constructor(copy: MatchCopy, parts: Parts, now: Now) {
    this.#copy = copy;
    this.#parts = parts;
    this.#aheadMs = Math.max(now.wallMs, copy.state.lastMs) - now.steadyMs;
    this.#heardMs = [now.steadyMs, now.steadyMs];
    this.#commit = new TwoPhaseCommit(copy, {
      send: (to, message) => parts.send(to, message),
      onAgreed: (length) => this.#agree(length),
      figures: parts.figures,
    });
  }

  get agreed(): MatchState | undefined {
    return this.#agreed;
  }

  /** Begins a term as the host. */
  begin(now: Now): void {
    this.#commit.begin(this.#timeOf(now));
  }

  stored(now: Now): void {
    this.#commit.stored(this.#timeOf(now));
  }

  hear(message: GameMessage, now: Now): void {
    this.#commit.hear(message, this.#timeOf(now));
  }

  take(asked: Asked, reply: Reply, { steadyMs }: Pick<Now, "steadyMs">): void {
    const now = this.#timeOf({ steadyMs });
    const { user, request } = asked;
    const seat = seatOf(this.#copy.state, user);
    if (seat !== undefined) this.#heardMs[seat] = now.steadyMs;
    if (request.type === "look") return this.#look(request, { seat, reply }, now);
    if (seat === undefined) return reply({ refused: "not_in_match" });
    if (request.match !== this.#copy.match) return reply({ refused: "match_not_found" });
    const action = { ...request.action, seat } as Action;
    const { origin, stamp } = asked;
    const operation: Operation = { id: `${user}/${request.id}`, origin, stamp, action };
    const settle: Parameters<TwoPhaseCommit["offer"]>[1] = {
      settle: (outcome) => reply("eventSeq" in outcome ? { answer: outcome } : outcome),
    };
    this.#commit.offer(operation, settle, now);
  }

  tick({ steadyMs }: Pick<Now, "steadyMs">): void {
    const now = this.#timeOf({ steadyMs });
    this.#commit.tick(now);
    this.answerLate(now);
    const { state } = this.#copy;
    const deadlineMs = deadlineOf(state);
    if (deadlineMs !== undefined && now.wallMs >= deadlineMs) {
      this.#own(`:timeOut/${state.length}`, { type: "timeOut" }, now);
    }
    for (const seat of [0, 1] as const) {
      const isGone = now.steadyMs - this.#heardMs[seat] >= gameDurations.seatMs;
      if (isGone && state.over === undefined) {
        this.#own(`:gone/${seat}`, { type: "giveUp", seat, isGone }, now);
      }
    }
  }

  /** Answers those who have waited for news as long as they wanted to, or for `mostMs`. */
  answerLate({ steadyMs }: Pick<Now, "steadyMs">, mostMs: number = gameDurations.lookMs): void {
    const isLate = ({ sinceMs, waitMs }: Looker) => steadyMs - sinceMs >= Math.min(waitMs, mostMs);
    const late = this.#lookers.filter(isLate);
    this.#lookers = this.#lookers.filter((looker) => !isLate(looker));
    for (const looker of late) this.#show(looker);
  }

  /** The time of the match: it goes on evenly, also if somebody sets the machine's clock. */
  #timeOf({ steadyMs }: Pick<Now, "steadyMs">): Now {
    return { steadyMs, wallMs: Math.floor(steadyMs + this.#aheadMs) };
  }

  /** This server hosts the match no longer. */
  end(): void {
    this.#commit.end();
    for (const { reply } of this.#lookers.splice(0)) reply({ moved: true });
  }

  /**
   * An operation of the host itself; one that is offered again is not done again. Its id begins as no
   * user's name does, so that no player's operation has the same.
   */
  #own(id: string, action: Action, now: Now): void {
    const stamp = merged(this.#copy.clock, this.#parts.tick());
    const operation = { id, origin: this.#parts.self, stamp, action };
    this.#commit.offer(operation, undefined, now);
  }

  #look(
    { after, waitMs }: GameRequest & { readonly type: "look" },
    { seat, reply }: Pick<Looker, "seat" | "reply">,
    { steadyMs: sinceMs }: Now,
  ): void {
    const looker = { seat, reply, after: after ?? { eventSeq: -1 }, sinceMs, waitMs };
    if (this.#hasNews(looker)) this.#show(looker);
    else this.#lookers.push(looker);
  }

  #hasNews({ after }: Looker): boolean {
    const agreed = this.#agreed;
    if (agreed === undefined) return false;
    return after.match !== agreed.match || after.eventSeq < agreed.length - 1;
  }

  #show({ seat, after, reply }: Looker): void {
    const agreed = this.#agreed;
    if (agreed === undefined) return reply({ refused: "unavailable" });
    const from = after.match === agreed.match ? after.eventSeq + 1 : 0;
    const events = this.#copy.events.slice(
      Math.max(from, agreed.length - gameLimits.shownEvents),
      agreed.length,
    );
    const look: Look = {
      phase: "match",
      view: viewOf(agreed, seat),
      events: events.map((event) => shownEvent(agreed, event, seat)),
    };
    reply({ answer: look });
  }

  #agree(length: number): void {
    const { events } = this.#copy;
    const [first] = events;
    if (first === undefined) return;
    let agreed = this.#agreed ?? begun(first);
    for (const event of events.slice(agreed.length, length)) agreed = fold(agreed, event);
    this.#agreed = agreed;
    const ready = this.#lookers.filter((looker) => this.#hasNews(looker));
    this.#lookers = this.#lookers.filter((looker) => !this.#hasNews(looker));
    for (const looker of ready) this.#show(looker);
    if (agreed.over !== undefined) this.#decideEnd(agreed);
  }

  /**
   * The question whether the match ends named a term that has passed. If this server does not know
   * the next term yet, it asks again in that term, or is no longer the host.
   */
  endAgain(): void {
    this.#isEnding = false;
    const isLater = this.#copy.term.term > this.#endTerm;
    if (isLater && this.#agreed?.over !== undefined) this.#decideEnd(this.#agreed);
  }

  /** The end counts once the cluster has decided it: ratings change, and the players are free. */
  #decideEnd({ match, over, players }: MatchState): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#endTerm = this.#copy.term.term;
    const { winner, isVoid } = over ?? {};
    this.#parts.decide({
      service: "matchEnd",
      match,
      term: this.#endTerm,
      winner: winner === undefined ? undefined : players[winner].user,
      isVoid,
    });
  }
}
