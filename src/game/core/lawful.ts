import type { MatchId } from "../../protocol/matches.ts";
import {
  type Action,
  canonical,
  type Draft,
  type MatchEvent,
  type Signer,
  whyBroken,
} from "./match-event.ts";
import { begun, fold, judge, type MatchState } from "./match-state.ts";
import type { Seat } from "./rules/rules.ts";

/** Whether the events are a whole log of the match: signed one after the other, and lawful. */
export function isLogOf(match: MatchId, events: readonly MatchEvent[], signer: Signer): boolean {
  try {
    const isBroken = whyBroken(events, { match, from: 0, previous: "" }, signer) !== undefined;
    return !isBroken && isLawful(events);
  } catch {
    // The rules can't even read what a damaged disk, or another version, has made of it.
    return false;
  }
}

/**
 * Whether each event follows from an action that the rules allow at that point. A signature proves
 * only that a game server has made the event.
 */
function isLawful(events: readonly MatchEvent[]): boolean {
  const [first] = events;
  if (first?.type !== "MATCH_FOUND") return false;
  let state = begun(first);
  let term = 1;
  while (state.length < events.length) {
    const event = events[state.length] as MatchEvent;
    if (event.timestamp < state.lastMs) return false;
    if (event.type === "FAILOVER") {
      if (event.data.new.term <= term) return false;
      term = event.data.new.term;
      state = fold(state, event);
      continue;
    }
    const made = madeNext(state, events);
    if (made === undefined) return false;
    state = made.reduce(fold, state);
  }
  return true;
}

/** Returns the events of the next operation; undefined if no action makes them. */
function madeNext(state: MatchState, events: readonly MatchEvent[]) {
  const event = events[state.length] as MatchEvent;
  for (const action of actionsOf(event)) {
    const drafts = judge(state, action, event.timestamp);
    if (typeof drafts === "string") continue;
    const made = events.slice(state.length, state.length + drafts.length);
    const isOne = made.every(({ operation, timestamp }) => {
      return operation === event.operation && timestamp === event.timestamp;
    });
    if (isOne && contentsOf(made) === contentsOf(drafts)) return made;
  }
  return undefined;
}

/** Returns the actions of which an event may be the first outcome. */
function actionsOf({ type, data }: MatchEvent): readonly Action[] {
  const timeOut: Action = { type: "timeOut" };
  switch (type) {
    case "DECK_CHOSEN":
      return [{ type: "ready", seat: data.seat, cards: data.cards }];
    case "PURCHASE_PACK":
      return [{ type: "ready", ...data }];
    case "GAVE_UP":
      return [{ type: "giveUp", ...data }];
    case "CARD_PLAYED":
      return [{ type: "play", ...data }, timeOut];
    case "CARD_COUNTERED":
      return [{ type: "counter", ...data }];
    case "PASSED":
      return [{ type: "pass", seat: data.seat as Seat }, timeOut];
    case "ROUND_END":
    case "MATCH_END":
      return [timeOut];
    case "MATCH_FOUND":
    case "MATCH_START":
    case "FAILOVER":
      return [];
  }
}

function contentsOf(drafts: readonly Draft[]): string {
  return canonical(drafts.map(({ type, data, player }) => [type, data, player]));
}
