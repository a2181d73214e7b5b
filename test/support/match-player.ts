import { expect } from "vitest";
import { isPlayable, stageOf } from "../../src/client/core/duel/duel-cards.ts";
import type { Look, PlayerAction } from "../../src/protocol/game-requests.ts";
import type { MatchView, ShownEvent } from "../../src/protocol/game-view.ts";
import { until } from "./until.ts";

/** What somebody was told of one match, by whichever door. */
export class SeenMatch {
  readonly events: ShownEvent[] = [];
  /** Each view, in the order in which they came. */
  readonly views: MatchView[] = [];

  get view(): MatchView | undefined {
    return this.views.at(-1);
  }

  get round(): number {
    return this.view?.table?.round ?? 0;
  }

  get isOver(): boolean {
    return this.view?.over != null;
  }

  /** The highest number of a round that has ended. */
  get ended(): number {
    return Number(this.events.findLast(({ type }) => type === "ROUND_END")?.data.round ?? 0);
  }

  take(look: Look): void {
    if (look.phase !== "match") return;
    this.views.push(look.view);
    this.events.push(...look.events);
  }

  count(type: string): number {
    return this.events.filter((event) => event.type === type).length;
  }
}

/** A person who plays one match, with the first card that they may play. */
export abstract class MatchPlayer {
  readonly user: string;
  readonly seen = new SeenMatch();
  /** The refusals that the person was told. */
  readonly refusals: string[] = [];
  /** The person waits before each later round. */
  #upTo = Number.POSITIVE_INFINITY;
  /** How the person chooses their cards. */
  readonly #choice: PlayerAction;
  readonly #done = new Set<string>();

  constructor(user: string, choice: PlayerAction = { type: "ready" }) {
    this.user = user;
    this.#choice = choice;
  }

  /** Sends an action, once; the answer is no news. */
  protected abstract act(action: PlayerAction, match: MatchView["match"]): void;

  /** Plays this round and the ones before it, and then waits. */
  upTo(round: number): void {
    this.#upTo = round;
    this.#play();
  }

  protected take(look: Look): void {
    this.seen.take(look);
    this.#play();
  }

  async hasEnded(round: number, limitMs?: number): Promise<void> {
    const what = () => `${this.user} sees the end of round ${round}, after ${this.seen.ended}`;
    await until(() => this.seen.ended >= round, what(), limitMs);
  }

  async isOver(limitMs?: number): Promise<void> {
    await until(() => this.seen.isOver, `${this.user} sees the end of the match`, limitMs);
  }

  #play(): void {
    const { view } = this.seen;
    if (view?.seat == null || view.over != null) return;
    if (view.table == null) {
      if (!view.ready[view.seat]) this.#once("ready", this.#choice, view);
      return;
    }
    const { round } = view.table;
    const stage = stageOf(view);
    if (stage === "wait" || round > this.#upTo) return;
    const card = view.table.sides[view.seat].hand?.find((one) => isPlayable(view, one));
    const type = stage === "counter" ? "counter" : "play";
    this.#once(`${round} ${stage}`, card === undefined ? { type: "pass" } : { type, card }, view);
  }

  #once(what: string, action: PlayerAction, { match }: MatchView): void {
    if (this.#done.has(what)) return;
    this.#done.add(what);
    this.act(action, match);
  }
}

/** Nothing was lost and nothing doubled: the events are 0, 1, 2 … up to the end of the match. */
export function expectWhole({ events }: SeenMatch): void {
  expect(events.map(({ eventSeq }) => eventSeq)).toEqual(events.map((_, at) => at));
  expect(events[0]?.type).toBe("MATCH_FOUND");
  expect(events.at(-1)?.type).toBe("MATCH_END");
  expect(events.filter(({ type }) => type === "MATCH_END")).toHaveLength(1);
}

/** Each player has played exactly one card in each round of a clash: the one that its end shows. */
function expectOnePlayEach({ events }: SeenMatch): void {
  let played = new Map<unknown, unknown>();
  let round = 1;
  for (const { type, data } of events) {
    if (type === "CARD_PLAYED") {
      expect(played.has(data.seat), `one play of ${data.seat} in round ${round}`).toBe(false);
      played.set(data.seat, data.card);
    } else if (type === "ROUND_END") {
      expect(data.round).toBe(round);
      for (const seat of [0, 1]) {
        const [shown, ended] = [played.get(seat), (data.cards as unknown[])[seat]];
        expect([ended, "hidden"]).toContain(shown);
      }
      played = new Map();
      round += 1;
    }
  }
}

/** Both were told of the same events, in one order; a clash of theirs has no round played twice. */
export function expectSame(one: SeenMatch, other: SeenMatch): void {
  for (const seen of [one, other]) {
    expectWhole(seen);
    expectOnePlayEach(seen);
  }
  expect(one.events.map(openly)).toEqual(other.events.map(openly));
}

/** Returns what everybody may know of an event. */
function openly({ eventSeq, timestamp, type, data }: ShownEvent) {
  const { cards, count, card, ...open } = data;
  if (type === "ROUND_END") return { eventSeq, timestamp, type, data };
  // The end of the round shows the card that was hidden.
  return { eventSeq, timestamp, type, data: open };
}
