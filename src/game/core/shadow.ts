import { gameDurations } from "../../protocol/game-limits.ts";
import type { GameMessage, Now } from "./effects.ts";
import type { Figures } from "./figures.ts";
import type { MatchCopy } from "./match-copy.ts";
import { canonical, type Draft, type MatchEvent, type Operation } from "./match-event.ts";

interface Parts {
  /** Sends a message to the host. */
  answer(message: GameMessage): void;
  readonly figures: Figures;
}

interface Prepared {
  readonly term: number;
  readonly round: number;
  readonly base: number;
  readonly timeMs: number;
  readonly operations: readonly Operation[];
  isChecked: boolean;
  /** Steady time of the first tick that saw the proposal. */
  sinceMs?: number;
}

type Of<Type extends GameMessage["type"]> = GameMessage & { readonly type: Type };

/** A message of a host to its shadow about one proposal. */
export type OfHost = Of<"propose" | "check" | "commit" | "rollback">;

/**
 * The shadow's side of a match: judges the host's proposals by its own copy, and takes events only
 * if they are signed, follow its log, and are what its own rules make of the checked proposal.
 */
export class Shadow {
  readonly #copy: MatchCopy;
  readonly #parts: Parts;
  #prepared: Prepared | undefined;

  constructor(copy: MatchCopy, parts: Parts) {
    this.#copy = copy;
    this.#parts = parts;
  }

  /** Whether a proposal was neither committed nor rolled back. */
  get isInDoubt(): boolean {
    return this.#prepared !== undefined;
  }

  /**
   * Forgets a proposal whose rollback was lost. A host that has committed it after all is answered
   * `behind`, and sends its whole log.
   */
  tick({ steadyMs }: Now): void {
    const prepared = this.#prepared;
    if (prepared === undefined) return;
    prepared.sinceMs ??= steadyMs;
    if (steadyMs - prepared.sinceMs >= gameDurations.agreeMs) this.#prepared = undefined;
  }

  /** Handles a message of the host in the present term. */
  hear(message: OfHost): void {
    const { match } = this.#copy;
    const { term, round } = message;
    if (this.#copy.termOfLog !== term) return this.#parts.answer({ type: "behind", match, term });
    switch (message.type) {
      case "propose":
        return this.#prepare(message);
      case "check": {
        const prepared = this.#preparedOf(message);
        if (prepared === undefined) return this.#parts.answer({ type: "behind", match, term });
        const refused = this.#refusal(prepared);
        prepared.isChecked = refused === undefined;
        return this.#parts.answer({ type: "checked", match, term, round, refused });
      }
      case "rollback":
        if (this.#prepared?.round === round) this.#prepared = undefined;
        return;
      case "commit":
        return this.#commit(message);
    }
  }

  /** Takes the host's whole log. A late copy, no longer than this server's log, is ignored. */
  adopt({ term, events }: Of<"adopt">): void {
    const copy = this.#copy;
    const isLate = copy.termOfLog === term.term && events.length <= copy.length;
    copy.term = term;
    if (!isLate) {
      this.#prepared = undefined;
      copy.replace(events, () => this.#tellCommitted());
    }
    this.#tellCommitted();
  }

  #prepare({ term, round, base, timeMs, operations }: Of<"propose">): void {
    const { match, length } = this.#copy;
    if (base !== length) {
      // A repeated proposal that has been committed meanwhile needs no answer.
      if (base > length) this.#parts.answer({ type: "behind", match, term });
      return;
    }
    for (const { stamp } of operations) this.#copy.hear(stamp);
    const isChecked = this.#preparedOf({ term, round })?.isChecked === true;
    this.#prepared = { term, round, base, timeMs, operations, isChecked };
    const refused = this.#refusal(this.#prepared);
    this.#parts.answer({ type: "ack", match, term, round, refused });
  }

  #preparedOf({ term, round }: { readonly term: number; readonly round: number }) {
    const prepared = this.#prepared;
    return prepared?.term === term && prepared.round === round ? prepared : undefined;
  }

  /** Returns why this server does not agree to a proposal; undefined if it does. */
  #refusal({ base, operations, timeMs }: Prepared): string | undefined {
    if (base !== this.#copy.length) return "event_seq_wrong";
    const { outcomes } = this.#copy.tried(operations, timeMs);
    return outcomes.find((outcome) => typeof outcome === "string");
  }

  #commit(message: Of<"commit">): void {
    const copy = this.#copy;
    const { match } = copy;
    const { term, events } = message;
    const [first] = events;
    if (first === undefined) return;
    if (first.eventSeq < copy.length) return this.#tellCommitted();
    const prepared = this.#preparedOf(message);
    if (prepared?.isChecked !== true) return this.#parts.answer({ type: "behind", match, term });
    if (copy.whyUnfit(events) !== undefined || !this.#isOwnOutcome(prepared, events)) {
      this.#parts.figures.forged += 1;
      return;
    }
    this.#prepared = undefined;
    copy.append(events, () => this.#tellCommitted());
  }

  /** Whether this server's own rules make the same of the proposal. */
  #isOwnOutcome({ term, operations, timeMs }: Prepared, events: readonly MatchEvent[]): boolean {
    const own = this.#copy.drafted(operations, timeMs);
    const time = Math.max(timeMs, this.#copy.state.lastMs);
    if (events.some((event) => event.term !== term || event.timestamp !== time)) return false;
    const contents = (drafts: readonly Draft[]) =>
      canonical(drafts.map(({ type, data, player, operation }) => [type, data, player, operation]));
    return contents(own) === contents(events);
  }

  #tellCommitted(): void {
    const { match, durable } = this.#copy;
    if (durable === 0) return;
    const term = this.#copy.termOfLog;
    this.#parts.answer({ type: "committed", match, term, length: durable });
  }
}
