import { expect, test } from "vitest";
import { durations } from "../../../src/protocol/limits.ts";
import { noView } from "../../../src/protocol/view.ts";
import { Registry } from "../../../src/reference/core/registry.ts";
import { serverName } from "../../support/event-lines.ts";

const [replica, server] = [serverName(1), serverName(2)];
const member = { isKnown: true, clock: 1 };
const guest = { isKnown: false, clock: 1 };
const ofServer = { user: server, role: "server", hasEngine: true } as const;

test("[K11] a reference that has heard a server with an engine makes no first view, also while that server is down", () => {
  const registry = new Registry(undefined, 0);
  registry.heartbeat(ofServer, member, 0);
  expect(registry.list(0)[0]?.hasEngine).toBe(true);
  for (const nowMs of [durations.firstViewMs, durations.firstViewMs + durations.forgetMs + 1]) {
    const report = {
      user: replica,
      role: "server",
      view: noView,
      durable: {},
      ready: true,
    } as const;
    registry.heartbeat(report, member, nowMs);
    expect(registry.view).toEqual(noView);
    expect(registry.isWaiting(nowMs)).toBe(true);
  }
});

test("[K11] [X1] a guest can't say for a cluster that its servers have an engine", () => {
  const registry = new Registry(undefined, 0);
  registry.heartbeat(ofServer, guest, 0);
  expect(registry.list(0)[0]?.hasEngine).toBeUndefined();
  expect(registry.isWaiting(durations.firstViewMs)).toBe(false);
});
