import { beforeEach, expect, test, vi } from "vitest";
import { digest } from "../../src/platform/digest.ts";
import { durations } from "../../src/protocol/limits.ts";
import { RepairWatch } from "../../src/server/repair-watch.ts";
import { VirtualProcess } from "../support/virtual-process.ts";
import { VirtualServer } from "../support/virtual-server.ts";
import { VirtualTime } from "../support/virtual-time.ts";

let time: VirtualTime;
let watch: RepairWatch;
const onGivenUp = vi.fn();

beforeEach(() => {
  onGivenUp.mockClear();
  time = new VirtualTime();
  const server = new VirtualServer(1, { digest });
  server.begin();
  watch = new RepairWatch(new VirtualProcess(server, time).timers, onGivenUp);
});

test("[J5] a server gives up a repair only after a minute without progress", () => {
  // Each page, line and reload of the disk is progress, and starts the minute again.
  for (let waits = 0; waits < 10; waits += 1) {
    watch.progress();
    time.runFor(durations.repairMs - 1);
  }
  expect(onGivenUp).not.toHaveBeenCalled();
  time.runFor(1);
  expect(onGivenUp).toHaveBeenCalledTimes(1);
});

test("[J5] a repair that has ended is never given up", () => {
  watch.progress();
  watch.end();
  time.runFor(2 * durations.repairMs);
  expect(onGivenUp).not.toHaveBeenCalled();
});
