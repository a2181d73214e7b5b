import type { ServerName } from "../../src/protocol/ids.ts";
import { type Publication, quorumOf, type View } from "../../src/protocol/messages.ts";
import { covers, type Vector } from "../../src/protocol/vector.ts";
import type { Effect } from "../../src/server/core/effects.ts";
import { eventNamedBy } from "../../src/storage/journal-file.ts";
import type { CoreCluster } from "./core-cluster.ts";
import type { VirtualServer } from "./virtual-server.ts";

/** What looks on while a cluster runs. The workload knows nothing of it. */
export interface ClusterChecks {
  /** A process begins, its core with what the disk holds. */
  onStart(cluster: CoreCluster, server: VirtualServer): void;
  /** Before the effect is performed. */
  onEffect(cluster: CoreCluster, server: VirtualServer, effect: Effect): void;
  /** After all effects of a step. */
  onStep(cluster: CoreCluster, server: VirtualServer): void;
  /** The reference has saved a view. */
  onView(cluster: CoreCluster, view: View): void;
}

/** A promise was broken. */
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
 * Looks at everything a server is about to say and compares it with the disks: a test of anything
 * tests these as well.
 */
export class PromiseChecks implements ClusterChecks {
  onStart(_cluster: CoreCluster, _server: VirtualServer): void {}

  onStep(_cluster: CoreCluster, _server: VirtualServer): void {}

  onView(_cluster: CoreCluster, _view: View): void {}

  onEffect(cluster: CoreCluster, server: VirtualServer, effect: Effect): void {
    switch (effect.type) {
      case "broadcast":
        if (effect.message.type === "events") checkLines(server, effect.message.lines);
        return checkDurable(server, effect.message);
      case "askSync":
        return checkDurable(server, effect.request);
      case "answerSync":
        assertPromise(!server.core.ledger.owes, "J5", `${server.name} speaks before its repair`);
        return checkDurable(server, effect.standing);
      case "heartbeat": {
        const { view = { number: 0 }, durable = {} } = effect.report;
        return checkDurable(server, { view, durable });
      }
      case "reply":
        for (const { data } of effect.replies) {
          const entry = data.entry as { server: ServerName; seq: number } | undefined;
          if (data.status === "erro" || entry === undefined) continue;
          checkCommitted(cluster, server, entry, "R3");
        }
        return;
      case "publish":
        if (!Array.isArray(effect.payload)) return;
        for (const publication of effect.payload as Publication[]) {
          checkCommitted(cluster, server, publication, "P5");
        }
        return;
      default:
    }
  }
}

function checkLines({ name, disk, core }: VirtualServer, lines: readonly string[]): void {
  assertPromise(!core.ledger.owes, "J5", `${name} speaks before its repair`);
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

/** A quorum of the view that the server has adopted truly has it on disk. */
export function checkCommitted(
  cluster: CoreCluster,
  server: VirtualServer,
  event: { readonly server: ServerName; readonly seq: number },
  rule: string,
): void {
  const { view } = server.core.replication;
  const holders = cluster.servers.filter((holder) => {
    return view.members.includes(holder.name) && holds(holder, event.server, event.seq);
  });
  const text = `${server.name} speaks of ${event.server}/${event.seq}, which no quorum has on disk`;
  assertPromise(holders.length >= quorumOf(view), rule, text);
}

/** Whether the event is on the disk; what a disk owes it will have again before it speaks. */
export function holds({ disk }: VirtualServer, server: ServerName, seq: number): boolean {
  return (disk.durable[server] ?? 0) >= seq || (disk.owed[server]?.seq ?? 0) >= seq;
}
