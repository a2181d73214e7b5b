import type { PresenceState, Present } from "../../../protocol/client-messages.ts";
import type { ServerName, UserName } from "../../../protocol/ids.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import type { HeardPresence } from "../../../protocol/peer-messages.ts";

/** The last that a client said of himself, to whichever server. */
interface Word {
  readonly user: UserName;
  readonly client: string;
  readonly state: PresenceState;
  /** Who heard it, and his clock then: a client's later word has a higher one (W5). */
  readonly server: ServerName;
  readonly clock: number;
  /** Steady time at which it ends. One that says that he is gone outlives what it ends. */
  readonly untilMs: number;
}

/** Who is there, by what clients say and servers tell each other (L11): in memory, and for a while. */
export class Presence {
  readonly #name: ServerName;
  readonly #users = new Map<UserName, Map<string, Word>>();
  /** Heard here, and news to the others. */
  readonly #news = new Set<Word>();
  #toldMs = Number.NEGATIVE_INFINITY;
  #allToldMs = Number.NEGATIVE_INFINITY;
  /** Somebody has come back who knows nothing. */
  #isMissed = false;
  /** As long as nothing is new and nothing ends. */
  #list: readonly Present[] | undefined;
  #listUntilMs = 0;

  constructor(name: ServerName) {
    this.#name = name;
  }

  /** A client says it here. */
  hear(said: Pick<Word, "user" | "client" | "state" | "clock">, steadyMs: number): void {
    const untilMs = steadyMs + durations.presenceSilenceMs;
    const { user, client, state, clock } = said;
    const word = { user, client, state, clock, server: this.#name, untilMs };
    if (this.#take(word, steadyMs)) this.#news.add(word);
  }

  /** Another server tells what it heard. */
  learn(server: ServerName, heard: readonly HeardPresence[], steadyMs: number): void {
    for (const { ageMs, ...said } of heard) {
      const untilMs = steadyMs - ageMs + durations.presenceSilenceMs;
      this.#take({ ...said, server, untilMs }, steadyMs);
    }
  }

  /** By name; online is who is so in any of his clients. */
  list(steadyMs: number): readonly Present[] {
    if (this.#list !== undefined && steadyMs < this.#listUntilMs) return this.#list;
    const present: Present[] = [];
    this.#listUntilMs = Number.POSITIVE_INFINITY;
    for (const [user, clients] of this.#users) {
      const states = new Set<PresenceState>();
      for (const { state, untilMs } of clients.values()) {
        if (untilMs <= steadyMs) continue;
        states.add(state);
        this.#listUntilMs = Math.min(this.#listUntilMs, untilMs);
      }
      if (states.has("online")) present.push({ user, state: "online" });
      else if (states.has("away")) present.push({ user, state: "away" });
    }
    this.#list = present.sort((a, b) => (a.user < b.user ? -1 : 1));
    return this.#list;
  }

  /** The others are to be told all: one of them, or this one, was away. */
  tellAll(): void {
    this.#isMissed = this.#users.size > 0;
  }

  /** What the others are to be told now, by the message: news soon, and all now and then. */
  *due(steadyMs: number): Generator<HeardPresence[]> {
    if (this.#users.size === 0) return;
    if (steadyMs - this.#toldMs < durations.presenceNewsMs) return;
    const isTimeForAll = this.#isMissed || steadyMs - this.#allToldMs >= durations.presenceMs;
    if (!isTimeForAll && this.#news.size === 0) return;
    if (isTimeForAll) this.#forget(steadyMs);
    const words = isTimeForAll ? this.#own() : [...this.#news].filter(isGood(steadyMs));
    this.#news.clear();
    this.#isMissed = false;
    if (isTimeForAll) this.#allToldMs = steadyMs;
    this.#toldMs = steadyMs;
    for (let from = 0; from < words.length; from += limits.presenceWords) {
      const page = words.slice(from, from + limits.presenceWords);
      yield page.map(({ user, client, state, clock, untilMs }) => {
        const ageMs = Math.round(steadyMs - untilMs + durations.presenceSilenceMs);
        return { user, client, state, clock, ageMs };
      });
    }
  }

  /** @returns whether the others are to be told, if it was heard here */
  #take(word: Word, steadyMs: number): boolean {
    const { user, client, state, untilMs } = word;
    if (untilMs <= steadyMs) return false;
    const clients = this.#users.get(user) ?? new Map<string, Word>();
    const known = clients.get(client);
    if (known === undefined && !this.#makeRoom(clients)) return false;
    if (known !== undefined && !isLater(word, known)) return false;
    const wasNews = known !== undefined && this.#news.delete(known);
    clients.set(client, word);
    this.#users.set(user, clients);
    this.#listUntilMs = Math.min(this.#listUntilMs, untilMs);
    const isNews = known === undefined || known.state !== state || known.untilMs <= steadyMs;
    if (isNews) this.#list = undefined;
    return isNews || wasNews;
  }

  /** Of too many users those who came first are listed; of one's clients, those heard last. */
  #makeRoom(clients: Map<string, Word>): boolean {
    if (clients.size === 0) return this.#users.size < limits.presentUsers;
    if (clients.size < limits.presentClients) return true;
    const [oldest] = [...clients.values()].sort((a, b) => a.untilMs - b.untilMs);
    if (oldest === undefined) return true;
    clients.delete(oldest.client);
    this.#news.delete(oldest);
    return true;
  }

  #own(): Word[] {
    const own: Word[] = [];
    for (const clients of this.#users.values()) {
      for (const word of clients.values()) if (word.server === this.#name) own.push(word);
    }
    return own;
  }

  #forget(steadyMs: number): void {
    for (const [user, clients] of this.#users) {
      for (const [client, word] of clients) {
        if (word.untilMs > steadyMs) continue;
        clients.delete(client);
        this.#news.delete(word);
      }
      if (clients.size === 0) this.#users.delete(user);
    }
  }
}

function isGood(steadyMs: number): (word: Word) => boolean {
  return ({ untilMs }) => untilMs > steadyMs;
}

function isLater(one: Word, other: Word): boolean {
  return one.clock > other.clock || (one.clock === other.clock && one.server > other.server);
}
