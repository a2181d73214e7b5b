import type { ServerName } from "../../src/protocol/ids.ts";
import { type Publication, quorumOf } from "../../src/protocol/messages.ts";
import { covers, type Vector } from "../../src/protocol/vector.ts";
import type { Effect } from "../../src/server/core/effects.ts";
import type { CoreCluster, VirtualServer } from "./core-cluster.ts";

/**
 * Looks at everything a server is about to say and compares it with the disks. The workload knows
 * nothing of it; a test of anything tests these as well.
 */
export function checkPromises(cluster: CoreCluster, server: VirtualServer, effect: Effect): void {
  switch (effect.type) {
    case "broadcast":
      if (effect.message.type === "events") {
        for (const line of effect.message.lines) {
          const isOnDisk = server.journal.lines.some((held) => held.line === line);
          assertPromise(isOnDisk, "R2", `${server.name} speaks of an event it has not synced`);
        }
      }
      return checkDurable(server, effect.message);
    case "askSync":
      return checkDurable(server, effect.request);
    case "answerSync":
      return checkDurable(server, effect.standing);
    case "heartbeat": {
      const { view = { number: 0 }, durable = {} } = effect.report;
      return checkDurable(server, { view, durable });
    }
    case "reply":
      for (const { data } of effect.replies) {
        if (data.status === "erro") continue;
        const entry = data.entry as { server: ServerName; seq: number } | undefined;
        if (entry !== undefined) checkCommitted(cluster, server, entry, "R3");
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

function checkDurable(
  server: VirtualServer,
  said: { readonly view: { readonly number: number }; readonly durable: Vector },
): void {
  const isOnDisk = covers(server.journal.durable, said.durable);
  assertPromise(isOnDisk, "R2", `${server.name} counts events that it has not synced`);
  const isSaved = said.view.number <= server.savedView.number;
  assertPromise(isSaved, "R2", `${server.name} speaks of a view that it has not saved`);
}

function checkCommitted(
  cluster: CoreCluster,
  server: VirtualServer,
  event: { readonly server: ServerName; readonly seq: number },
  rule: string,
): void {
  const { view } = server.core.replication;
  const holders = cluster.servers.filter(({ name, journal }) => {
    return view.members.includes(name) && (journal.durable[event.server] ?? 0) >= event.seq;
  });
  const text = `${server.name} speaks of ${event.server}/${event.seq}, which no quorum has on disk`;
  assertPromise(holders.length >= quorumOf(view), rule, text);
}

function assertPromise(holds: boolean, rule: string, text: string): void {
  if (!holds) throw new Error(`[${rule}] ${text}`);
}
