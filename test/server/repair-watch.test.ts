import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { durations } from "../../src/protocol/limits.ts";
import { RepairWatch } from "../../src/server/repair-watch.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test("[J5] a repair is given up when nothing comes for a minute, however long it took before", () => {
  const onGivenUp = vi.fn();
  const watch = new RepairWatch(onGivenUp);
  // A page, a line, the disk loaded again: each is one wait with all before it.
  for (let time = 0; time < 10; time += 1) {
    watch.progress();
    vi.advanceTimersByTime(durations.repairMs - 1);
  }
  expect(onGivenUp).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onGivenUp).toHaveBeenCalledTimes(1);
});

test("[J5] once all is there, or the server stops, nothing is waited for", () => {
  const onGivenUp = vi.fn();
  const watch = new RepairWatch(onGivenUp);
  watch.progress();
  watch.end();
  vi.advanceTimersByTime(2 * durations.repairMs);
  expect(onGivenUp).not.toHaveBeenCalled();
});
