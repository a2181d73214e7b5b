import { limits } from "./limits.ts";
import type { DiskSpace } from "./reference-messages.ts";

/** Returns whether so little space is left that a person should act. */
export function isNearlyFull({ freeBytes, totalBytes }: DiskSpace): boolean {
  const least = Math.min(limits.diskFreeBytes, (totalBytes * limits.diskFreePercent) / 100);
  return freeBytes < least;
}
