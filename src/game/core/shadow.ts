import { gameDurations } from "../../protocol/game-limits.ts";
import type { GameMessage, Now } from "./effects.ts";
import type { Figures } from "./figures.ts";
import type { HeldMatch } from "./held-match.ts";
import { canonical, type Draft, type MatchEvent, type Operation } from "./match-event.ts";
import type { MatchState } from "./match-state.ts";

interface Parts {
  /** Sends a message to the host. */
  answer(message: GameMessage): void;
  readonly figures: Figures;
}

/** A proposal of the host that is neither committed nor rolled back. */
interface Prepared {
  readonly term: number;
  readonly round: number;
  readonly base: number;
  readonly timeMs: number;
  readonly operations: readonly Operation[];
  /** The state that the proposal would make. */
  readonly after: MatchState;
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
  readonly #held: HeldMatch;
  readonly #parts: Parts;
  /** In the order of their rounds: each follows what the one before would make. */
  #prepared: Prepared[] = [];

  constructor(held: HeldMatch, parts: Parts) {
    this.#held = held;
    this.#parts = parts;
  }

  /** Whether a proposal was neither committed nor rolled back. */
  get isInDoubt(): boolean {
    return this.#prepared.length > 0;
  }

  /**
   * Forgets a proposal whose rollback was lost. A host that has committed it after all is answered
   * `behind`, and sends its whole log.
   */
  tick({ steadyMs }: Now): void {
    for (const prepared of this.#prepared) prepared.sinceMs ??= steadyMs;
    const isOld = ({ sinceMs = steadyMs }: Prepared) => steadyMs - sinceMs >= gameDurations.agreeMs;
    const old = this.#prepared.findIndex(isOld);
    // What follows a forgotten proposal has nothing to follow.
    if (old !== -1) this.#prepared.splice(old);
  }

  /** Handles a message of the host in the present term. */
  hear(message: OfHost): void {
    const { match } = this.#held;
    const { term, round } = message;
    if (this.#held.termOfLog !== term) return this.#parts.answer({ type: "behind", match, term });
    switch (message.type) {
      case "propose":
        return this.#prepare(message);
      case "check": {
        const prepared = this.#preparedOf(message);
        if (prepared === undefined) return this.#parts.answer({ type: "behind", match, term });
        const refused = this.#judged(prepared).refused;
        prepared.isChecked = refused === undefined;
        return this.#parts.answer({ type: "checked", match, term, round, refused });
      }
      case "rollback":
        // Proposals after it follow it, so they go too; the host proposes their operations again.
        this.#prepared = this.#prepared.filter((prepared) => prepared.round < round);
        return;
      case "commit":
        return this.#commit(message);
    }
  }

  /** Takes the host's whole log. A late copy, no longer than this server's log, is ignored. */
  adopt({ term, events }: Of<"adopt">): void {
    const held = this.#held;
    const isLate = held.termOfLog === term.term && events.length <= held.length;
    held.term = term;
    if (!isLate) {
      this.#prepared = [];
      held.replace(events, () => this.#tellCommitted());
    }
    this.#tellCommitted();
  }

  #prepare(message: Of<"propose">): void {
    const { match } = this.#held;
    const { term, round, base, timeMs, operations } = message;
    const repeated = this.#preparedOf(message);
    if (repeated === undefined) {
      const { length } = this.#before(base);
      // What this one follows has not come here.
      if (base > length) return this.#parts.answer({ type: "behind", match, term });
      // A repeated proposal that has been committed meanwhile needs no answer.
      if (base < length) return;
      for (const { stamp } of operations) this.#held.hear(stamp);
    }
    const { refused, after } = this.#judged(message);
    if (repeated === undefined) {
      // A proposal that had the same place was rolled back, and this server did not hear it.
      const earlier = this.#prepared.filter((prepared) => prepared.base < base);
      const prepared = { term, round, base, timeMs, operations, after, isChecked: false };
      this.#prepared = [...earlier, prepared];
    }
    this.#parts.answer({ type: "ack", match, term, round, refused });
  }

  #preparedOf({ term, round }: { readonly term: number; readonly round: number }) {
    return this.#prepared.find((prepared) => prepared.term === term && prepared.round === round);
  }

  /** Returns the state that a proposal at this place follows. */
  #before(base: number): MatchState {
    return this.#prepared.findLast((earlier) => earlier.base < base)?.after ?? this.#held.state;
  }

  /** Returns what a proposal makes, and why this server does not agree to it. */
  #judged({ base, operations, timeMs }: Pick<Prepared, "base" | "operations" | "timeMs">) {
    const before = this.#before(base);
    const { outcomes, after } = this.#held.tried(operations, timeMs, before);
    const refusal = outcomes.find((outcome) => typeof outcome === "string");
    return { refused: before.length === base ? refusal : "event_seq_wrong", after };
  }

  #commit(message: Of<"commit">): void {
    const held = this.#held;
    const { match } = held;
    const { term, events } = message;
    const [first] = events;
    if (first === undefined) return;
    if (first.eventSeq < held.length) return this.#tellCommitted();
    const prepared = this.#preparedOf(message);
    const isNext = first.eventSeq === held.length;
    if (prepared?.isChecked !== true || !isNext) {
      return this.#parts.answer({ type: "behind", match, term });
    }
    if (held.whyUnfit(events) !== undefined || !this.#isOwnOutcome(prepared, events)) {
      this.#parts.figures.forged += 1;
      return;
    }
    this.#prepared = this.#prepared.filter(({ base }) => base > first.eventSeq);
    held.append(events, () => this.#tellCommitted());
  }

  /** Whether this server's own rules make the same of the proposal. */
  #isOwnOutcome({ term, operations, timeMs }: Prepared, events: readonly MatchEvent[]): boolean {
    const own = this.#held.drafted(operations, timeMs);
    const time = Math.max(timeMs, this.#held.state.lastMs);
    if (events.some((event) => event.term !== term || event.timestamp !== time)) return false;
    const contents = (drafts: readonly Draft[]) =>
      canonical(drafts.map(({ type, data, player, operation }) => [type, data, player, operation]));
    return contents(own) === contents(events);
  }

  #tellCommitted(): void {
    const { match, durable } = this.#held;
    if (durable === 0) return;
    const term = this.#held.termOfLog;
    this.#parts.answer({ type: "committed", match, term, length: durable });
  }
}
