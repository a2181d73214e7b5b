import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { MatchEvent } from "../src/game/core/match-event.ts";
import { Referee } from "../test/simulation/matches/referee.ts";
import type { Played, Told } from "./duel-player.ts";

/** The logs of matches that game servers have written, also of matches that are over. */
export class MatchLogs {
  readonly #folder: string;
  readonly #logs = new Map<string, readonly MatchEvent[]>();

  /** @param data the data folder of the cluster */
  constructor(data: string) {
    this.#folder = join(data, "games");
  }

  /** Reads the files of all game servers. A game server that starts forgets matches that are over. */
  read(): void {
    for (const slot of readdirSync(this.#folder)) {
      const path = join(this.#folder, slot, "matches.jsonl");
      if (existsSync(path)) this.#readFile(readFileSync(path, "utf8"));
    }
  }

  #readFile(text: string): void {
    const logs = new Map<string, MatchEvent[]>();
    for (const line of text.split("\n")) {
      let record: { type: string; match: string; events?: MatchEvent[] };
      try {
        record = JSON.parse(line);
      } catch {
        // The last line, which a kill has cut.
        continue;
      }
      const { type, match, events = [] } = record;
      if (type === "replace") logs.set(match, events);
      else if (type === "append") logs.set(match, [...(logs.get(match) ?? []), ...events]);
      this.#keep(match, logs.get(match) ?? []);
    }
  }

  #keep(match: string, events: readonly MatchEvent[]): void {
    const known = this.#logs.get(match) ?? [];
    const [before, now] = [known.at(-1)?.term ?? 0, events.at(-1)?.term ?? 0];
    if (now > before || (now === before && events.length > known.length)) {
      this.#logs.set(match, events);
    }
  }

  /** Returns what is wrong with what the players were told. */
  breaches(told: readonly Told[], played: readonly Played[]): string[] {
    const breaches: string[] = [];
    for (const { match, event } of told) {
      const kept = this.#logs.get(match)?.[event.eventSeq];
      const isSame = kept?.type === event.type && isShown(event.data, kept.data);
      if (!isSame) breaches.push(`event ${event.eventSeq} of ${match} is another in the log`);
    }
    for (const { match, eventSeq } of played) {
      const cause = this.#logs.get(match)?.[eventSeq]?.operation;
      if (cause === undefined) breaches.push(`action at ${eventSeq} of ${match} is not in the log`);
    }
    for (const match of new Set(told.map((one) => one.match))) {
      const events = this.#logs.get(match) ?? [];
      const wrong = new Referee(events).check();
      if (wrong !== undefined) breaches.push(`${match}: ${wrong}`);
      if (events.some(({ eventSeq }, at) => eventSeq !== at)) breaches.push(`${match} has a gap`);
      breaches.push(...twice(events).map((cause) => `${cause} took effect twice in ${match}`));
    }
    return breaches;
  }
}

/** Whether all that was told agrees with the event; what was hidden may be missing. */
function isShown(told: object, kept: object): boolean {
  const all = kept as Record<string, unknown>;
  return Object.entries(told).every(([name, value]) => {
    const isHidden = value === "hidden" || !(name in all);
    return isHidden || JSON.stringify(value) === JSON.stringify(all[name]);
  });
}

/** Returns the operations that made events in two places of a log. */
function twice(events: readonly MatchEvent[]): string[] {
  const ended = new Set<string>();
  const found: string[] = [];
  let before: string | undefined;
  for (const { operation } of events) {
    if (operation !== before) {
      if (before !== undefined) ended.add(before);
      if (operation !== undefined && ended.has(operation)) found.push(operation);
    }
    before = operation;
  }
  return found;
}
