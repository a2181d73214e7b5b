import { gameDurations } from "../../protocol/game-limits.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { GameName, MatchId, OpenMatch, Term } from "../../protocol/matches.ts";
import type { Decided, Effect, GameMessage, Now, Question } from "./effects.ts";
import type { Figures } from "./figures.ts";
import { Hosting } from "./hosting.ts";
import { isLogOf } from "./lawful.ts";
import { type Disk, MatchCopy, termOf } from "./match-copy.ts";
import type { MatchEvent, Signer } from "./match-event.ts";
import type { MatchState } from "./match-state.ts";
import { needsTerm, nextTerm } from "./next-term.ts";
import type { Peers } from "./peers.ts";
import { Shadow } from "./shadow.ts";
import type { Stamp } from "./stamps.ts";
import { type Adopt, UnprovenLogs } from "./unproven-logs.ts";

/** A match of which this server has a copy. It hosts the match, or is the host's shadow. */
export interface Holding {
  readonly copy: MatchCopy;
  hosting: Hosting | undefined;
  readonly shadow: Shadow;
  /** The term that this server has asked for; 0 if it waits for none. */
  asked: number;
  /** Steady time at which the end was decided. */
  endedMs: number | undefined;
  /** Steady time at which this server learned of the present term. */
  sinceMs: number;
}

/** The open matches that the cluster gives to this server. */
interface Listed {
  readonly matches: readonly OpenMatch[];
  /** Steady time at which the cluster was asked: later matches and terms may be missing. */
  readonly askedMs: number;
}

interface Parts {
  readonly self: GameName;
  readonly signer: Signer;
  readonly disk: Disk;
  readonly peers: Peers;
  /** The logs of the disk, until the cluster has told which of their matches are still open. */
  readonly recovered: Map<MatchId, readonly MatchEvent[]>;
  emit(effect: Effect): void;
  tick(): Stamp;
  /** Whether the match is one that begins, with a player of this server. */
  isInvited(match: MatchId): boolean;
  readonly figures: Figures;
  /** The match has another host, is over, or is no longer here. */
  onChanged(state: MatchState): void;
}

/**
 * The matches of which this server has a copy, and their terms. Who hosts a match changes only by a
 * decision of the cluster for the next term, and only between the two that have its log.
 */
export class Holdings {
  readonly #parts: Parts;
  readonly #all = new Map<MatchId, Holding>();
  readonly #byUser = new Map<UserName, MatchId>();
  readonly #unproven: UnprovenLogs;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#unproven = new UnprovenLogs(parts.emit);
  }

  [Symbol.iterator](): IterableIterator<Holding> {
    return this.#all.values();
  }

  /** How many open matches this server hosts, and of how many it is the shadow. */
  get counts(): { readonly hosted: number; readonly shadowed: number } {
    const open = [...this.#all.values()].filter(({ endedMs }) => endedMs === undefined);
    const hosted = open.filter(({ hosting }) => hosting !== undefined).length;
    return { hosted, shadowed: open.length - hosted };
  }

  get(match: MatchId): Holding | undefined {
    return this.#all.get(match);
  }

  /** Returns the latest match of a user of which this server has a copy. */
  of(user: UserName): Holding | undefined {
    const match = this.#byUser.get(user);
    return match === undefined ? undefined : this.#all.get(match);
  }

  /** Takes a match that the cluster has decided, with the log that this server has. */
  open(term: Term, copy: MatchCopy, now: Now): Holding {
    copy.term = termOf(term);
    const holding = this.#add(copy, now);
    if (term.host === this.#parts.self) this.#host(holding, now);
    return holding;
  }

  /** Takes what the disk had: the host of a match asks for a new term before it goes on. */
  reopen(open: OpenMatch, events: readonly MatchEvent[], now: Now): void {
    const copy = new MatchCopy(termOf(open), events, this.#parts);
    copy.markDurable();
    const holding = this.#add(copy, now);
    if (open.host === this.#parts.self) this.#ask(holding, now);
  }

  #add(copy: MatchCopy, now: Now): Holding {
    const answer = (message: GameMessage) => this.#send(copy.term.host, message);
    const holding: Holding = {
      copy,
      hosting: undefined,
      shadow: new Shadow(copy, { answer, figures: this.#parts.figures }),
      asked: 0,
      endedMs: undefined,
      sinceMs: now.steadyMs,
    };
    this.#all.set(copy.match, holding);
    for (const { user } of copy.state.players) this.#byUser.set(user, copy.match);
    return holding;
  }

  hear(from: GameName, message: GameMessage & { readonly match: MatchId }, now: Now): void {
    const holding = this.#all.get(message.match);
    switch (message.type) {
      case "adopt":
        return this.#adopt(from, message, now);
      case "stale":
        if (holding !== undefined) this.learn(holding, message.term, now);
        return;
      case "over":
        if (holding?.copy.term.host === from) this.#close(holding, now);
        return;
      case "lost":
        // The host has lost its disk: nobody but this server has the match.
        if (holding?.copy.term.term === message.term && holding.copy.term.host === from) {
          this.#ask(holding, now);
        }
        return;
      case "propose":
      case "check":
      case "commit":
      case "rollback":
        if (holding === undefined) {
          return this.#send(from, { type: "behind", match: message.match, term: message.term });
        }
        if (this.#isOfTerm(holding, from, message.term)) holding.shadow.hear(message);
        return;
      case "ack":
      case "checked":
      case "committed":
      case "behind": {
        const { term } = holding?.copy ?? {};
        const isShadow = term?.shadow === from && term.term === message.term;
        if (isShadow && term.host === this.#parts.self) holding?.hosting?.hear(message, now);
        return;
      }
    }
  }

  /** Takes over from silent hosts, and replaces silent shadows. */
  tick(now: Now): void {
    for (const holding of this.#all.values()) {
      const { copy, hosting, endedMs } = holding;
      if (endedMs !== undefined) {
        hosting?.answerLate(now, gameDurations.overLookMs);
        const isGone = hosting === undefined && this.#parts.peers.isSilent(copy.term.host, now);
        if (isGone || now.steadyMs - endedMs >= gameDurations.overMs) this.#drop(holding);
        continue;
      }
      hosting?.tick(now);
      holding.shadow.tick(now);
      if (needsTerm(copy, this.#parts, now)) this.#ask(holding, now);
    }
  }

  /** A server does not host a user's match. If it was the host of an ended one, this copy goes too. */
  missed(user: UserName, from: GameName): void {
    const holding = this.of(user);
    const isHost = holding?.hosting === undefined && holding?.copy.term.host === from;
    if (isHost && holding.endedMs !== undefined) this.#drop(holding);
  }

  decided(question: Question, decided: Decided, now: Now): void {
    const holding = question.service === "matchBegin" ? undefined : this.#all.get(question.match);
    if (holding === undefined) return;
    if (question.service === "matchTerm") {
      holding.asked = 0;
      if (!("refused" in decided)) return this.learn(holding, decided as Term, now);
      // The match has ended, and this server was not told. After any other refusal it asks again.
      if (decided.refused === "match_not_found") this.#close(holding, now);
      return;
    }
    const { refused } = decided as { readonly refused?: string };
    if (refused === "term_passed") return holding.hosting?.endAgain();
    this.#close(holding, now);
  }

  /** Takes what the cluster has decided about the holders of a match. */
  learn(holding: Holding, told: Term, now: Now): void {
    const { copy } = holding;
    const term = termOf(told);
    if (term.term <= copy.term.term || holding.endedMs !== undefined) return;
    const { self } = this.#parts;
    const old = copy.term;
    copy.term = term;
    holding.sinceMs = now.steadyMs;
    if (term.host === self) {
      copy.append(copy.made([{ type: "FAILOVER", data: { old, new: term } }], now.wallMs), (then) =>
        holding.hosting?.stored(then),
      );
      if (old.host !== self) this.#parts.figures.failovers += 1;
      this.#host(holding, now);
    } else {
      holding.hosting?.end();
      holding.hosting = undefined;
      if (term.shadow !== self) this.#drop(holding);
    }
    for (const former of [old.host, old.shadow]) {
      const isOut = former !== undefined && ![self, term.host, term.shadow].includes(former);
      if (isOut && term.host === self) {
        this.#send(former, { type: "stale", match: copy.match, term });
      }
    }
    this.#parts.onChanged(copy.state);
  }

  /** Compares with all open matches that the cluster gives to this server. */
  compare({ matches, askedMs }: Listed, now: Now): void {
    const { self, recovered } = this.#parts;
    const open = new Map(matches.map((one) => [one.match, one]));
    for (const one of matches) {
      const holding = this.#all.get(one.match);
      const events = recovered.get(one.match);
      if (holding !== undefined) this.learn(holding, one, now);
      else if (events !== undefined) this.reopen(one, events, now);
      else if (one.host === self && one.shadow !== undefined) {
        this.#send(one.shadow, { type: "lost", match: one.match, term: one.term });
      }
    }
    for (const match of recovered.keys()) {
      // The match may have come here again meanwhile, with another log.
      if (!open.has(match) && !this.#all.has(match)) this.#forget(match);
    }
    recovered.clear();
    for (const holding of this.#all.values()) {
      const isOld = holding.sinceMs < askedMs && holding.endedMs === undefined;
      // It is over, or others hold it.
      if (isOld && !open.has(holding.copy.match)) this.#drop(holding);
    }
  }

  #adopt(from: GameName, message: Adopt, now: Now): void {
    const { match, term, events } = message;
    if (term.host !== from || term.shadow !== this.#parts.self) return;
    const known = this.#all.get(match);
    if (known?.endedMs !== undefined) return;
    if (known !== undefined && known.copy.term.term > term.term) {
      return this.#send(from, { type: "stale", match, term: known.copy.term });
    }
    const { signer, recovered, figures, isInvited } = this.#parts;
    if (!isLogOf(match, events, signer)) {
      figures.forged += 1;
      return;
    }
    if (known !== undefined) {
      this.learn(known, term, now);
      return known.shadow.adopt(message);
    }
    // What the disk had is first compared with the cluster's list. The host asks again.
    if (recovered.has(match)) return;
    if (isInvited(match)) this.#take(message, now);
    else this.#unproven.ask(message);
  }

  /** Takes what the cluster knows of a match whose log a host has handed over. */
  located(match: MatchId, open: OpenMatch | undefined, now: Now): void {
    const message = this.#unproven.located(match, open);
    if (message !== undefined && !this.#all.has(match)) this.#take(message, now);
  }

  #take(message: Adopt, now: Now): void {
    const { term, events } = message;
    const copy = new MatchCopy(term, events, this.#parts);
    const { shadow } = this.open(term, copy, now);
    copy.save(() => shadow.adopt(message));
  }

  /** Whether a message comes from the host of the present term. A host of another term is told. */
  #isOfTerm({ copy }: Holding, from: GameName, term: number): boolean {
    const { match } = copy;
    if (term === copy.term.term && from === copy.term.host) return true;
    if (term > copy.term.term) this.#send(from, { type: "behind", match, term });
    else if (term < copy.term.term) this.#send(from, { type: "stale", match, term: copy.term });
    return false;
  }

  /** Asks the cluster for the next term, once for each term. */
  #ask(holding: Holding, now: Now): void {
    const { match } = holding.copy;
    const term = nextTerm(holding.copy, this.#parts, now);
    if (term === undefined || holding.asked === term.term) return;
    holding.asked = term.term;
    this.#parts.emit({ type: "decide", question: { service: "matchTerm", match, ...term } });
  }

  #host(holding: Holding, now: Now): void {
    const { self, emit, tick, figures } = this.#parts;
    holding.hosting ??= new Hosting(
      holding.copy,
      {
        self,
        tick,
        figures,
        send: (to, message) => this.#send(to, message),
        decide: (question) => emit({ type: "decide", question }),
      },
      now,
    );
    holding.hosting.begin(now);
  }

  /** The end is decided: the disk may forget the match, and players may look at it for a while. */
  #close(holding: Holding, now: Now): void {
    if (holding.endedMs !== undefined) return;
    const { match, term, state } = holding.copy;
    if (term.host === this.#parts.self && term.shadow !== undefined) {
      this.#send(term.shadow, { type: "over", match });
    }
    // Somebody else has ended the match: its log has no end that players could look at.
    if (state.over === undefined) return this.#drop(holding);
    holding.endedMs = now.steadyMs;
    this.#forget(match);
    this.#parts.onChanged(state);
  }

  #drop(holding: Holding): void {
    const { match, state } = holding.copy;
    holding.hosting?.end();
    this.#all.delete(match);
    for (const { user } of state.players) {
      if (this.#byUser.get(user) === match) this.#byUser.delete(user);
    }
    if (holding.endedMs === undefined) this.#forget(match);
    this.#parts.onChanged(state);
  }

  #forget(match: MatchId): void {
    this.#parts.disk.store({ type: "forget", match }, () => {});
  }

  #send(to: GameName, message: GameMessage): void {
    this.#parts.emit({ type: "send", to, message });
  }
}
