import { type CardId, kindOf } from "../../protocol/cards.ts";
import { gameDurations, gameLimits } from "../../protocol/game-limits.ts";
import type { MatchView, Seat, ShownEvent } from "../../protocol/game-view.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { MatchId, Players, RulesName } from "../../protocol/matches.ts";
import type { Action, Draft, MatchEvent } from "./match-event.ts";
import { rulesOf } from "./rules/all-rules.ts";
import { type Happening, type Move, type MoveRefusal, other } from "./rules/rules.ts";

/** Why an action is refused. */
export type ActionRefusal =
  | MoveRefusal
  | "match_over"
  | "not_started"
  | "already_ready"
  | "deck_wrong";

type Over = NonNullable<MatchView["over"]>;

/** The state that the events of a log make. It is never changed in place. */
export interface MatchState {
  readonly match: MatchId;
  readonly rules: RulesName;
  readonly players: Players;
  readonly seed: string;
  readonly seedHash: string;
  readonly foundMs: number;
  readonly decks: readonly [readonly CardId[] | undefined, readonly CardId[] | undefined];
  /** The state of the rules; undefined until both are ready. */
  readonly table: unknown;
  readonly over: Over | undefined;
  /** The number of events. */
  readonly length: number;
  readonly lastMs: number;
}

/** @throws Error if the event is not MATCH_FOUND */
export function begun(event: MatchEvent): MatchState {
  if (event.type !== "MATCH_FOUND") throw new Error("the log does not begin with MATCH_FOUND");
  return {
    match: event.matchId,
    ...event.data,
    foundMs: event.timestamp,
    decks: [undefined, undefined],
    table: undefined,
    over: undefined,
    length: 1,
    lastMs: event.timestamp,
  };
}

/** Applies an event that `judge` or the host has made. */
export function fold(state: MatchState, event: MatchEvent): MatchState {
  const { timestamp, eventSeq } = event;
  const next = {
    ...state,
    length: eventSeq + 1,
    lastMs: timestamp,
  };
  switch (event.type) {
    case "DECK_CHOSEN":
    case "PURCHASE_PACK": {
      const { seat, cards } = event.data;
      const [first, second] = state.decks;
      return { ...next, decks: seat === 0 ? [cards, second] : [first, cards] };
    }
    case "MATCH_START": {
      const [first = [], second = []] = state.decks;
      return { ...next, table: rulesOf(state.rules).start([first, second], state.seed, timestamp) };
    }
    case "MATCH_END": {
      const { winner, isVoid } = event.data;
      return { ...next, over: { winner, isVoid } };
    }
    case "MATCH_FOUND":
    case "GAVE_UP":
    case "FAILOVER":
      return next;
    default:
      return {
        ...next,
        table: rulesOf(state.rules).fold(state.table, happeningOf(event), timestamp),
      };
  }
}

function happeningOf({ type, data }: Pick<Draft, "type" | "data">): Happening {
  return { ...data, type } as Happening;
}

/** Returns what an action makes, or why it is refused. */
export function judge(
  state: MatchState,
  action: Action,
  timeMs: number,
): readonly Draft[] | ActionRefusal {
  if (state.over !== undefined) return "match_over";
  if (action.type === "ready") return chosen(state, action);
  if (action.type === "giveUp") {
    const { seat, isGone } = action;
    const player = userIn(state, seat);
    const ended = state.table === undefined ? { isVoid: true as const } : { winner: other(seat) };
    return [{ type: "GAVE_UP", data: { seat, isGone }, player }, endOf(state, ended)];
  }
  if (state.table !== undefined) return moved(state, action, timeMs);
  if (action.type !== "timeOut") return "not_started";
  if (timeMs < state.foundMs + gameDurations.prepareMs) return "too_early";
  return [endOf(state, { isVoid: true })];
}

function chosen(
  state: MatchState,
  { seat, cards, pack }: Action & { readonly type: "ready" },
): readonly Draft[] | ActionRefusal {
  if (state.decks[seat] !== undefined) return "already_ready";
  const isWrong =
    cards.length < gameLimits.deckCardsLeast ||
    cards.length > gameLimits.deckCards ||
    new Set(cards).size < cards.length ||
    !cards.every((card) => kindOf(card) !== undefined);
  if (isWrong) return "deck_wrong";
  const player = userIn(state, seat);
  const choice: Draft =
    pack === undefined
      ? { type: "DECK_CHOSEN", data: { seat, cards }, player }
      : { type: "PURCHASE_PACK", data: { seat, cards, pack }, player };
  return state.decks[other(seat)] === undefined
    ? [choice]
    : [choice, { type: "MATCH_START", data: {} }];
}

function moved(state: MatchState, move: Move, timeMs: number): readonly Draft[] | ActionRefusal {
  const rules = rulesOf(state.rules);
  const happenings = rules.judge(state.table, move, timeMs);
  if (typeof happenings === "string") return happenings;
  const drafts = happenings.map(({ type, ...data }): Draft => {
    const seat = "seat" in data ? (data.seat as Seat) : undefined;
    const player = seat === undefined ? undefined : userIn(state, seat);
    return { type, data, player } as Draft;
  });
  const table = happenings.reduce((now, one) => rules.fold(now, one, timeMs), state.table);
  const result = rules.result(table);
  return result === undefined ? drafts : [...drafts, endOf(state, result)];
}

function endOf({ seed }: MatchState, over: Over): Draft {
  return { type: "MATCH_END", data: { ...over, seed } };
}

function userIn({ players }: MatchState, seat: Seat): UserName {
  return players[seat].user;
}

export function seatOf({ players }: Pick<MatchState, "players">, user: UserName): Seat | undefined {
  const at = players.findIndex((player) => player.user === user);
  return at === -1 ? undefined : (at as Seat);
}

/** Returns the time of the deadline, from which `timeOut` is accepted; undefined without a deadline. */
export function deadlineOf(state: MatchState): number | undefined {
  if (state.over !== undefined) return undefined;
  if (state.table === undefined) return state.foundMs + gameDurations.prepareMs;
  return rulesOf(state.rules).deadlineMs(state.table);
}

/** @param viewer undefined for a spectator */
export function viewOf(state: MatchState, viewer: Seat | undefined): MatchView {
  const { match, rules, players, decks, table, over, seed, seedHash, length } = state;
  return {
    match,
    rules,
    players,
    seat: viewer,
    ready: [decks[0] !== undefined, decks[1] !== undefined],
    table: table === undefined ? undefined : rulesOf(rules).view(table, viewer),
    prepareUntilMs: table === undefined && over === undefined ? deadlineOf(state) : undefined,
    over,
    seedHash,
    seed: over === undefined ? undefined : seed,
    eventSeq: length - 1,
  };
}

/** Returns an event as a viewer may see it while the match is in this state. */
export function shownEvent(
  state: MatchState,
  event: MatchEvent,
  viewer: Seat | undefined,
): ShownEvent {
  const { eventSeq, timestamp, type } = event;
  const shown = (data: object): ShownEvent => ({
    eventSeq,
    timestamp,
    type,
    data: data as ShownEvent["data"],
  });
  switch (event.type) {
    case "MATCH_FOUND": {
      const { seed: _, ...open } = event.data;
      return shown(open);
    }
    case "DECK_CHOSEN":
    case "PURCHASE_PACK": {
      const { cards, ...open } = event.data;
      return shown(event.data.seat === viewer ? event.data : { ...open, count: cards.length });
    }
    case "MATCH_START":
    case "GAVE_UP":
    case "FAILOVER":
    case "MATCH_END":
      return shown(event.data);
    default: {
      const { type: _, ...data } = rulesOf(state.rules).shown(
        state.table,
        happeningOf(event),
        viewer,
      );
      return shown(data);
    }
  }
}
