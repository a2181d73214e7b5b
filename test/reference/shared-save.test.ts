import fc from "fast-check";
import { expect, test } from "vitest";
import { SharedSave } from "../../src/reference/shared-save.ts";

test("[N2] the reference answers changes in order, and answers each change only after a save that began after that change", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 20 }), async (scheduler, count) => {
      let changed = 0;
      let saved = 0;
      const told: number[] = [];
      const saving = new SharedSave(async () => {
        const now = changed;
        await scheduler.schedule(Promise.resolve(), "a save");
        saved = now;
      });
      for (let made = 0; made < count; made += 1) {
        void scheduler.schedule(Promise.resolve(), "a change").then(() => {
          changed += 1;
          const change = changed;
          saving.afterwards(() => {
            expect(saved).toBeGreaterThanOrEqual(change);
            told.push(change);
          });
        });
      }
      await scheduler.waitIdle();
      await saving.settled();
      expect(told).toEqual(Array.from({ length: count }, (_, at) => at + 1));
    }),
  );
});

test("[S9] 500 changes at the reference share two saves", async () => {
  let saves = 0;
  const ends: (() => void)[] = [];
  const saving = new SharedSave(() => {
    saves += 1;
    return new Promise((resolve) => ends.push(resolve));
  });
  const told: number[] = [];
  for (let number = 0; number < 500; number += 1) saving.afterwards(() => told.push(number));
  ends.shift()?.();
  await Promise.resolve();
  await Promise.resolve();
  ends.shift()?.();
  await saving.settled();
  expect({ saves, told: told.length }).toEqual({ saves: 2, told: 500 });
});
