import { durations } from "../../src/protocol/limits.ts";
import type { CoreCluster } from "../support/core-cluster.ts";
import { type Wire, wires } from "../support/virtual-network.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import type { Dice } from "./dice.ts";

/** Causes the faults of a run, at random moments. */
export class Faults {
  /**
   * Servers that are out of the view for good: the reference has answered so, or they were removed.
   */
  readonly gone = new Set<VirtualServer>();
  readonly #cluster: CoreCluster;
  readonly #dice: Dice;
  readonly #tell: (text: string) => void;
  readonly #kinds: readonly (() => void)[];
  /** The most servers that a run may have. */
  readonly #mostServers: number;
  #hasRotten = false;
  /**
   * The virtual time until which a reference that lost its file waits for reports of the last view.
   */
  #listensUntilMs = 0;

  constructor(cluster: CoreCluster, dice: Dice, tell: (text: string) => void) {
    this.#cluster = cluster;
    this.#dice = dice;
    this.#tell = tell;
    this.#mostServers = cluster.servers.length + dice.between(0, 4);
    this.#kinds = this.#choose();
  }

  /**
   * Causes the next fault. Does nothing while a reference that lost its file does not yet know the
   * last view.
   */
  strike(): void {
    const { referenceIsUp, registry, highestView } = this.#cluster;
    if (referenceIsUp && registry.view.number < highestView) return;
    this.#dice.pick(this.#kinds)?.();
  }

  /**
   * Chooses some of the faults, each with a random frequency, so that rare combinations occur in
   * some runs.
   */
  #choose(): (() => void)[] {
    const all: readonly (readonly [weight: number, strike: () => void])[] = [
      [3, () => this.#kill()],
      [3, () => this.#powerCut()],
      [2, () => this.#failDisk()],
      [2, () => this.#stop(false)],
      [4, () => this.#stop(true)],
      [4, () => this.#join()],
      [3, () => this.#cutPair()],
      [3, () => this.#isolate()],
      [3, () => this.#cutFromReference()],
      [3, () => this.#loseBroadcast()],
      [2, () => this.#troubleNetwork()],
      [3, () => this.#slowDisk()],
      [1, () => this.#bendClock()],
      [2, () => this.#stopReference()],
      [3, () => this.#save()],
      [2, () => this.#freeze(this.#dice.pick(this.#running))],
      [4, () => this.#strikeCoordinator()],
      [1, () => this.#rot()],
    ];
    const atCoordinator = [
      [4, () => this.#strikeCoordinator()],
      [2, () => this.#raiseRival()],
      [1, () => this.#freeze(this.#dice.pick(this.#running))],
      [1, () => this.#cutPair()],
      [1, () => this.#loseBroadcast()],
      [2, () => this.#troubleNetwork()],
      [1, () => this.#slowDisk()],
    ] satisfies typeof all;
    // Two coordinators exist at once only after many failovers in a row.
    const chosen = this.#dice.chance(0.3)
      ? atCoordinator
      : all.filter(() => this.#dice.chance(0.4));
    const kinds = chosen.flatMap(([weight, strike]) =>
      Array.from({ length: weight * this.#dice.between(1, 3) }, () => strike),
    );
    // Servers that ended must start again; otherwise the run would end without any server.
    const relief = Math.max(4, Math.round(kinds.length / this.#dice.between(2, 5)));
    for (let count = 0; count < relief; count += 1) {
      kinds.push(() => this.#restart());
      if (this.#dice.chance(0.5)) kinds.push(() => this.#heal());
    }
    return kinds;
  }

  get #running(): VirtualServer[] {
    return this.#cluster.servers.filter(({ isRunning }) => isRunning);
  }

  get #down(): VirtualServer[] {
    return this.#cluster.servers.filter((server) => !server.isRunning && !this.gone.has(server));
  }

  #kill(): void {
    const server = this.#dice.pick(this.#running);
    if (server === undefined) return;
    this.#tell(`${server.name} is killed`);
    this.#cluster.kill(server, this.#dice.chance(0.5));
  }

  /** Stops the process (SIGSTOP), and continues it (SIGCONT) after a while. */
  #freeze(server: VirtualServer | undefined): void {
    if (server === undefined || server.frozen !== undefined) return;
    if (this.#cluster.time.nowMs < this.#listensUntilMs) return;
    const ms = this.#dice.pick([20, 200, 1_000, 3_000]) ?? 20;
    this.#tell(`${server.name} is stopped for ${ms} ms`);
    this.#cluster.freeze(server);
    const { life } = server;
    this.#cluster.time.after(ms, () => {
      if (server.life === life) this.#cluster.thaw(server);
    });
  }

  /** Kills or stops the coordinator, or cuts it off from some servers. */
  #strikeCoordinator(): void {
    const server = this.#dice.pick(
      this.#running.filter(({ core }) => core.election.ownEpoch !== undefined),
    );
    if (server === undefined) return;
    const kind = this.#dice.between(1, 4);
    if (kind === 1) return this.#freeze(server);
    if (kind === 2) {
      this.#tell(`${server.name}, coordinator, is killed`);
      return this.#cluster.kill(server, this.#dice.chance(0.5));
    }
    const { servers, network } = this.#cluster;
    const cut = this.#wires();
    const others = servers.filter((other) => other !== server && this.#dice.chance(0.7));
    const names = others.map(({ name }) => name).join(", ");
    this.#tell(`${server.name}, coordinator, is cut off from ${names} (${cut.join(", ")})`);
    for (const other of others) {
      if (kind === 3) network.cut(server.name, other.name, cut);
      else network.cutOneWay(other.name, server.name, cut);
    }
  }

  /**
   * Cuts the broadcasts between the coordinator and a member, which then becomes a candidate. The
   * member's request for a promise still reaches the coordinator, at once or late.
   */
  #raiseRival(): void {
    const { network, registry, time } = this.#cluster;
    const coordinator = this.#running.find(({ core }) => core.election.ownEpoch !== undefined);
    // The rival has the highest rank of the other members, because a member waits for members of
    // higher rank.
    const ranks = new Map(registry.list(time.nowMs).map(({ name, rank }) => [name, rank]));
    const rankOf = (server: VirtualServer) => ranks.get(server.name) ?? 0;
    const [rival] = this.#running
      .filter((server) => server !== coordinator)
      .sort((a, b) => rankOf(b) - rankOf(a));
    if (coordinator === undefined || rival === undefined) return;
    network.cut(coordinator.name, rival.name, ["broadcast"]);
    network.mostDelayMs = this.#dice.pick([20, 150, 600]) ?? 4;
    const late = `all is up to ${network.mostDelayMs} ms late`;
    this.#tell(`${coordinator.name}, coordinator, and ${rival.name} lose sight; ${late}`);
  }

  #powerCut(): void {
    const struck = this.#dice.chance(0.15) ? this.#running : [this.#dice.pick(this.#running)];
    for (const server of struck) {
      if (server === undefined) continue;
      this.#cluster.kill(server, this.#dice.chance(0.5));
      this.#loseUnsynced(server);
    }
  }

  #loseUnsynced(server: VirtualServer): void {
    const { disk } = server;
    const kept = this.#dice.between(0, disk.unsynced);
    this.#tell(
      `${server.name} loses power, and ${disk.unsynced - kept} lines that were not synced`,
    );
    disk.loseUnsynced(kept);
  }

  /** The disk is full or a sync fails: the process ends at once (R2). */
  #failDisk(): void {
    const server = this.#dice.pick(this.#running.filter(({ disk }) => disk.isFlushing));
    if (server === undefined) return;
    this.#tell(`the disk of ${server.name} fails`);
    this.#cluster.kill(server, false);
    if (this.#dice.chance(0.5)) this.#loseUnsynced(server);
  }

  #restart(): void {
    const server = this.#dice.pick(this.#down);
    if (server === undefined) return;
    // Lines that the last process left unsynced may be lost only now, when the next process starts.
    if (server.disk.unsynced > 0 && this.#dice.chance(0.3)) this.#loseUnsynced(server);
    this.#tell(`${server.name} starts`);
    this.#cluster.start(server);
  }

  #stop(leave: boolean): void {
    const server = this.#dice.pick(this.#running);
    if (server === undefined) return;
    this.#tell(`${server.name} is told to ${leave ? "leave" : "stop"}`);
    this.#cluster.stop(server, { leave });
  }

  #join(): void {
    if (this.#cluster.servers.length >= this.#mostServers) {
      const back = this.#dice.pick([...this.gone].filter(({ isRunning }) => !isRunning));
      if (back === undefined || this.#dice.chance(0.5)) return;
      this.#tell(`${back.name}, which had left, returns`);
      this.gone.delete(back);
      return this.#cluster.start(back);
    }
    this.#tell(`${this.#cluster.addServer().name} is new`);
  }

  #wires(): readonly Wire[] {
    return this.#dice.chance(0.5) ? wires : wires.filter(() => this.#dice.chance(0.5));
  }

  #cutPair(): void {
    const { servers, network } = this.#cluster;
    const [a, b] = [this.#dice.pick(servers), this.#dice.pick(servers)];
    if (a === undefined || b === undefined || a === b) return;
    const cut = this.#wires();
    const isOneWay = this.#dice.chance(0.5);
    this.#tell(`cut ${a.name} ${isOneWay ? "→" : "↔"} ${b.name} (${cut.join(", ")})`);
    if (isOneWay) network.cutOneWay(a.name, b.name, cut);
    else network.cut(a.name, b.name, cut);
  }

  #isolate(): void {
    const { servers, network } = this.#cluster;
    const side = servers.filter(() => this.#dice.chance(0.4));
    const cut = this.#wires();
    this.#tell(`cut off ${side.map(({ name }) => name).join(", ")} (${cut.join(", ")})`);
    for (const a of side) {
      for (const b of servers) if (!side.includes(b)) network.cut(a.name, b.name, cut);
      if (this.#dice.chance(0.5)) network.cut(a.name, "reference");
    }
  }

  #cutFromReference(): void {
    const server = this.#dice.pick(this.#cluster.servers);
    if (server === undefined) return;
    const [from, to] = this.#dice.chance(0.5)
      ? [server.name, "reference"]
      : ["reference", server.name];
    this.#tell(`cut ${from} → ${to}`);
    this.#cluster.network.cutOneWay(from, to);
  }

  #loseBroadcast(): void {
    const share = this.#dice.pick([0.1, 0.5, 1, 1]) ?? 1;
    this.#tell(`of broadcasts ${share} get lost`);
    this.#cluster.network.broadcastLoss = share;
  }

  #troubleNetwork(): void {
    const { network } = this.#cluster;
    network.loss = this.#dice.pick([0, 0, 0.02, 0.2]) ?? 0;
    network.duplication = this.#dice.pick([0, 0.1, 0.5]) ?? 0;
    network.reordering = this.#dice.pick([0, 0.2, 1]) ?? 0;
    network.mostDelayMs = this.#dice.pick([4, 20, 150, 600]) ?? 4;
    const { loss, duplication, reordering, mostDelayMs } = network;
    this.#tell(
      `loss ${loss}, twice ${duplication}, reordered ${reordering}, late ${mostDelayMs} ms`,
    );
  }

  #slowDisk(): void {
    const server = this.#dice.pick(this.#cluster.servers);
    if (server === undefined) return;
    server.syncMs = this.#dice.pick([1, 20, 200, 900, 2_500]) ?? 1;
    this.#tell(`a sync of ${server.name} takes ${server.syncMs} ms`);
  }

  #bendClock(): void {
    const server = this.#dice.pick(this.#cluster.servers);
    if (server === undefined) return;
    server.skewMs = this.#dice.between(-1_000, 1_000);
    server.driftMs = this.#dice.between(-2, 2) / 10;
    this.#tell(`the clock of ${server.name} is ${server.skewMs} ms off`);
  }

  /**
   * Stops the reference, which may lose its file. The last view must then reach it from a server
   * that knows the view.
   */
  #stopReference(): void {
    if (!this.#cluster.referenceIsUp) return this.#startReference(false);
    this.#tell("the reference is down");
    this.#cluster.stopReference();
    const [share, mostMs] = this.#isViewOnItsWay ? [0.8, 300] : [0.2, 5_000];
    const lostFile = this.#dice.chance(share);
    this.#cluster.time.after(this.#dice.between(1, mostMs), () => {
      if (!this.#cluster.referenceIsUp) this.#startReference(lostFile);
    });
  }

  /** Whether the last view has reached some of the running servers, and not all. */
  get #isViewOnItsWay(): boolean {
    const adopters = this.#running.filter(({ disk }) => {
      return disk.view.number === this.#cluster.highestView;
    });
    return adopters.length > 0 && adopters.length < this.#running.length;
  }

  #startReference(lostFile: boolean): void {
    const { network, highestView } = this.#cluster;
    // The guarantee requires that a server that knows the last view is up, and stays up.
    const knowsView = this.#running.some(({ disk, core, frozen }) => {
      const staysUp = frozen === undefined && !core.catchUp.isStopping;
      return disk.view.number === highestView && staysUp;
    });
    const lost = lostFile && knowsView && this.#running.every(({ missesEvents }) => !missesEvents);
    this.#tell(`the reference starts${lost ? ", its file lost" : ""}`);
    if (lost) {
      this.#listensUntilMs = this.#cluster.time.nowMs + durations.firstViewMs;
      network.calm();
      for (const server of this.#cluster.servers) server.syncMs = Math.min(server.syncMs, 200);
    }
    this.#cluster.startReference({ lostFile: lost });
  }

  #heal(): void {
    this.#tell("the network heals");
    this.#cluster.network.calm();
  }

  #save(): void {
    const server = this.#dice.pick(this.#running);
    if (server === undefined || server.isSaving) return;
    this.#tell(`${server.name} saves its state`);
    const linesAtOnce = this.#dice.pick([1, 3, 50]) ?? 1;
    this.#cluster.save(server, { linesAtOnce, kept: this.#dice.pick([0, 0, 20]) ?? 0 });
  }

  /**
   * Damages a disk, at most once in a run: damage to several disks may be more than the guarantee
   * covers.
   */
  #rot(): void {
    const server = this.#dice.pick(this.#down.filter(({ disk }) => disk.view.members.length > 1));
    if (server === undefined || this.#hasRotten) return;
    this.#hasRotten = true;
    const { disk } = server;
    disk.loseUnsynced(0);
    const { length } = disk.journal;
    const at = length > 0 && this.#dice.chance(0.7) ? this.#dice.between(0, length - 1) : undefined;
    this.#tell(`${at === undefined ? "the saved state" : `line ${at}`} of ${server.name} rots`);
    disk.rot(at);
  }
}
