import { expect, test } from "vitest";
import { LamportClock } from "../../../src/protocol/lamport-clock.ts";
import { parseList } from "../../../src/protocol/parse-list.ts";
import type { ReferenceRequest } from "../../../src/protocol/reference-messages.ts";
import { type Asked, handleRequest } from "../../../src/reference/core/handle-request.ts";
import { Registry } from "../../../src/reference/core/registry.ts";

test("[N5] the reference lists all processes with their roles, and a process without a role as a server", () => {
  const registry = new Registry(undefined, 0);
  const clock = new LamportClock();
  const ask = (request: ReferenceRequest, member?: string) =>
    handleRequest({ ...request, member } as Asked, { registry, clock, steadyMs: 0 });
  for (const [user, role] of [
    ["server_00000001", "server"],
    ["broker_1", "broker"],
    ["proxy_1", "proxy"],
  ] as const) {
    ask({ service: "heartbeat", clock: 1, user, role }, user);
  }
  ask({ service: "heartbeat", clock: 1, user: "bot_1", role: "bot" });
  ask({ service: "rank", clock: 1, user: "old_server" });
  const answer = ask({ service: "list", clock: 1 });
  const listed = parseList(answer.list).map(({ name, role }) => `${role} ${name}`);
  expect(listed).toEqual([
    "bot bot_1",
    "broker broker_1",
    "proxy proxy_1",
    "server old_server",
    "server server_00000001",
  ]);
});

test("the reference ignores a guest's clock that is too far ahead, and counts the ignored clocks", () => {
  const registry = new Registry(undefined, 0);
  expect(registry.believed(2 ** 50, 7, 0)).toBe(0);
  expect(registry.believed(8, 7, 0)).toBe(8);
  expect(registry.disbelievedClocks).toBe(1);
});

test("[N5] the reference lists what members report of themselves, and of guests only the version", () => {
  const registry = new Registry(undefined, 0);
  const disk = { freeBytes: 5, totalBytes: 10 };
  const told = {
    version: "0.1.0",
    refused: { forged: 2, stale: 1 },
    disbelievedClocks: 3,
    disk,
    decisionFaults: { differs: 7 },
  };
  for (const [user, isKnown] of [
    ["liar", false],
    ["server_00000001", true],
  ] as const) {
    registry.heartbeat({ user, role: "server", ...told }, { isKnown, clock: 1 }, 0);
    // A request for a rank says nothing of this, so the earlier report stays.
    registry.rank({ user }, { isKnown, clock: 1 }, 0);
  }
  const [liar, server] = registry.list(0);
  expect(server).toMatchObject({ name: "server_00000001", ...told });
  const untold = {
    refused: undefined,
    disbelievedClocks: undefined,
    disk: undefined,
    decisionFaults: undefined,
  };
  expect(liar).toMatchObject({ name: "liar", version: "0.1.0", ...untold });
});

test("[N5] a guest of the original protocol is listed for 30 s, and a guest with a role for 2 s", () => {
  const registry = new Registry(undefined, 0);
  const guest = { isKnown: false, clock: 1 };
  registry.rank({ user: "old_server" }, guest, 0);
  registry.heartbeat({ user: "old_server" }, guest, 1_000);
  registry.heartbeat({ user: "our_bot", role: "bot" }, guest, 1_000);
  const names = (steadyMs: number) => registry.list(steadyMs).map(({ name }) => name);
  expect(names(3_000)).toEqual(["our_bot", "old_server"]);
  expect(names(3_001)).toEqual(["old_server"]);
  expect(names(31_000)).toEqual(["old_server"]);
  expect(names(31_001)).toEqual([]);
});
