import { gameLimits } from "../../../protocol/game-limits.ts";
import type { ShownEvent } from "../../../protocol/game-view.ts";
import { pressInDuel, quitAsked } from "./duel-keys.ts";
import {
  type DuelEffect,
  type DuelEvent,
  type DuelModel,
  type DuelStep,
  duelStill,
  isPlaying,
  type SeenMatch,
  told,
} from "./duel-model.ts";

type EventOf<T extends DuelEvent["type"]> = Extract<DuelEvent, { readonly type: T }>;

/** @returns the screen after an event, and what the shell must do. A pure function. */
export function updateDuel(model: DuelModel, event: DuelEvent): DuelStep {
  switch (event.type) {
    case "key":
      return pressInDuel(model, event.key);
    case "resize":
      return { model: { ...model, size: event.size }, effects: [{ type: "redraw" }] };
    case "tick":
      return duelStill({
        ...model,
        nowMs: event.nowMs,
        quitAskedMs: quitAsked(model, event.nowMs),
      });
    case "looked":
      return looked({ ...model, nowMs: event.nowMs }, event);
    case "entered":
      // A match may have begun since.
      if (isPlaying(model)) return duelStill(model);
      return looked({ ...model, nowMs: event.nowMs }, { ...event, isFresh: false });
    case "left":
      return { model, effects: [{ type: "quit" }] };
    case "seated":
      return duelStill({ ...model, isLeaving: false });
    case "acted":
      return duelStill({ ...model, isActing: false });
    case "refused":
      return duelStill({ ...told(model, event.why, true), isActing: false });
    case "connection":
      return connection(model, event.isLost);
    case "shop":
      return duelStill({ ...model, shop: event.shop });
    case "record":
      return duelStill(withRecord(model, event));
    default:
      return event satisfies never;
  }
}

function connection(model: DuelModel, isLost: boolean): DuelStep {
  if (isLost === model.isLost) return duelStill(model);
  const next = { ...model, isLost };
  return duelStill(isLost ? next : told(next, model.words("duel.back")));
}

type Looked = Omit<EventOf<"looked">, "type">;

function looked(model: DuelModel, { look, isFresh }: Looked): DuelStep {
  switch (look.phase) {
    case "idle":
      return { model: { ...vanished(model), phase: "idle" }, effects: entering(model) };
    case "waiting": {
      const waitingSinceMs = model.nowMs - look.waitedMs;
      // A spectator's user may wait for a match by rules of their own.
      return duelStill({ ...model, phase: "waiting", waitingSinceMs });
    }
    case "match": {
      const { view, events } = look;
      const isOver = view.over != null;
      const aheadMs = isFresh ? ahead(model, events.at(-1)) : model.aheadMs;
      const isSame = model.seen?.view.match === view.match;
      // The game servers still show the match before the one that the person wants.
      const isOld = isOver && model.wants && (isSame || model.phase === undefined);
      const seen: SeenMatch = {
        view,
        events: isSame ? joined(model.seen?.events ?? [], events) : events,
        ratings: isSame ? (model.seen?.ratings ?? new Map()) : new Map(),
        after: isSame ? model.seen?.after : undefined,
      };
      const known = { ...model, phase: "match", seen, aheadMs } as const;
      if (isOld) return { model: known, effects: entering(model) };
      return begunOrOver(model, { ...known, wants: false });
    }
    default:
      return look satisfies never;
  }
}

/** A match that the game servers do not know any more does not count. */
function vanished(model: DuelModel): DuelModel {
  const { seen } = model;
  if (seen === undefined || !isPlaying(model)) return model;
  const view = { ...seen.view, over: { isVoid: true as const } };
  return { ...model, seen: { ...seen, view } };
}

function entering({ wants, isLeaving, rules }: DuelModel): readonly DuelEffect[] {
  return wants && !isLeaving ? [{ type: "enter", rules }] : [];
}

/** What the news that a match has begun, has gone on or is over lead to. */
function begunOrOver(before: DuelModel, model: DuelModel): DuelStep {
  const { seen } = model;
  if (seen === undefined) return duelStill(model);
  const { view } = seen;
  const { match, seat } = view;
  const isNew = before.seen?.view.match !== match || before.wants;
  const effects: DuelEffect[] = [];
  if (isNew) {
    for (const { user } of view.players) effects.push({ type: "record", user, after: undefined });
    if (seat != null) effects.push({ type: "shop" });
  }
  const isOverNow = view.over != null && (isNew || before.seen?.view.over == null);
  if (isOverNow && seat != null) effects.push({ type: "record", user: model.me, after: match });
  const isLate = model.isLeaving && isNew;
  const next = isLate ? told(model, model.words("duel.seated")) : model;
  const hand = seat == null ? [] : (view.table?.sides[seat].hand ?? []);
  return {
    model: {
      ...next,
      isLeaving: false,
      notice: (isNew || isOverNow) && !isLate ? undefined : next.notice,
      asksGiveUp: model.asksGiveUp && !isNew && view.over == null,
      isActing: model.isActing && view.over == null,
      chosen: isNew ? 0 : Math.min(model.chosen, Math.max(0, hand.length - 1)),
    },
    effects,
  };
}

function joined(known: readonly ShownEvent[], news: readonly ShownEvent[]): readonly ShownEvent[] {
  const [first] = news;
  if (first === undefined) return known;
  const before = known.filter(({ eventSeq }) => eventSeq < first.eventSeq);
  return [...before, ...news].slice(-gameLimits.shownEvents);
}

/**
 * An event is seen a little after it was made. So the smallest difference between the two times
 * shows by how much this machine's clock is ahead.
 */
function ahead({ nowMs, aheadMs }: DuelModel, last: ShownEvent | undefined): number | undefined {
  if (last === undefined) return aheadMs;
  return Math.min(nowMs - last.timestamp, aheadMs ?? Number.POSITIVE_INFINITY);
}

function withRecord(model: DuelModel, { user, record, after }: EventOf<"record">): DuelModel {
  const { seen } = model;
  if (seen === undefined) return model;
  if (after !== undefined) {
    return after === seen.view.match ? { ...model, seen: { ...seen, after: record } } : model;
  }
  const ratings = new Map(seen.ratings).set(user, record.rating);
  return { ...model, seen: { ...seen, ratings } };
}
