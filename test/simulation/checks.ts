import type { ServerName } from "../../src/protocol/ids.ts";
import { noView, quorumOf, type View } from "../../src/protocol/messages.ts";
import { covers, type MutableVector, servers } from "../../src/protocol/vector.ts";
import type { Effect } from "../../src/server/core/effects.ts";
import { assertPromise, holds, PromiseChecks } from "../support/check-promises.ts";
import { type CoreCluster, checkpointText } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";

interface Watched {
  /** The highest clock among the events that it holds. */
  highestClock: number;
  lastTimestamp: number;
}

/** More disks were lost than the promise covers: nothing can be asked of the rest of the run. */
export class BeyondPromise extends Error {}

/** The promises, looked at after every step that can break them. */
export class SimulationChecks extends PromiseChecks {
  /** The highest view that the reference ever saved. */
  view: View = noView;
  /** Per server, the highest event that any server counted as committed: it may not be lost. */
  readonly frontier: MutableVector = {};
  readonly #watched = new Map<ServerName, Watched>();
  readonly #tell: (text: string) => void;

  /** Whose disks are lost for good. */
  readonly destroyed = new Set<ServerName>();
  readonly #views: View[] = [];
  /** In which view events were first counted as committed: per server, by rising `seq`. */
  readonly #acknowledged = new Map<ServerName, { readonly seq: number; readonly view: number }[]>();
  /** Whether the frontier rose in this step. */
  #rose = false;

  constructor(tell: (text: string) => void) {
    super();
    this.#tell = tell;
  }

  override onStart(cluster: CoreCluster, server: VirtualServer): void {
    super.onStart(cluster, server);
    const { name, core, disk } = server;
    const { held, heldTimes, highestClock } = core.ledger;
    assertPromise(covers(held, disk.durable), "R1", `${name} began without what it had synced`);
    this.#watched.set(name, { highestClock, lastTimestamp: heldTimes[name] ?? 0 });
  }

  override onEffect(cluster: CoreCluster, server: VirtualServer, effect: Effect): void {
    super.onEffect(cluster, server, effect);
    if (effect.type === "append") this.#checkOrder(server, effect);
    if (effect.type === "log") this.#tell(`${server.name} ${effect.level}: ${effect.text}`);
  }

  override onStep(cluster: CoreCluster, server: VirtualServer): void {
    super.onStep(cluster, server);
    if (this.#rose) this.checkHolders(cluster, `${server.name} counts it as committed`);
    this.#rose = false;
  }

  protected override onCommitted(origin: ServerName, seq: number, view: number): void {
    if (seq <= (this.frontier[origin] ?? 0)) return;
    this.frontier[origin] = seq;
    const acknowledged = this.#acknowledged.get(origin) ?? [];
    this.#acknowledged.set(origin, [...acknowledged, { seq, view }]);
    this.#rose = true;
  }

  override onView(cluster: CoreCluster, view: View): void {
    if (view.number <= this.view.number) return;
    this.view = view;
    this.#views.push(view);
    this.#tell(`the reference makes view ${view.number}: ${view.members.join(", ")}`);
    this.checkHolders(cluster, `view ${view.number} is made`);
  }

  /**
   * What is acknowledged is on so many disks of the present view that every quorum of it has one
   * (R5). For a view that follows by rules (a) and (b) this is so from its first moment.
   */
  checkHolders({ servers: all }: CoreCluster, when: string): void {
    const { members, number } = this.view;
    if (members.length === 0) return;
    const needed = members.length - quorumOf(this.view) + 1;
    for (const origin of servers(this.frontier)) {
      const seq = this.frontier[origin] ?? 0;
      const holders = all.filter((one) => members.includes(one.name) && holds(one, origin, seq));
      if (holders.length < needed && this.#isBeyondPromise(all, origin)) throw new BeyondPromise();
      const text = `${when}: ${origin}/${seq} is on ${holders.length} of the ${members.length} disks`;
      assertPromise(holders.length >= needed, "R5", `${text} of view ${number}, not ${needed}`);
    }
  }

  /**
   * Whether so many disks are gone as the smallest quorum was since the first of the lost events was
   * acknowledged; those of members that left count (R5).
   */
  #isBeyondPromise(all: readonly VirtualServer[], origin: ServerName): boolean {
    if (this.destroyed.size === 0) return false;
    const present = all.filter(({ name }) => this.view.members.includes(name));
    const kept = present.filter(({ name }) => !this.destroyed.has(name));
    const most = Math.max(0, ...kept.map(({ disk }) => disk.durable[origin] ?? 0));
    const lost = this.#acknowledged.get(origin)?.find(({ seq }) => seq > most);
    const since = this.#views.filter(({ number }) => number >= (lost?.view ?? 0));
    const ever = new Set(since.flatMap(({ members }) => members));
    return ever.size - kept.length >= Math.min(...since.map(quorumOf));
  }

  /** Who leaves leaves nothing behind: a majority without it has adopted the view, and has it all. */
  override onLeave({ servers: all }: CoreCluster): void {
    const members = all.filter(({ name }) => this.view.members.includes(name));
    const quorum = quorumOf(this.view);
    const adopters = members.filter(({ disk }) => disk.view.number >= this.view.number);
    const text = `a server may go although view ${this.view.number}`;
    assertPromise(adopters.length >= quorum, "R11", `${text} was adopted by ${adopters.length}`);
    for (const origin of servers(this.frontier)) {
      const seq = this.frontier[origin] ?? 0;
      const holders = members.filter((member) => holds(member, origin, seq)).length;
      assertPromise(holders >= quorum, "R11", `${text} has ${origin}/${seq} on ${holders} disks`);
    }
  }

  /** Replicas that hold the same are the same. */
  checkEqual({ servers: all }: CoreCluster): void {
    const byVector = new Map<string, { name: ServerName; text: string }>();
    for (const server of all) {
      if (!server.isRunning) continue;
      const { vector } = server.core.mark;
      const key = JSON.stringify(vector);
      const text = checkpointText(server);
      const other = byVector.get(key);
      if (other === undefined) byVector.set(key, { name: server.name, text });
      else assertPromise(other.text === text, "R4", `${other.name} and ${server.name} differ`);
    }
  }

  /** An event has a higher clock than all that its maker had seen, and no earlier time (R7). */
  #checkOrder({ name, handling }: VirtualServer, { lines }: Effect & { type: "append" }): void {
    const watched = this.#watched.get(name);
    if (watched === undefined) return;
    for (const { event } of lines) {
      // Its own may also come back from a peer, after rot.
      if (handling === "requests") {
        const isLater = event.clock > watched.highestClock;
        assertPromise(isLater, "R7", `${name}/${event.seq} has a clock below what it followed`);
        const isNoEarlier = event.timestamp >= watched.lastTimestamp;
        assertPromise(isNoEarlier, "E5", `the time of ${name} ran backwards at ${event.seq}`);
        watched.lastTimestamp = event.timestamp;
      }
      watched.highestClock = Math.max(watched.highestClock, event.clock);
    }
  }
}
