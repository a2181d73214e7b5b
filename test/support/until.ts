import { setTimeout as pause } from "node:timers/promises";

/** Waits for a condition, never for a time: the limit only turns a hang into a failure. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 10_000,
): Promise<void> {
  const giveUpAt = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`never came true: ${what}`);
    await pause(5);
  }
}
