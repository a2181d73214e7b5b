import type { Answered, Question } from "../../../src/game/core/effects.ts";
import type { MatchEvent } from "../../../src/game/core/match-event.ts";
import type { GameRequest, Look } from "../../../src/protocol/game-requests.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import type { GameName, MatchId, OpenMatch } from "../../../src/protocol/matches.ts";
import { assertPromise } from "../../support/check-promises.ts";
import { Referee } from "./referee.ts";
import { secretIn } from "./secrets.ts";
import { signatureOf } from "./signer.ts";
import type { VirtualGame } from "./virtual-game.ts";
import type { World } from "./world.ts";

/** Milliseconds within which both holders must have one outcome of a commit. */
const outcomeMs = 6_000;
/** Refusals that say nothing about an earlier attempt. */
const gone: ReadonlySet<string> = new Set(["unavailable", "not_in_match", "match_not_found"]);

type Act = GameRequest & { readonly type: "act" };

/**
 * Checks what players are told against the disks and the logs. It reads events as data, and has a
 * referee and a chain of signatures of its own.
 *
 * - M1 Players are told only what all holders of the term have on disk.
 * - M2 What a player was told is in the log, and is told once.
 * - M3 A match has one log, an action has one outcome, and it takes effect at most once.
 * - M4 The cluster has the result that the log has, and ratings only move between players.
 * - M5 Each event is signed after the one before and obeys the rules; forged messages change nothing.
 * - M6 Nobody is told a hidden card, or the seed before the end.
 * - M7 Once the faults have ended, all commits, matches and waiting players come to an end in time.
 */
export class MatchChecks {
  readonly #world: World;
  /** For each match, the longest log that a host has shown to a player, by event number. */
  readonly #told = new Map<MatchId, MatchEvent[]>();
  /** The event number that players were told for their actions. */
  readonly #acted = new Map<string, number>();
  readonly #refused = new Map<string, string>();
  toldEvents = 0;
  /** Steady time since when a game server has been in doubt about a match, or has told too little. */
  readonly #openMs = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  fail(text: string): never {
    assertPromise(false, "M2", text);
    throw new Error(text);
  }

  /** A match begins only when its first event was on the disks of both game servers. */
  onBegin({ match, host, shadow }: OpenMatch): void {
    for (const name of [host, shadow]) {
      const isSaved = name === undefined || this.#world.game(name).saved.has(match);
      assertPromise(isSaved, "M1", `${match} begins, and ${name} has never saved it`);
    }
  }

  /** A game server may only ask that a match ends if both disks have the end of its log. */
  onEnd({ match, winner }: Question & { readonly service: "matchEnd" }): void {
    this.#checkWinner(match, this.#told.get(match) ?? [], winner);
  }

  /** A host may only have agreed to what both disks have. */
  onStep(game: VirtualGame): void {
    for (const { copy, hosting, shadow, endedMs } of game.core?.holdings ?? []) {
      const agreed = hosting?.agreed;
      const isHost = hosting !== undefined;
      const isOpen = isHost ? (agreed?.length ?? 0) < copy.length : shadow.isInDoubt;
      const key = `${game.name} ${copy.match}`;
      if (!isOpen || endedMs !== undefined) this.#openMs.delete(key);
      else if (!this.#openMs.has(key)) this.#openMs.set(key, this.#world.time.nowMs);
      if (agreed === undefined) continue;
      const told = this.#told.get(copy.match) ?? [];
      const last = agreed.length - 1;
      const isKnown = told[last]?.signature === copy.events[last]?.signature;
      if (agreed.length <= told.length && isKnown) continue;
      this.#checkHolders(game, copy.match, agreed.length - 1);
      for (const [at, event] of copy.events.slice(0, agreed.length).entries()) {
        const before = told[at];
        const isSame = before === undefined || before.signature === event.signature;
        assertPromise(isSame, "M3", `${copy.match} has two events ${at}`);
      }
      this.#count(copy.events.slice(told.length, agreed.length));
      this.#told.set(copy.match, copy.events.slice(0, agreed.length) as MatchEvent[]);
    }
  }

  #count(events: readonly MatchEvent[]): void {
    const { counts } = this.#world;
    for (const { type, data } of events) {
      if (type === "MATCH_FOUND") counts.matches += 1;
      if (type === "FAILOVER") counts["FAILOVER events"] += 1;
      if (type === "FAILOVER" && data.old.host !== data.new.host) counts.failovers += 1;
      if (type === "MATCH_END" && data.isVoid === true) counts.voids += 1;
    }
  }

  #checkHolders(game: VirtualGame, match: MatchId, eventSeq: number): void {
    const holding = game.core?.holdings.get(match);
    if (holding === undefined) return;
    const { term, events } = holding.copy;
    const signature = events[eventSeq]?.signature;
    for (const name of [term.host, term.shadow]) {
      if (name === undefined) continue;
      const holder = this.#world.game(name);
      if (this.#world.lostDisks.has(holder)) continue;
      const onDisk = holder.disk.get(match)?.[eventSeq]?.signature;
      // A shadow that has left the term already may have forgotten the match.
      const isPast = (this.#world.arbiter.terms.get(match)?.at(-1)?.term ?? 0) > term.term;
      const isOver = this.#world.arbiter.matches.open(match) === undefined;
      if (isPast || isOver) continue;
      assertPromise(onDisk === signature, "M1", `${match} event ${eventSeq} is not on ${name}`);
    }
  }

  /** Checks what a player or a spectator is told against what the holders have. */
  onTold(user: UserName, { view, events }: Look & { readonly phase: "match" }): void {
    this.toldEvents += events.length;
    const told = this.#told.get(view.match);
    for (const event of events) {
      const kept = told?.[event.eventSeq];
      const text = `${user} is told event ${event.eventSeq} of ${view.match}`;
      const log = (told ?? []).map(({ type }) => type).join(" ");
      assertPromise(kept?.type === event.type, "M2", `${text} (${event.type}), not in ${log}`);
    }
    const secret = secretIn({ view, events }, (told ?? []).slice(0, view.eventSeq + 1), view.seat);
    assertPromise(secret === undefined, "M6", `${user} is told of ${view.match}: ${secret}`);
  }

  onActed(user: UserName, { id, match }: Act, answered: Answered): void {
    const key = `${match} ${user}/${id}`;
    // Whoever asks again after the match is gone is not told what became of the first attempt.
    const isLate = "refused" in answered && gone.has(answered.refused);
    if ("refused" in answered) {
      this.#world.counts["refused actions"] += 1;
      if (!isLate) this.#refused.set(key, answered.refused);
      this.#checkRefusal(user, match, answered.refused);
    } else if ("eventSeq" in answered.answer) {
      const { eventSeq } = answered.answer;
      const known = this.#acted.get(key) ?? eventSeq;
      assertPromise(known === eventSeq, "M3", `${key} was told ${known}, and then ${eventSeq}`);
      this.#acted.set(key, eventSeq);
    }
  }

  /** A refusal tells of the event that causes it, so that event must be on both disks. */
  #checkRefusal(user: UserName, match: MatchId, refused: string): void {
    const told = this.#told.get(match) ?? [];
    const isTold = {
      match_over: () => told.some(({ type }) => type === "MATCH_END"),
      already_ready: () => {
        const isChoice = (type: string) => type === "DECK_CHOSEN" || type === "PURCHASE_PACK";
        return told.some(({ type, player }) => isChoice(type) && player === user);
      },
    }[refused];
    assertPromise(
      isTold?.() ?? true,
      "M1",
      `${user} is refused (${refused}) in ${match} too early`,
    );
  }

  /** Checks, when all is over, the logs of all matches that players were told of. */
  checkLogs(): void {
    const { arbiter } = this.#world;
    for (const [match, events] of this.#told) {
      this.#checkChain(match, events);
      const verdict = new Referee(events).check();
      assertPromise(verdict === undefined, "M5", `${match}: ${verdict}`);
      this.#checkActs(match, events);
      const ended = arbiter.matches.ended(match);
      const isVoided = arbiter.voided.has(match);
      if (ended !== undefined && !isVoided) this.#checkWinner(match, events, ended.winner);
    }
    const records = arbiter.matches.records();
    const sum = records.reduce((total, [, { rating }]) => total + rating - 1_200, 0);
    assertPromise(sum === 0, "M4", `the ratings have changed by ${sum} in all`);
  }

  /** The log must have the end of the match. A FAILOVER may follow it. */
  #checkWinner(match: MatchId, events: readonly MatchEvent[], winner: UserName | undefined): void {
    const [found] = events;
    const end = events.find(({ type }) => type === "MATCH_END");
    assertPromise(end !== undefined, "M4", `${match} ends, and its log has no end`);
    if (end?.type !== "MATCH_END" || found?.type !== "MATCH_FOUND") return;
    const seat = end.data.winner;
    const user = seat === undefined ? undefined : found.data.players[seat].user;
    assertPromise(user === winner, "M4", `${match}: ${user} has won, not ${winner}`);
  }

  #checkChain(match: MatchId, events: readonly MatchEvent[]): void {
    let before = "";
    for (const [at, { signature, ...event }] of events.entries()) {
      const text = `${sortedText(event)}\n${before}`;
      const isRight = event.eventSeq === at && signatureOf(match, text) === signature;
      assertPromise(isRight, "M5", `event ${at} of ${match} is not signed after the one before`);
      before = signature;
    }
  }

  #checkActs(match: MatchId, events: readonly MatchEvent[]): void {
    const last = new Map<string, number>();
    for (const { operation, type, eventSeq } of events) {
      if (operation === undefined) continue;
      const first = last.get(operation);
      const isTwice =
        first !== undefined &&
        first < eventSeq - 1 &&
        events[first]?.operation === operation &&
        events[eventSeq - 1]?.operation !== operation;
      assertPromise(!isTwice, "M3", `${operation} of ${match} took effect twice, with ${type}`);
      last.set(operation, eventSeq);
    }
    for (const [key, eventSeq] of this.#acted) {
      const [of, operation] = key.split(" ") as [string, string];
      if (of !== match) continue;
      assertPromise(last.get(operation) === eventSeq, "M2", `${key} was told ${eventSeq}`);
    }
    for (const [key, refused] of this.#refused) {
      const [of, operation] = key.split(" ") as [string, string];
      if (of !== match) continue;
      assertPromise(!last.has(operation), "M3", `${key} was refused (${refused}) and took effect`);
    }
  }

  /** Each commit must have one outcome at both ends in time, once the faults have ended. */
  checkDoubts(faultsEndMs: number): void {
    const { nowMs } = this.#world.time;
    for (const [key, sinceMs] of this.#openMs) {
      const [name, match] = key.split(" ") as [GameName, MatchId];
      const isHeld = this.#world.game(name).core?.holdings.get(match) !== undefined;
      const passedMs = nowMs - Math.max(sinceMs, faultsEndMs);
      const isLate = isHeld && passedMs > outcomeMs;
      assertPromise(!isLate, "M7", `${name} has an open commit of ${match} for ${passedMs} ms`);
    }
    if (nowMs - faultsEndMs < outcomeMs) return;
    for (const open of this.#world.arbiter.matches.opened()) {
      const [a, b] = [open.host, open.shadow ?? open.host].map((name) => {
        return this.#world.game(name).core?.holdings.get(open.match)?.copy.events ?? [];
      }) as [readonly MatchEvent[], readonly MatchEvent[]];
      const last = Math.min(a.length, b.length) - 1;
      const isOne = a[last]?.signature === b[last]?.signature;
      assertPromise(isOne, "M3", `the holders of ${open.match} have two outcomes`);
    }
  }

  /** When all is quiet, nobody is in doubt, and both holders have the same. */
  checkQuiet(games: readonly VirtualGame[]): void {
    for (const { name, core } of games) {
      for (const { copy, shadow, hosting, endedMs } of core?.holdings ?? []) {
        if (hosting !== undefined || endedMs !== undefined) continue;
        assertPromise(!shadow.isInDoubt, "M3", `${name} is in doubt about ${copy.match}`);
      }
    }
  }
}

/** JSON with the keys of each map in one order, written anew for these checks. */
function sortedText(value: unknown): string {
  return JSON.stringify(sortedKeys(value));
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(
    fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, sortedKeys(v)]),
  );
}
