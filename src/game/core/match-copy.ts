import type { GameName, MatchId, Term } from "../../protocol/matches.ts";
import type { Now, Record } from "./effects.ts";
import {
  type Draft,
  type MatchEvent,
  type Operation,
  type Signer,
  signed,
  whyBroken,
} from "./match-event.ts";
import { type ActionRefusal, begun, fold, judge, type MatchState } from "./match-state.ts";
import { merged, type Stamp } from "./stamps.ts";

/** Writes records to the disk. */
export interface Disk {
  /** @param onStored called once the record is on disk */
  store(record: Record, onStored: (now: Now) => void): void;
}

interface Parts {
  readonly self: GameName;
  readonly signer: Signer;
  readonly disk: Disk;
}

/** What operations would make. */
interface Tried {
  /** For each operation what it makes, or why it is refused. */
  readonly outcomes: readonly (readonly Draft[] | ActionRefusal)[];
  /** The state after them. */
  readonly after: MatchState;
}

/** The copy of a match that a host or a shadow has: the log, and the state that the log makes. */
export class MatchCopy {
  readonly match: MatchId;
  /** The highest term that this server knows; the log may still be that of a lower one. */
  term: Term;
  readonly #parts: Parts;
  #events: readonly MatchEvent[];
  #state: MatchState;
  #clock: Stamp = {};
  /** How many of the events are on this server's disk. */
  #durable = 0;
  /** Counts replacements of the whole log, so that a late word of the disk is ignored. */
  #edition = 0;

  /** @param events a whole log; its signatures are not checked here */
  constructor(term: Term, events: readonly MatchEvent[], parts: Parts) {
    this.term = term;
    this.#parts = parts;
    this.#events = events;
    this.#state = stateOf(events);
    this.match = this.#state.match;
    this.#countStamps(events);
  }

  get events(): readonly MatchEvent[] {
    return this.#events;
  }

  /** What all events of the log make. */
  get state(): MatchState {
    return this.#state;
  }

  /** Returns the number of the last event that an operation has made; undefined if it made none. */
  doneAt(operation: string): number | undefined {
    return this.#events.findLast((event) => event.operation === operation)?.eventSeq;
  }

  get durable(): number {
    return this.#durable;
  }

  get length(): number {
    return this.#events.length;
  }

  /** The term whose host has made the last part of the log. */
  get termOfLog(): number {
    const last = this.#events.findLast(({ type }) => type === "FAILOVER");
    return last?.type === "FAILOVER" ? last.data.new.term : 1;
  }

  get clock(): Stamp {
    return this.#clock;
  }

  /** Takes the clock of an operation that this server has received or made. */
  hear(stamp: Stamp): void {
    this.#clock = merged(this.#clock, stamp);
  }

  /** Records that the log was read from the disk. */
  markDurable(): void {
    this.#durable = this.length;
  }

  /** Appends events: as the host, those of `made`; as the shadow, those that the host has sent. */
  append(events: readonly MatchEvent[], onStored: (now: Now) => void): void {
    this.#events = [...this.#events, ...events];
    this.#state = events.reduce(fold, this.#state);
    this.#countStamps(events);
    this.#store({ type: "append", match: this.match, events }, onStored);
  }

  /** Replaces the whole log. */
  replace(events: readonly MatchEvent[], onStored: (now: Now) => void): void {
    this.#events = events;
    this.#state = stateOf(events);
    this.#clock = {};
    this.#countStamps(events);
    this.#durable = 0;
    this.#edition += 1;
    this.#store({ type: "replace", match: this.match, events }, onStored);
  }

  /** Writes the whole log for the first time. */
  save(onStored: (now: Now) => void): void {
    this.#store({ type: "replace", match: this.match, events: this.#events }, onStored);
  }

  /** Makes signed events that follow the log. */
  made(drafts: readonly Draft[], timeMs: number): readonly MatchEvent[] {
    const { signer } = this.#parts;
    const events: MatchEvent[] = [];
    let previous = this.signature;
    for (const draft of drafts) {
      const event = signed(
        {
          ...draft,
          eventSeq: this.length + events.length,
          matchId: this.match,
          term: this.term.term,
          timestamp: Math.max(timeMs, this.#state.lastMs),
          clock: this.#clock,
        } as MatchEvent,
        previous,
        signer,
      );
      events.push(event);
      previous = event.signature;
    }
    return events;
  }

  /** The signature of the last event. */
  get signature(): string {
    return this.#events.at(-1)?.signature ?? "";
  }

  /** Returns why these events do not follow the log; undefined if they do. */
  whyUnfit(events: readonly MatchEvent[]) {
    const after = { match: this.match, from: this.length, previous: this.signature };
    return whyBroken(events, after, this.#parts.signer);
  }

  /**
   * Judges operations one after the other, each by what the ones before would make.
   * @param before the state before the first operation; by default the one that the log makes
   */
  tried(operations: readonly Operation[], timeMs: number, before = this.#state): Tried {
    let after = before;
    const outcomes = operations.map(({ action, id }) => {
      const time = Math.max(timeMs, after.lastMs);
      const drafts = judge(after, action, time);
      if (typeof drafts === "string") return drafts;
      const own = drafts.map((draft): Draft => ({ ...draft, operation: id }));
      after = own.reduce((state, draft) => fold(state, unsigned(state, draft, time)), after);
      return own;
    });
    return { outcomes, after };
  }

  /** Returns what the operations make after the log, without those that are refused. */
  drafted(operations: readonly Operation[], timeMs: number): readonly Draft[] {
    const { outcomes } = this.tried(operations, timeMs);
    return outcomes.flatMap((drafts) => (typeof drafts === "string" ? [] : drafts));
  }

  #countStamps(events: readonly MatchEvent[]): void {
    for (const { clock } of events) this.hear(clock);
  }

  #store(record: Record, onStored: (now: Now) => void): void {
    const { length } = this;
    const edition = this.#edition;
    this.#parts.disk.store(record, (now) => {
      if (edition !== this.#edition) return;
      this.#durable = Math.max(this.#durable, length);
      onStored(now);
    });
  }
}

/** Returns a term without the other fields of an open match. */
export function termOf({ term, host, shadow }: Term): Term {
  return { term, host, shadow };
}

/** @throws Error if the events are no log of a match */
function stateOf(events: readonly MatchEvent[]): MatchState {
  const [first, ...others] = events;
  if (first === undefined) throw new Error("a log has no event");
  return others.reduce(fold, begun(first));
}

/** Returns a draft as the event that it would become, to try out what follows. */
function unsigned(state: MatchState, draft: Draft, timestamp: number): MatchEvent {
  return {
    ...draft,
    eventSeq: state.length,
    matchId: state.match,
    term: 0,
    timestamp,
    clock: {},
    signature: "",
  } as MatchEvent;
}
