import type { PresenceState, Present } from "../../../protocol/client-messages.ts";
import type { ServerName, UserName } from "../../../protocol/ids.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import type { HeardPresence } from "../../../protocol/peer-messages.ts";

/** The last presence report that a client sent, to this server or another. */
interface PresenceReport {
  readonly user: UserName;
  readonly client: string;
  readonly state: PresenceState;
  /**
   * The server that received the report, and that server's Lamport clock at that moment. A later
   * report has a higher clock (W5).
   */
  readonly server: ServerName;
  readonly clock: number;
  /**
   * Steady time at which the report expires. A `gone` report expires later than the reports that it
   * cancels.
   */
  readonly untilMs: number;
}

/**
 * Records which users are online or away (L11). A client reports its state to one server, which
 * passes the report on to the other servers. Reports are in memory only, until they expire.
 */
export class Presence {
  readonly #name: ServerName;
  readonly #users = new Map<UserName, Map<string, PresenceReport>>();
  /**
   * Reports that clients sent to this server, and that it has not yet passed on to the other
   * servers.
   */
  readonly #news = new Set<PresenceReport>();
  #toldMs = Number.NEGATIVE_INFINITY;
  #allToldMs = Number.NEGATIVE_INFINITY;
  /**
   * Whether this server must pass on all reports of its own clients again, because another server
   * may have missed some.
   */
  #isMissed = false;
  /**
   * The last result of `list`, valid until the first report expires (`#listUntilMs`). Undefined
   * once a client's state has changed.
   */
  #list: readonly Present[] | undefined;
  #listUntilMs = 0;

  constructor(name: ServerName) {
    this.#name = name;
  }

  /** Stores a report that a client sent to this server. */
  hear(said: Pick<PresenceReport, "user" | "client" | "state" | "clock">, steadyMs: number): void {
    const untilMs = steadyMs + durations.presenceSilenceMs;
    const { user, client, state, clock } = said;
    const report = { user, client, state, clock, server: this.#name, untilMs };
    if (this.#take(report, steadyMs)) this.#news.add(report);
  }

  /** Whether there are reports that the peers should get soon. */
  get hasNews(): boolean {
    return this.#news.size > 0;
  }

  /** Stores reports that clients sent to another server, which passes them on. */
  learn(server: ServerName, heard: readonly HeardPresence[], steadyMs: number): void {
    for (const { ageMs, ...said } of heard) {
      const untilMs = steadyMs - ageMs + durations.presenceSilenceMs;
      this.#take({ ...said, server, untilMs }, steadyMs);
    }
  }

  /**
   * Returns the users who are online or away, sorted by name. A user is online if any of their
   * clients is online.
   */
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

  /**
   * Makes the next call of `due` yield all reports that clients sent to this server. Called after
   * this server or a peer was out of reach, because reports may have been missed.
   */
  tellAll(): void {
    this.#isMissed = this.#users.size > 0;
  }

  /**
   * Yields the reports to pass on now, one array for each message: new reports at most every
   * `durations.presenceNewsMs`, and all reports from this server's clients every
   * `durations.presenceMs`.
   */
  *due(steadyMs: number): Generator<HeardPresence[]> {
    if (this.#users.size === 0) return;
    if (steadyMs - this.#toldMs < durations.presenceNewsMs) return;
    const isTimeForAll = this.#isMissed || steadyMs - this.#allToldMs >= durations.presenceMs;
    if (!isTimeForAll && this.#news.size === 0) return;
    if (isTimeForAll) this.#forget(steadyMs);
    const reports = isTimeForAll ? this.#own() : [...this.#news].filter(isFresh(steadyMs));
    this.#news.clear();
    this.#isMissed = false;
    if (isTimeForAll) this.#allToldMs = steadyMs;
    this.#toldMs = steadyMs;
    yield* pagesOf(reports, steadyMs);
  }

  /** Yields all valid reports that clients sent to this server, as pages. */
  *own(steadyMs: number): Generator<HeardPresence[]> {
    yield* pagesOf(this.#own().filter(isFresh(steadyMs)), steadyMs);
  }

  /**
   * Stores a report, unless a later report of the same client is known.
   * @returns whether the report has news for the peers. If so, the server that received the report
   * from the client must pass the report on
   */
  #take(report: PresenceReport, steadyMs: number): boolean {
    const { user, client, state, untilMs } = report;
    if (untilMs <= steadyMs) return false;
    const clients = this.#users.get(user) ?? new Map<string, PresenceReport>();
    const known = clients.get(client);
    if (known === undefined && !this.#makeRoom(clients)) return false;
    if (known !== undefined && !isLater(report, known)) return false;
    const wasNews = known !== undefined && this.#news.delete(known);
    clients.set(client, report);
    this.#users.set(user, clients);
    this.#listUntilMs = Math.min(this.#listUntilMs, untilMs);
    const isNews = known === undefined || known.state !== state || known.untilMs <= steadyMs;
    if (isNews) this.#list = undefined;
    return isNews || wasNews;
  }

  /**
   * Makes room for a report of a new client: drops the user's oldest report if the user has too
   * many.
   * @returns false if the user is new, and there are too many users
   */
  #makeRoom(clients: Map<string, PresenceReport>): boolean {
    if (clients.size === 0) return this.#users.size < limits.presentUsers;
    if (clients.size < limits.presentClients) return true;
    const [oldest] = [...clients.values()].sort((a, b) => a.untilMs - b.untilMs);
    if (oldest === undefined) return true;
    clients.delete(oldest.client);
    this.#news.delete(oldest);
    return true;
  }

  #own(): PresenceReport[] {
    const own: PresenceReport[] = [];
    for (const clients of this.#users.values()) {
      for (const report of clients.values()) if (report.server === this.#name) own.push(report);
    }
    return own;
  }

  #forget(steadyMs: number): void {
    for (const [user, clients] of this.#users) {
      for (const [client, report] of clients) {
        if (report.untilMs > steadyMs) continue;
        clients.delete(client);
        this.#news.delete(report);
      }
      if (clients.size === 0) this.#users.delete(user);
    }
  }
}

function* pagesOf(
  reports: readonly PresenceReport[],
  steadyMs: number,
): Generator<HeardPresence[]> {
  for (let from = 0; from < reports.length; from += limits.presenceWords) {
    const page = reports.slice(from, from + limits.presenceWords);
    yield page.map(({ user, client, state, clock, untilMs }) => {
      const ageMs = Math.round(steadyMs - untilMs + durations.presenceSilenceMs);
      return { user, client, state, clock, ageMs };
    });
  }
}

function isFresh(steadyMs: number): (report: PresenceReport) => boolean {
  return ({ untilMs }) => untilMs > steadyMs;
}

function isLater(one: PresenceReport, other: PresenceReport): boolean {
  return one.clock > other.clock || (one.clock === other.clock && one.server > other.server);
}
