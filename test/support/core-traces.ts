import { expect } from "vitest";
import type { ReplyData } from "../../src/protocol/client-messages.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import type { ServerSteps, Step, StepKind, Trace } from "../../src/protocol/steps.ts";
import type { CoreCluster } from "./core-cluster.ts";
import type { VirtualServer } from "./virtual-server.ts";

export const message = { user: "ana", channel: "geral", message: "oi" };

export function publish(cluster: CoreCluster, server: VirtualServer, more: object = {}): ReplyData {
  const reply = cluster.request(server, "publish", { ...message, ...more });
  expect(reply).toMatchObject({ status: "OK" });
  return reply;
}

export function traceOf(cluster: CoreCluster, server: VirtualServer, of: string): Trace {
  const reply = cluster.request(server, "trace", { of });
  expect(reply).toMatchObject({ status: "OK" });
  return reply as unknown as Trace;
}

export function kindsOf({ servers }: Trace, name: ServerName): StepKind[] {
  const found = servers.find((server) => server.name === name);
  return found?.steps.map(({ kind }) => kind) ?? [];
}

export function step({ steps }: ServerSteps, kind: StepKind): Step {
  const found = steps.find((one) => one.kind === kind);
  if (found === undefined) throw new Error(`there is no step ${kind}`);
  return found;
}
