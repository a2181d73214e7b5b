import { writeEpoch } from "../../src/protocol/epoch.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import type { ReplicaSummary } from "../../src/protocol/peer-messages.ts";
import { covers, emptyVector, servers, type Vector } from "../../src/protocol/vector.ts";
import { noView, quorumOf, type View } from "../../src/protocol/view.ts";
import type { Effect } from "../../src/server/core/effects.ts";
import { assertPromise, holds, PromiseChecks } from "../support/check-promises.ts";
import { type CoreCluster, checkpointText } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import { Frontier } from "./frontier.ts";
import { LogModel } from "./log-model.ts";

interface Watched {
  /** The highest clock among the events that the server holds. */
  highestClock: number;
  lastTimestamp: number;
}

/**
 * A server may make events of these operations in any step. Peers return such events to it only
 * after rot.
 */
const ownOperations = { coordinator: true, decision: true, settled: true };

/** Checks the guarantees after every step that can break them. */
export class SimulationChecks extends PromiseChecks {
  /** The highest view that the reference ever saved. */
  view: View = noView;
  readonly frontier = new Frontier();
  readonly log = new LogModel();
  readonly #coordinators = new Map<string, ServerName>();
  readonly #watched = new Map<ServerName, Watched>();
  /**
   * The events that were committed when the present view was made. Rule (b) of R5 protects only
   * these.
   */
  #before: Vector = emptyVector;
  /**
   * Servers whose last report to the reference had no durable vector, because their disk lacks
   * events.
   */
  readonly #mute = new Set<ServerName>();
  readonly #tell: (text: string) => void;

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
    this.log.watch(server);
    this.#watched.set(name, { highestClock, lastTimestamp: heldTimes[name] ?? 0 });
  }

  override onEffect(cluster: CoreCluster, server: VirtualServer, effect: Effect): void {
    super.onEffect(cluster, server, effect);
    if (effect.type === "append") this.#checkOrder(server, effect);
    if (effect.type === "broadcast") this.#checkTerm(server, effect.message);
    if (effect.type !== "log") return;
    this.#tell(`${server.name} ${effect.level}: ${effect.text}`);
    // In a simulation nobody forges messages, so each logged error is a fault of the product.
    assertPromise(effect.level !== "error", "J5", `${server.name} finds: ${effect.text}`);
  }

  override onStep(cluster: CoreCluster, server: VirtualServer): void {
    super.onStep(cluster, server);
    this.log.onStep(server);
    if (this.#rose) this.checkHolders(cluster, `${server.name} counts it as committed`);
    this.#rose = false;
  }

  protected override onCommitted(counting: VirtualServer, origin: ServerName, seq: number): void {
    const views = [counting.core.replication.view, this.view];
    if (this.frontier.rise(origin, seq, views)) this.#rose = true;
  }

  override onView(cluster: CoreCluster, view: View): void {
    if (view.number === this.view.number) this.#checkSame(view);
    if (view.number <= this.view.number) return;
    this.frontier.onView(this.view, view);
    this.view = view;
    this.#tell(`the reference makes view ${view.number}: ${view.members.join(", ")}`);
    const when = `view ${view.number} is made`;
    this.checkHolders(cluster, when);
    // A mute server counts toward no quorum, so the other members must hold what was committed when
    // the previous view was made (J5).
    const heard = cluster.servers.filter(({ name }) => !this.#mute.has(name));
    this.#checkEnough(heard, this.#before, `${when}, the mute apart`);
    this.#before = { ...this.frontier.vector };
  }

  override onReport(server: ServerName, isMute: boolean): void {
    if (isMute) this.#mute.add(server);
    else this.#mute.delete(server);
  }

  /** Two views must never have the same number, even if the reference lost its file. */
  #checkSame({ number, members }: View): void {
    const isSame = members.join() === this.view.members.join();
    const text = `there are two views ${number}: ${this.view.members.join(", ")}`;
    assertPromise(isSame, "R5", `${text}; and ${members.join(", ")}`);
  }

  /**
   * Every quorum of the present view must have a disk with each acknowledged event (R5). Rules (a)
   * and (b) make this true from the first moment of a view.
   */
  checkHolders({ servers: all }: CoreCluster, when: string): void {
    this.#checkEnough(all, this.frontier.vector, when);
  }

  #checkEnough(among: readonly VirtualServer[], vector: Vector, when: string): void {
    const { members, number } = this.view;
    if (members.length === 0) return;
    const needed = members.length - quorumOf(this.view) + 1;
    for (const origin of servers(vector)) {
      const seq = vector[origin] ?? 0;
      const holders = among.filter((one) => members.includes(one.name) && holds(one, origin, seq));
      const text = `${when}: ${origin}/${seq} is on ${holders.length} of the ${members.length} disks`;
      assertPromise(holders.length >= needed, "R5", `${text} of view ${number}, not ${needed}`);
    }
  }

  /**
   * Records a disk that is lost for good. Its server stays a member until it is removed from the
   * view.
   */
  onDestroyed({ servers: all }: CoreCluster, lost: VirtualServer): void {
    const members = this.view.members.filter((name) => name !== lost.name);
    const rest = all.filter(({ name }) => members.includes(name));
    const needed = members.length - quorumOf({ number: 0, members }) + 1;
    this.frontier.onDestroyed(lost.name, (origin, seq) => {
      return rest.filter((member) => holds(member, origin, seq)).length >= needed;
    });
  }

  /**
   * When a server may leave, a majority of the other members must have adopted the view and hold
   * all committed events.
   */
  override onLeave({ servers: all }: CoreCluster): void {
    const members = all.filter(({ name }) => this.view.members.includes(name));
    const quorum = quorumOf(this.view);
    const adopters = members.filter(({ disk }) => disk.view.number >= this.view.number);
    const text = `a server may go although view ${this.view.number}`;
    assertPromise(adopters.length >= quorum, "R11", `${text} was adopted by ${adopters.length}`);
    const { vector } = this.frontier;
    for (const origin of servers(vector)) {
      const seq = vector[origin] ?? 0;
      const holders = members.filter((member) => holds(member, origin, seq)).length;
      assertPromise(holders >= quorum, "R11", `${text} has ${origin}/${seq} on ${holders} disks`);
    }
  }

  /** An epoch must have one coordinator only (R10). */
  #checkTerm({ name }: VirtualServer, { office }: ReplicaSummary): void {
    if (office === undefined) return;
    const epoch = writeEpoch(office);
    const known = this.#coordinators.get(epoch) ?? name;
    assertPromise(known === name, "R10", `${known} and ${name} are coordinators of epoch ${epoch}`);
    this.#coordinators.set(epoch, name);
  }

  /** Replicas with equal vectors must have equal states. */
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

  /**
   * A new event must have a higher clock than all events that its server held. Its time must not be
   * before the time of the server's last event (R7, E5).
   */
  #checkOrder(
    { name, handling, missesEvents }: VirtualServer,
    { lines }: Effect & { type: "append" },
  ): void {
    const watched = this.#watched.get(name);
    if (watched === undefined) return;
    for (const { event } of lines) {
      // After rot, the server's own events may also come back from a peer.
      const isOwn = event.server === name && event.operation in ownOperations && !missesEvents;
      if (handling === "requests" || isOwn) {
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
