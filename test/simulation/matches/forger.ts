import type { GameMessage } from "../../../src/game/core/effects.ts";
import type { Holding } from "../../../src/game/core/holdings.ts";
import { MatchCopy } from "../../../src/game/core/match-copy.ts";
import { type Draft, type MatchEvent, signed } from "../../../src/game/core/match-event.ts";
import type { GameName } from "../../../src/protocol/matches.ts";
import { assertPromise } from "../../support/check-promises.ts";
import { signer } from "./signer.ts";
import type { VirtualGame } from "./virtual-game.ts";
import type { World } from "./world.ts";

interface Sent {
  readonly from: GameName;
  readonly to: GameName;
  readonly message: GameMessage;
}

type Proposed = GameMessage & { readonly type: "propose" };

/** A forged message, and what is wrong with it. */
interface Forged {
  readonly from: GameName;
  readonly what: string;
  readonly message: GameMessage;
}

/** The most messages that are kept to be sent again. */
const mostSeen = 200;

/**
 * Sends game servers messages that no honest host sends now: with wrong signatures, with rightly
 * signed events that nobody proposed or checked, and old ones. None of them may change anything.
 */
export class Forger {
  readonly #world: World;
  #seen: Sent[] = [];
  /** The proposals whose check was sent. */
  readonly #checked = new Set<string>();
  /** The share of proposals after which a forged commit arrives. */
  share = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Takes note of a message that a game server has sent. */
  note(sent: Sent): void {
    const { message } = sent;
    if (message.type === "check") this.#checked.add(keyOf(message));
    if (!["propose", "check", "commit", "rollback", "adopt"].includes(message.type)) return;
    // The network gives the receiver a copy, as it does here.
    this.#seen.push(structuredClone(sent));
    if (this.#seen.length > mostSeen) this.#seen.shift();
  }

  /** Sends one forged message to a shadow. */
  strike(): void {
    const { dice, games } = this.#world;
    const game = dice.pick(games.filter(isRunning));
    const holding = game && dice.pick([...(game.core?.holdings ?? [])]);
    if (game === undefined || holding === undefined) return;
    const { copy } = holding;
    if (copy.term.shadow === game.name && copy.termOfLog === copy.term.term && !copy.state.over) {
      const wrong = dice.pick([withSignature, withPrevious, withCard]);
      const forged = wrong?.(copy);
      if (forged !== undefined)
        this.#send(game, dice.chance(0.5) ? commitOf(copy, forged) : adoptOf(copy, forged));
    }
    this.#send(game, this.#old(game, holding));
  }

  /** Sends forged commits of a proposal that was just proposed, checked or rolled back. */
  onDelivered(game: VirtualGame, message: GameMessage): void {
    const { type } = message;
    if (type !== "propose" && type !== "check" && type !== "rollback") return;
    const holding = game.core?.holdings.get(message.match);
    const proposed = this.#seen.find(({ to, message: seen }) => {
      return to === game.name && seen.type === "propose" && keyOf(seen) === keyOf(message);
    })?.message as Proposed | undefined;
    if (proposed === undefined || holding === undefined || !isRunning(game)) return;
    if (type !== "rollback" && !this.#world.dice.chance(this.share)) return;
    const { copy, shadow } = holding;
    const { term, base } = proposed;
    const isOpen = type === "rollback" || shadow.isInDoubt;
    const isNext = copy.term.term === term && base === copy.length;
    if (!isOpen || !isNext || copy.term.shadow !== game.name || copy.termOfLog !== term) return;
    const forged = { propose: this.#tooEarly, check: this.#otherOutcome, rollback: tooLate }[type];
    this.#send(game, forged(copy, proposed));
    this.#send(game, ofLowerTerm(copy, proposed));
  }

  /** Returns a commit that is not what the checked proposal makes. */
  readonly #otherOutcome = (copy: MatchCopy, proposed: Proposed): Forged => {
    const { term, operations, timeMs } = proposed;
    const drafts = copy.drafted(operations, timeMs);
    const late = after(copy, drafts, { term, timeMs: timeMs + 60_000 });
    const other = after(copy, [gaveUp], { term, timeMs });
    const events = this.#world.dice.pick([late, other]) ?? other;
    return commitOf(copy, { what: "another outcome", events }, proposed);
  };

  /** Returns the right commit of a proposal, unless the proposal may have been checked already. */
  readonly #tooEarly = (copy: MatchCopy, proposed: Proposed): Forged | undefined => {
    if (this.#checked.has(keyOf(proposed))) return undefined;
    const { term, operations, timeMs } = proposed;
    const events = after(copy, copy.drafted(operations, timeMs), { term, timeMs });
    return commitOf(copy, { what: "a commit unchecked", events }, proposed);
  };

  /** Sends a game server that has just started what replaced hosts once sent it. */
  onStart(game: VirtualGame): void {
    const old = this.#seen.find(({ to, message }) => {
      if (to !== game.name || message.type !== "adopt") return false;
      const log = game.disk.get(message.match);
      if (log === undefined || !isRunning(game)) return false;
      return copyOf(log).termOfLog > message.term.term;
    });
    if (old !== undefined) this.#send(game, { ...old, what: "an old log after a start" });
  }

  /** Returns a message of a lower term, or a late copy of one of this term. */
  #old({ name }: VirtualGame, { copy }: Holding): Forged | undefined {
    const old = this.#seen.filter(({ to, message }) => {
      if (to !== name || !("match" in message) || message.match !== copy.match) return false;
      if (message.type === "adopt") {
        const { term } = message.term;
        const isLate = term === copy.termOfLog && message.events.length <= copy.length;
        return term < copy.term.term || (term === copy.term.term && isLate);
      }
      if (!("term" in message) || typeof message.term !== "number") return false;
      const [first] = message.type === "commit" ? message.events : [];
      const isDone = first !== undefined && first.eventSeq < copy.length;
      return message.term < copy.term.term || (message.term === copy.term.term && isDone);
    });
    const found = this.#world.dice.pick(old);
    return found && { ...found, what: "an old message" };
  }

  #send(game: VirtualGame, forged: Forged | undefined): void {
    if (forged === undefined) return;
    const { from, what, message } = forged;
    const before = standingOf(game);
    game.take({ type: "message", from, message: structuredClone(message) });
    const isSame = standingOf(game) === before;
    assertPromise(isSame, "M5", `${game.name} is changed by ${what} (${message.type})`);
    this.#world.counts["refused forgeries"] += 1;
  }
}

function isRunning({ isUp, frozen }: VirtualGame): boolean {
  return isUp && frozen === undefined;
}

/** Returns all that a forged message might change. */
function standingOf({ core, records }: VirtualGame): string {
  const all = [...(core?.holdings ?? [])].map(({ copy, shadow, hosting }) => {
    const { match, length, signature } = copy;
    const { term, host, shadow: second } = copy.term;
    return [
      match,
      term,
      host,
      second,
      length,
      signature,
      shadow.isInDoubt,
      hosting?.agreed?.length,
    ];
  });
  return JSON.stringify([records, all]);
}

function keyOf({ match, term, round }: Pick<Proposed, "match" | "term" | "round">): string {
  return `${match} ${term} ${round}`;
}

const gaveUp: Draft = { type: "GAVE_UP", data: { seat: 0 } };

/** Returns events that are rightly signed after the log. */
function after(
  copy: MatchCopy,
  drafts: readonly Draft[],
  { term, timeMs, previous = copy.signature }: { term: number; timeMs: number; previous?: string },
): readonly MatchEvent[] {
  const events: MatchEvent[] = [];
  for (const draft of drafts) {
    const event = {
      ...draft,
      eventSeq: copy.length + events.length,
      matchId: copy.match,
      term,
      timestamp: Math.max(timeMs, copy.state.lastMs),
      clock: copy.clock,
    } as MatchEvent;
    events.push(signed(event, events.at(-1)?.signature ?? previous, signer));
  }
  return events;
}

type Wrong = (copy: MatchCopy) => { readonly what: string; readonly events: readonly MatchEvent[] };

const withSignature: Wrong = (copy) => {
  const made = after(copy, [gaveUp], { term: copy.term.term, timeMs: 0 });
  const events = made.map((event) => ({ ...event, signature: `0${event.signature.slice(1)}x` }));
  return { what: "a wrong signature", events };
};

const withPrevious: Wrong = (copy) => {
  const previous = copy.events.at(-2)?.signature ?? "none";
  const events = after(copy, [gaveUp], { term: copy.term.term, timeMs: 0, previous });
  return { what: "a signature after another event", events };
};

const withCard: Wrong = (copy) => {
  const card = "dragon-common-99";
  const draft: Draft = { type: "CARD_PLAYED", data: { seat: 0, card }, operation: "user/forged" };
  const events = after(copy, [draft], { term: copy.term.term, timeMs: 0 });
  return { what: "a card that nobody has", events };
};

function commitOf(
  { match, term: { term, host } }: MatchCopy,
  { what, events }: ReturnType<Wrong>,
  { round } = { round: 1 },
): Forged {
  return { from: host, what, message: { type: "commit", match, term, round, events } };
}

/** Returns the right commit of a proposal that has been rolled back. */
function tooLate(copy: MatchCopy, proposed: Proposed): Forged {
  const { term, operations, timeMs } = proposed;
  const events = after(copy, copy.drafted(operations, timeMs), { term, timeMs });
  return commitOf(copy, { what: "a commit after the rollback", events }, proposed);
}

/** Returns the right commit of a proposal, but as a host of the term before would send it. */
function ofLowerTerm(copy: MatchCopy, proposed: Proposed): Forged {
  const { match, operations, timeMs, round } = proposed;
  const term = proposed.term - 1;
  const events = after(copy, copy.drafted(operations, timeMs), { term, timeMs });
  const message = { type: "commit", match, term, round, events } as const;
  return { from: copy.term.host, what: "a commit of a lower term", message };
}

function adoptOf(copy: MatchCopy, { what, events }: ReturnType<Wrong>): Forged {
  const { match, term } = copy;
  const message = { type: "adopt", match, term, events: [...copy.events, ...events] } as const;
  return { from: term.host, what, message };
}

function copyOf(events: readonly MatchEvent[]): MatchCopy {
  const term = { term: 1, host: "" as GameName };
  return new MatchCopy(term, events, {
    self: term.host,
    signer,
    disk: { store: () => {} },
  });
}
