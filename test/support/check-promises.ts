import { compareEpochs } from "../../src/protocol/epoch.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import type { CoordinationAnswer } from "../../src/protocol/peer-messages.ts";
import type { Publication } from "../../src/protocol/publications.ts";
import { covers, type MutableVector, servers, type Vector } from "../../src/protocol/vector.ts";
import { quorumOf, type View } from "../../src/protocol/view.ts";
import type { Effect } from "../../src/server/core/effects.ts";
import { eventNamedBy } from "../../src/storage/journal-file.ts";
import type { CoreCluster } from "./core-cluster.ts";
import type { VirtualServer } from "./virtual-server.ts";

/** Checks that run during a test of a virtual cluster. */
export interface ClusterChecks {
  /** Called when a process starts, after its core has loaded everything on disk. */
  onStart(cluster: CoreCluster, server: VirtualServer): void;
  /** Called before the effect is performed. */
  onEffect(cluster: CoreCluster, server: VirtualServer, effect: Effect): void;
  /** Called after all effects of a step. */
  onStep(cluster: CoreCluster, server: VirtualServer): void;
  /** Called when the reference has saved a view. */
  onView(cluster: CoreCluster, view: View): void;
  /**
   * Called when a server's heartbeat reaches the reference. `isMute`: the heartbeat has no durable
   * vector.
   */
  onReport(server: ServerName, isMute: boolean): void;
  /** Called when the reference answers a server that it is out of the view for good. */
  onLeave(cluster: CoreCluster): void;
}

export class BrokenPromise extends Error {
  override readonly name = "BrokenPromise";

  constructor(rule: string, text: string) {
    super(`[${rule}] ${text}`);
  }
}

export function assertPromise(holds: boolean, rule: string, text: string): asserts holds {
  if (!holds) throw new BrokenPromise(rule, text);
}

/**
 * Compares everything that a server is about to send with the disks. Every test that uses a virtual
 * cluster runs these checks too.
 */
export class PromiseChecks implements ClusterChecks {
  /** For each server, the vector that it was last seen to count as committed. */
  readonly #committed = new Map<ServerName, MutableVector>();

  onStart(_cluster: CoreCluster, { name }: VirtualServer): void {
    this.#committed.set(name, {});
  }

  /**
   * Every event that a server newly counts as committed must be on the disks of a quorum of its
   * view (R3).
   */
  onStep(cluster: CoreCluster, server: VirtualServer): void {
    const before = this.#committed.get(server.name) ?? {};
    const { committed } = server.core.replication;
    for (const origin of servers(committed)) {
      const seq = committed[origin] ?? 0;
      if (seq === before[origin]) continue;
      before[origin] = seq;
      checkQuorum(cluster, server, { server: origin, seq });
      this.onCommitted(server, origin, seq);
    }
  }

  protected onCommitted(_counting: VirtualServer, _origin: ServerName, _seq: number): void {}

  onView(_cluster: CoreCluster, _view: View): void {}

  onReport(_server: ServerName, _isMute: boolean): void {}

  onLeave(_cluster: CoreCluster): void {}

  onEffect(_cluster: CoreCluster, server: VirtualServer, effect: Effect): void {
    switch (effect.type) {
      case "broadcast":
        checkRepaired(server);
        if (effect.message.type === "events") checkLines(server, effect.message.lines);
        return checkDurable(server, effect.message);
      case "ack":
        checkRepaired(server);
        return checkDurable(server, effect.summary);
      case "askSync":
        return checkDurable(server, effect.request);
      case "askPeer":
        return checkDurable(server, effect.request);
      case "answerPeer":
        checkRepaired(server);
        checkPromise(server, effect.answer);
        return checkDurable(server, effect.answer);
      case "answerSync":
        checkRepaired(server);
        return checkDurable(server, effect.summary);
      case "heartbeat": {
        const { view = { number: 0 }, durable } = effect.report;
        if (durable !== undefined) checkRepaired(server);
        return checkDurable(server, { view, durable: durable ?? {} });
      }
      case "reply":
        for (const { data } of effect.replies) {
          const entry = data.entry as { server: ServerName; seq: number } | undefined;
          if (data.status === "erro" || entry === undefined) continue;
          checkCommitted(server, entry, "R3");
        }
        return;
      case "publish":
        if (!Array.isArray(effect.payload)) return;
        for (const publication of effect.payload as Publication[]) {
          checkCommitted(server, publication, "P5");
        }
        return;
      default:
    }
  }
}

/**
 * A server that has lost synced events must not report its disk until it has those events again.
 */
function checkRepaired({ name, core }: VirtualServer): void {
  assertPromise(!core.ledger.missesEvents, "J5", `${name} speaks before its repair`);
}

function checkLines({ name, disk }: VirtualServer, lines: readonly string[]): void {
  for (const line of lines) {
    const event = eventNamedBy(line);
    const isSynced = event !== undefined && (disk.durable[event.server] ?? 0) >= event.seq;
    assertPromise(isSynced, "R2", `${name} speaks of an event it has not synced`);
  }
}

function checkDurable(
  server: VirtualServer,
  said: { readonly view: { readonly number: number }; readonly durable: Vector },
): void {
  const isOnDisk = covers(server.disk.durable, said.durable);
  assertPromise(isOnDisk, "R2", `${server.name} counts events that it has not synced`);
  const isSaved = said.view.number <= server.disk.view.number;
  assertPromise(isSaved, "R2", `${server.name} speaks of a view that it has not saved`);
}

/** A promise must be on disk before it is sent. */
function checkPromise({ name, disk }: VirtualServer, answer: CoordinationAnswer): void {
  if (answer.service !== "candidate" && answer.service !== "accept") return;
  const isSaved = compareEpochs(disk.ballot.epoch, answer.promised) >= 0;
  assertPromise(isSaved, "R2", `${name} speaks of a promise that it has not saved`);
}

interface Named {
  readonly server: ServerName;
  readonly seq: number;
}

/** An event that a reply or a publication names must already be committed. */
function checkCommitted({ name, core }: VirtualServer, { server, seq }: Named, rule: string): void {
  const isCommitted = seq <= (core.replication.committed[server] ?? 0);
  assertPromise(isCommitted, rule, `${name} speaks of ${server}/${seq} before it is committed`);
}

/** A quorum of the view that the server has adopted must have the event on disk. */
function checkQuorum(cluster: CoreCluster, counting: VirtualServer, { server, seq }: Named): void {
  const { view } = counting.core.replication;
  const holders = cluster.servers.filter((holder) => {
    return view.members.includes(holder.name) && holds(holder, server, seq);
  });
  const text = `${counting.name} counts ${server}/${seq}, which no quorum of view ${view.number} has`;
  assertPromise(holders.length >= quorumOf(view), "R3", text);
}

/**
 * Whether the event is on the disk. A lost event counts, because the server gets it back before it
 * reports its disk.
 */
export function holds({ disk }: VirtualServer, server: ServerName, seq: number): boolean {
  return (disk.durable[server] ?? 0) >= seq || (disk.missing[server]?.seq ?? 0) >= seq;
}
