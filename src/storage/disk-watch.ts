import { statfs } from "node:fs/promises";
import { durations } from "../protocol/limits.ts";
import type { DiskSpace } from "../protocol/reference-messages.ts";

/** Looks from time to time at the space on the disk of a folder. */
export class DiskWatch implements Disposable {
  /** The space at the last look; undefined if the system does not tell. */
  space: DiskSpace | undefined;
  readonly #folder: string;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;

  constructor(folder: string) {
    this.#folder = folder;
    void this.#look();
  }

  /** The next look is due only after this one, because a network disk may answer late. */
  async #look(): Promise<void> {
    this.space = await spaceOf(this.#folder);
    if (this.#isEnded) return;
    this.#timer = setTimeout(() => void this.#look(), durations.diskLookMs).unref();
  }

  [Symbol.dispose](): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
  }
}

/** Returns the space on the disk of a folder; undefined if the system does not tell. */
export async function spaceOf(folder: string): Promise<DiskSpace | undefined> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    // The space only serves `status`. A disk that fails is reported by the next write.
    return undefined;
  }
}
