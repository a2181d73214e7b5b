import { ProtocolError } from "../../protocol/errors.ts";
import type { ServerName } from "../../protocol/ids.ts";
import { ClockAllowance } from "../../protocol/lamport-clock.ts";
import { durations, limits } from "../../protocol/limits.ts";
import type {
  HeartbeatReport,
  Listed,
  Role,
  SelfReport,
} from "../../protocol/reference-messages.ts";
import { covers, emptyVector, join, type Vector } from "../../protocol/vector.ts";
import { noView, quorumOf, type View } from "../../protocol/view.ts";

/** The state that the reference saves, so that it survives a restart. */
export interface Saved {
  readonly ranks: Readonly<Record<string, number>>;
  readonly view: View;
}

interface Process extends SelfReport {
  readonly name: string;
  address: string;
  role: Role;
  clock: number;
  pid: number | undefined;
  heardMs: number;
  /**
   * Whether the process has proven its name (X1). A process without proof is a guest, which is only
   * listed.
   */
  isKnown: boolean;
  guestServers: boolean | undefined;
  /** Whether the process has reported its role; processes of the original protocol do not. */
  hasRole: boolean;
}

/** The sender of a report: a member of the cluster if `isKnown`, else a guest. */
interface Speaker {
  readonly isKnown: boolean;
  readonly clock: number;
}

/** A server's report of its view and its durable vector, both read at the same instant. */
interface ServerReport {
  readonly view: number;
  readonly durable: Vector;
  readonly ready: boolean;
  /** The durable vector from the server's first report that named the present view. */
  readonly adopted: { readonly view: number; readonly durable: Vector } | undefined;
}

/**
 * Keeps the ranks, the list of live processes, and the view. The view changes by one member at a
 * time. So every quorum of a view shares a member with every quorum of the next view. The next
 * change waits until the change before can lose no acknowledged event. For this, two rules must
 * hold: (a) a majority of the present members has adopted the present view, and (b) each server of
 * this majority has on disk all events that any live adopter had on disk when that adopter adopted
 * the view. Each change must be on disk before an answer contains it (`takeChanged`).
 */
export class Registry {
  readonly #ranks: Map<string, number>;
  readonly #processes = new Map<string, Process>();
  readonly #reports = new Map<string, ServerReport>();
  readonly #leaving = new Set<ServerName>();
  readonly #clockAllowance = new ClockAllowance();
  #highestRank: number;
  #view: View;
  #changed = false;
  /** Whether a server with an engine was heard. */
  #knowsEngine = false;
  /** The number of requests of guests whose clock was too far ahead. */
  disbelievedClocks = 0;
  /**
   * Steady time until which the reference makes no view, and only adopts higher views that servers
   * report. The reference's file may be lost or old, so servers may have a view that the file does
   * not show. A view made before these servers report could get the same number.
   */
  readonly #listensUntil: number;

  constructor(saved: Saved | undefined, steadyMs: number) {
    this.#ranks = new Map(Object.entries(saved?.ranks ?? {}));
    this.#highestRank = [...this.#ranks.values()].reduce((a, b) => Math.max(a, b), 0);
    this.#view = saved?.view ?? noView;
    this.#listensUntil = steadyMs + durations.firstViewMs;
  }

  get view(): View {
    return this.#view;
  }

  get saved(): Saved {
    return { ranks: Object.fromEntries(this.#ranks), view: this.#view };
  }

  /**
   * Returns whether ranks or view have changed since the last call. Then they must be saved before
   * an answer shows them.
   */
  takeChanged(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  /** Returns a guest's clock, or 0 if that clock is too far ahead (W4). */
  believed(clock: number, own: number, steadyMs: number): number {
    if (this.#clockAllowance.believes(clock, own, steadyMs)) return clock;
    this.disbelievedClocks += 1;
    return 0;
  }

  /**
   * Returns whether there is no view yet, because the reference still waits for servers to report
   * one, or because servers have an engine: replicas would be another cluster beside theirs, also if
   * they began while these servers are down (K11).
   */
  isWaiting(steadyMs: number): boolean {
    if (this.#view.number > 0) return false;
    return this.#isListening(steadyMs) || this.#knowsEngine;
  }

  /**
   * Returns the rank of a name. A name always gets the same rank, and no two names share a rank.
   * @throws ProtocolError if there are too many names
   */
  rank(
    report: Pick<HeartbeatReport, "user" | "address">,
    speaker: Speaker,
    steadyMs: number,
  ): number {
    const { user: name } = report;
    this.#hear(report, speaker, steadyMs);
    const known = this.#ranks.get(name);
    if (known !== undefined) return known;
    const most = mostFor(speaker.isKnown, limits.ranks);
    if (this.#ranks.size >= most) {
      throw new ProtocolError("unavailable", `There are ${most} ranks, and no more.`);
    }
    const rank = this.#highestRank + 1;
    this.#ranks.set(name, rank);
    this.#highestRank = rank;
    this.#changed = true;
    return rank;
  }

  list(steadyMs: number): Listed[] {
    return [...this.#processes.values()]
      .filter(({ heardMs, isKnown, hasRole }) => {
        const { aliveMs, originalAliveMs } = durations;
        return steadyMs - heardMs <= (isKnown || hasRole ? aliveMs : originalAliveMs);
      })
      .map(({ heardMs: _heard, hasRole: _has, ...process }) => {
        return { ...process, rank: this.#ranks.get(process.name) ?? 0 };
      })
      .sort((a, b) => (a.role + a.name < b.role + b.name ? -1 : 1));
  }

  heartbeat(report: HeartbeatReport, speaker: Speaker, steadyMs: number): void {
    this.#hear(report, speaker, steadyMs);
    const { user, view, durable, ready = false } = report;
    if (view === undefined || !speaker.isKnown) return;
    // A server that reports `ready` does not want to leave, even if it has asked to leave before.
    if (ready) this.#leaving.delete(user as ServerName);
    // The reference's file is lost or old, so the reference adopts the higher view.
    if (view.number > this.#view.number) this.#setView(view);
    // A server that reports no `durable` is still reading its disk, or has lost events. The server
    // still reports its view, so that no other view gets the same number. The server's earlier
    // durable vectors no longer count (rule (b)).
    if (durable === undefined) {
      this.#reports.delete(user);
      return;
    }
    const before = this.#reports.get(user)?.adopted;
    const adopted =
      view.number !== this.#view.number
        ? undefined
        : before?.view === view.number
          ? before
          : { view: view.number, durable };
    this.#reports.set(user, { view: view.number, durable, ready, adopted });
    this.advance(steadyMs);
  }

  /**
   * Removes a server from the view as soon as possible.
   * @returns whether the present view is without the server, and rules (a) and (b) hold for this
   * view
   */
  leave(name: ServerName, steadyMs: number): boolean {
    if (this.#view.members.includes(name)) this.#leaving.add(name);
    this.advance(steadyMs);
    return !this.#view.members.includes(name) && this.#isSettled(steadyMs);
  }

  /**
   * Removes from the view a member that is down.
   * @throws ProtocolError if the member must not be removed now
   */
  remove(name: ServerName, force: boolean, steadyMs: number): View {
    const { members, number } = this.#view;
    if (!members.includes(name)) {
      throw new ProtocolError("bad_request", `${name} is not a member of view ${number}.`);
    }
    if (members.length === 1) {
      throw new ProtocolError("forbidden", `${name} is the last member, which never leaves.`);
    }
    if (this.#isAlive(name, steadyMs)) {
      throw new ProtocolError("forbidden", `${name} is alive: stop it first.`);
    }
    if (this.#isListening(steadyMs)) {
      throw new ProtocolError(
        "unavailable",
        "The reference has only just started and may lack a view: try again in two seconds.",
      );
    }
    if (!force && !(this.#isSettled(steadyMs) && this.#canSpare(name, steadyMs))) {
      throw new ProtocolError(
        "unavailable",
        "A majority of the members that remain must be up and agreed on the present view; " +
          "if the server is gone for good, use --force, which may lose messages that only it had.",
      );
    }
    this.#replaceMembers(members.filter((member) => member !== name));
    return this.#view;
  }

  /** Makes the next change of the view, if a change is needed and rules (a) and (b) allow it. */
  advance(steadyMs: number): void {
    this.#forget(steadyMs);
    if (this.#view.members.length === 0) return this.#makeFirstView(steadyMs);
    if (!this.#isSettled(steadyMs)) return;
    const { members } = this.#view;
    for (const name of this.#leaving) {
      if (!members.includes(name)) {
        this.#leaving.delete(name);
      } else if (members.length > 1 && this.#canSpare(name, steadyMs)) {
        return this.#replaceMembers(members.filter((member) => member !== name));
      }
    }
    const [next] = this.#ready(steadyMs).filter((name) => !members.includes(name));
    if (next !== undefined) this.#replaceMembers([...members, next].sort());
  }

  #isListening(steadyMs: number): boolean {
    return steadyMs < this.#listensUntil;
  }

  #makeFirstView(steadyMs: number): void {
    if (this.isWaiting(steadyMs)) return;
    const [first] = this.#ready(steadyMs);
    if (first !== undefined) this.#replaceMembers([first]);
  }

  /**
   * Returns the servers that may become members, the lowest rank first. Such a server is alive, and
   * has caught up with the members of the present view.
   */
  #ready(steadyMs: number): ServerName[] {
    return [...this.#reports]
      .filter(([name, { ready, view }]) => {
        return ready && view === this.#view.number && this.#isAlive(name, steadyMs);
      })
      .map(([name]) => name as ServerName)
      .sort((a, b) => (this.#ranks.get(a) ?? 0) - (this.#ranks.get(b) ?? 0));
  }

  /**
   * Returns whether rules (a) and (b) hold, by the reports of live members that have adopted the
   * view.
   */
  #isSettled(steadyMs: number): boolean {
    if (this.#isListening(steadyMs)) return false;
    const { members, number } = this.#view;
    const adopters = members.flatMap((member) => {
      const report = this.#reports.get(member);
      const adopted = report?.adopted?.view === number ? report.adopted : undefined;
      if (report === undefined || adopted === undefined) return [];
      return this.#isAlive(member, steadyMs) ? [{ adopted, durable: report.durable }] : [];
    });
    const needed = adopters.reduce<Vector>(
      (sum, { adopted }) => join(sum, adopted.durable),
      emptyVector,
    );
    const complete = adopters.filter(({ durable }) => covers(durable, needed));
    return complete.length >= quorumOf(this.#view);
  }

  /** Returns whether a majority of the members other than `name` is alive. */
  #canSpare(name: ServerName, steadyMs: number): boolean {
    const rest = this.#view.members.filter((member) => member !== name);
    const alive = rest.filter((member) => this.#isAlive(member, steadyMs));
    return alive.length > rest.length / 2;
  }

  #isAlive(name: string, steadyMs: number): boolean {
    const { heardMs, isKnown } = this.#processes.get(name) ?? {};
    return isKnown === true && steadyMs - (heardMs ?? 0) <= durations.aliveMs;
  }

  #replaceMembers(members: readonly ServerName[]): void {
    this.#setView({ number: this.#view.number + 1, members });
  }

  #setView(view: View): void {
    this.#view = view;
    this.#changed = true;
  }

  /**
   * Forgets processes that were silent for `forgetMs`. Keeps their ranks, and the last report of
   * each member.
   */
  #forget(steadyMs: number): void {
    for (const { name, heardMs } of this.#processes.values()) {
      if (steadyMs - heardMs <= durations.forgetMs) continue;
      this.#processes.delete(name);
      if (!this.#view.members.includes(name as ServerName)) this.#reports.delete(name);
    }
  }

  #hear(report: HeartbeatReport, { clock, isKnown }: Speaker, steadyMs: number): void {
    const present = this.#processes.get(report.user);
    // A guest must not report under a member's name, and a member must not inherit a guest's
    // fields.
    if (present?.isKnown && !isKnown) return;
    const known = present?.isKnown === isKnown ? present : undefined;
    // Of a guest, only the version is kept.
    const told: SelfReport = isKnown ? report : {};
    this.#knowsEngine ||= told.hasEngine === true;
    const most = mostFor(isKnown, limits.processes);
    if (present === undefined && this.#processes.size >= most) {
      throw new ProtocolError("unavailable", `There are ${most} processes listed.`);
    }
    this.#processes.set(report.user, {
      name: report.user,
      address: report.address ?? known?.address ?? "",
      role: report.role ?? known?.role ?? "server",
      pid: report.pid ?? known?.pid,
      guestServers: report.guestServers || undefined,
      hasRole: report.role !== undefined || known?.hasRole === true,
      version: report.version ?? known?.version,
      secrets: told.secrets ?? known?.secrets,
      refused: told.refused ?? known?.refused,
      disbelievedClocks: told.disbelievedClocks ?? known?.disbelievedClocks,
      disk: told.disk ?? known?.disk,
      decisionFaults: told.decisionFaults ?? known?.decisionFaults,
      hasEngine: told.hasEngine ?? known?.hasEngine,
      clock,
      heardMs: steadyMs,
      isKnown,
    });
  }
}

/**
 * Returns `most` for a member, and half of `most` for a guest, so that guests always leave room for
 * members.
 */
function mostFor(isKnown: boolean, most: number): number {
  return isKnown ? most : most / 2;
}
