import { FineTime } from "../../protocol/fine-time.ts";
import { gameLimits } from "../../protocol/game-limits.ts";
import type { LamportClock } from "../../protocol/lamport-clock.ts";
import { limits } from "../../protocol/limits.ts";
import type { GameName, MatchId } from "../../protocol/matches.ts";
import { Recent } from "../../protocol/recent.ts";
import { type ProcessName, type Step, type StepKind, stepKinds } from "../../protocol/steps.ts";
import type {
  Answered,
  Effect,
  GameMessage,
  Input,
  Record as MatchRecord,
  Now,
} from "../core/effects.ts";
import type { MatchEvent } from "../core/match-event.ts";
import type { MatchSteps, Subject } from "./match-steps.ts";

/** One input of a core, at its time, with the effects that the core has made from the input. */
interface Stepped {
  readonly input: Input;
  readonly effects: readonly Effect[];
  readonly now: Now;
  /** The Lamport clock in the message that is the input. */
  readonly sentClock?: number | undefined;
}

interface RecorderParts {
  readonly memory: MatchSteps;
  readonly clock: LamportClock;
  readonly now: () => Now;
  /** The machine's time at steady time 0, in milliseconds since 1970; best with a fraction. */
  readonly originMs: number;
}

/** A request or a proposal, between this game server and another one. */
interface Tracked {
  readonly subject: Subject;
  peer: ProcessName | undefined;
  /** Bits of the kinds of steps that were recorded: only a repeated message would make them again. */
  seen: number;
}

/** Events that the host has sent to its shadow. */
interface Made {
  readonly subject: Subject;
  /** The length of the log with them. */
  readonly length: number;
}

type Details = Pick<Step, "peer" | "sentClock" | "reason">;
type OfRound = Extract<GameMessage, { readonly round: number }>;
type Copied = Extract<GameMessage, { readonly events: readonly MatchEvent[] }>;
type Heard = Input & { readonly type: "message" };
type Send = Effect & { readonly type: "send" };
type Store = Effect & { readonly type: "store" };
type Written = Exclude<MatchRecord, { readonly type: "forget" }>;

/**
 * Sees the inputs and effects of a game server's core, and records what they did with actions in
 * matches (O68). Each step raises the Lamport clock, so that the clock in a message is above that of
 * the step that sent it, and below that of the next one.
 */
export class MatchStepRecorder {
  readonly #parts: RecorderParts;
  readonly #time: FineTime;
  /** When the next step happens; undefined until an effect makes one. */
  #now: Now | undefined;
  /** The requests of this server's players that wait for an answer. */
  readonly #asking = new Map<unknown, Subject>();
  /** Requests between game servers, by their number and, for those of others, their sender. */
  readonly #requests = new Recent<string, Tracked>(limits.waitingAsked);
  readonly #rounds = new Recent<string, Tracked>(limits.waitingAsked);
  /** The records that are not on disk yet, the oldest first. */
  readonly #stores: { readonly number: number; readonly subject: Subject }[] = [];
  /** What this step found to be on disk, until the host is told. */
  #synced: Subject[] = [];
  readonly #unheard = new Map<MatchId, Made[]>();

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.#time = new FineTime(parts.originMs);
  }

  /** Records what a step did, before its effects are performed. */
  note(stepped: Stepped): void {
    this.#now = stepped.now;
    this.#synced = [];
    this.#noteInput(stepped);
    this.#now = undefined;
    for (const effect of stepped.effects) {
      if (effect.type === "send") this.#noteSent(effect, stepped);
      else if (effect.type === "store") this.#noteStore(effect, stepped);
      else if (effect.type === "answer") this.#noteAnswer(effect);
    }
  }

  #noteInput({ input, sentClock }: Stepped): void {
    switch (input.type) {
      case "asked": {
        const { to, user, request } = input;
        if (request.type !== "act") return;
        const subject = { match: request.match, operations: [`${user}/${request.id}`] };
        this.#asking.set(to, subject);
        return this.#add("asked", subject);
      }
      case "message":
        return this.#noteHeard(input.message, { peer: input.from, sentClock });
      case "stored":
        while ((this.#stores[0]?.number ?? Number.POSITIVE_INFINITY) <= input.upTo) {
          const { subject } = this.#stores.shift() as { subject: Subject };
          this.#add("synced", subject);
          this.#synced.push(subject);
        }
    }
  }

  #noteHeard(message: GameMessage, sender: { peer: GameName; sentClock: number | undefined }) {
    switch (message.type) {
      case "asked": {
        const tracked = this.#track(message, `${sender.peer} ${message.number}`);
        return this.#once("taken", tracked, sender);
      }
      case "answered": {
        const tracked = this.#requests.get(`${message.number}`);
        return this.#once("learned", tracked, { ...sender, reason: refusalIn(message.answered) });
      }
      case "propose":
        return this.#begin(message);
      case "rollback":
        return this.#once("dropped", this.#rounds.get(keyOf(message)), sender);
      case "committed": {
        const all = this.#unheard.get(message.match) ?? [];
        const heard = all.filter(({ length }) => length <= message.length);
        all.splice(0, heard.length);
        for (const { subject } of heard) this.#add("heard", subject, sender);
      }
    }
  }

  #noteSent({ to, message }: Send, { input, sentClock }: Stepped): void {
    const heard = input.type === "message" ? input.message : undefined;
    const isCause = "round" in message && isOf(heard, message);
    const sender = { peer: to, ...(isCause && { sentClock }) };
    switch (message.type) {
      case "asked":
        return this.#once("forwarded", this.#track(message, `${message.number}`), { peer: to });
      case "answered": {
        const tracked = this.#requests.get(`${to} ${message.number}`);
        return this.#once("told", tracked, { peer: to, reason: refusalIn(message.answered) });
      }
      case "notHost": {
        const tracked = this.#requests.get(`${to} ${message.number}`);
        this.#once("told", tracked, { peer: to, reason: "not_host" });
        // The request may come here again.
        if (tracked !== undefined) tracked.seen = 0;
        return;
      }
      case "propose":
        this.#begin(message);
        return this.#once("proposed", this.#rounds.get(keyOf(message)), { peer: to });
      case "ack":
      case "checked": {
        const kind = message.type === "ack" ? "prepared" : "checked";
        return this.#noteVerdict(kind, message, { ...sender, reason: message.refused });
      }
      case "check":
        return this.#once("agreed", this.#rounds.get(keyOf(message)), sender);
      case "rollback": {
        const reason = isCause && "refused" in heard ? heard.refused : undefined;
        return this.#once("rolledBack", this.#rounds.get(keyOf(message)), { ...sender, reason });
      }
      case "behind":
      case "stale":
        if (heard === undefined || !("round" in heard)) return;
        return this.#noteVerdict("refused", heard, { peer: to, sentClock, reason: message.type });
      case "committed": {
        const at = this.#synced.findIndex(({ match }) => match === message.match);
        const [subject] = at < 0 ? [] : this.#synced.splice(at, 1);
        if (subject !== undefined) this.#add("acknowledged", subject, { peer: to });
      }
    }
  }

  /** Notes what a shadow thinks of a proposal. */
  #noteVerdict(kind: StepKind, message: OfRound, details: Details): void {
    const verdict = details.reason === undefined ? kind : "refused";
    this.#once(verdict, this.#rounds.get(keyOf(message)), details);
  }

  #noteStore({ number, record }: Store, stepped: Stepped): void {
    if (record.type === "forget") return void this.#unheard.delete(record.match);
    const { input } = stepped;
    const isCopied = input.type === "message" && isCopy(input.message, record.match);
    const subject = isCopied ? this.#noteCopied(input, stepped) : this.#noteMade(record, stepped);
    this.#stores.push({ number, subject });
  }

  /** Notes that the shadow has got events from the host. */
  #noteCopied({ from, message }: Heard, { sentClock }: Stepped): Subject {
    const copied = message as Copied;
    const subject = this.#subjectOf(copied);
    this.#add("copied", subject, { peer: from, sentClock });
    return subject;
  }

  #noteMade({ match, events }: Written, { input, effects, sentClock }: Stepped): Subject {
    const sent = effects.find((effect): effect is Send => {
      if (effect.type !== "send" || effect.message.type !== "commit") return false;
      return isSame(effect.message.events, events);
    });
    const subject = this.#subjectOf((sent?.message as Copied | undefined) ?? { match, events });
    const isCause = sent && input.type === "message" && isOf(input.message, sent.message);
    this.#add("made", subject, isCause ? { peer: sent.to, sentClock } : {});
    if (sent === undefined) return subject;
    const made = this.#unheard.get(match) ?? [];
    this.#unheard.set(match, made);
    made.push({ subject, length: (events.at(-1)?.eventSeq ?? -1) + 1 });
    if (made.length > gameLimits.waitingOperations) made.shift();
    return subject;
  }

  #subjectOf(message: Copied | Pick<Copied, "match" | "events">): Subject {
    const { match, events } = message;
    const round = "round" in message ? this.#rounds.get(keyOf(message)) : undefined;
    return round?.subject ?? { match, operations: operationsOf(events) };
  }

  #noteAnswer({ to, answered }: Effect & { readonly type: "answer" }): void {
    const subject = this.#asking.get(to);
    if (subject === undefined) return;
    this.#asking.delete(to);
    this.#add("replied", subject, { reason: refusalIn(answered) });
  }

  /** Remembers a request to act that one game server sends to another. */
  #track(
    { user, request }: GameMessage & { readonly type: "asked" },
    key: string,
  ): Tracked | undefined {
    if (request.type !== "act") return undefined;
    const known = this.#requests.get(key);
    if (known !== undefined) return known;
    const subject = { match: request.match, operations: [`${user}/${request.id}`] };
    const tracked = { subject, peer: undefined, seen: 0 };
    this.#requests.set(key, tracked);
    return tracked;
  }

  /** Remembers which operations a round proposes: later messages name only the round. */
  #begin(message: GameMessage & { readonly type: "propose" }): void {
    const key = keyOf(message);
    if (this.#rounds.get(key) !== undefined) return;
    const { match, round } = message;
    const operations = message.operations.map(({ id }) => id);
    this.#rounds.set(key, { subject: { match, round, operations }, peer: undefined, seen: 0 });
  }

  /** Adds a step of a request or proposal, unless a repeated message made it again. */
  #once(kind: StepKind, tracked: Tracked | undefined, details: Details): void {
    if (tracked === undefined) return;
    if (tracked.peer !== details.peer) tracked.seen = 0;
    tracked.peer = details.peer;
    const bit = 1 << stepKinds.indexOf(kind);
    if ((tracked.seen & bit) !== 0) return;
    tracked.seen |= bit;
    this.#add(kind, tracked.subject, details);
  }

  #add(kind: StepKind, subject: Subject, details: Details = {}): void {
    const { memory, clock, now } = this.#parts;
    this.#now ??= now();
    const { peer, sentClock, reason } = details;
    const atMs = this.#time.at(this.#now);
    memory.add({ kind, atMs, clock: clock.tick(), peer, sentClock, reason }, subject);
  }
}

function keyOf({ match, term, round }: OfRound): string {
  return `${match} ${term} ${round}`;
}

/** Whether two messages are about the same proposal. */
function isOf(one: GameMessage | undefined, other: GameMessage): one is OfRound {
  return one !== undefined && "round" in one && "round" in other && keyOf(one) === keyOf(other);
}

/** Whether a message has events of this match, which its receiver writes. */
function isCopy(message: GameMessage, match: MatchId): boolean {
  return "events" in message && message.match === match;
}

function isSame([one]: readonly MatchEvent[], [other]: readonly MatchEvent[]): boolean {
  return one?.matchId === other?.matchId && one?.eventSeq === other?.eventSeq;
}

/** The last operations that made these events, as many as a proposal may have. */
function operationsOf(events: readonly MatchEvent[]): readonly string[] {
  const operations = new Set(events.flatMap(({ operation }) => operation ?? []));
  return [...operations].slice(-gameLimits.proposalOperations);
}

function refusalIn(answered: Answered): string | undefined {
  return "refused" in answered ? answered.refused : undefined;
}
