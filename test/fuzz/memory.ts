import { readFileSync } from "node:fs";
import { percentile } from "../../bench/measure.ts";
import type { Child } from "../../src/cluster/child.ts";

/**
 * Bytes of memory that an event may occupy permanently: its state, its line in the journal, and
 * index entries.
 */
export const eventBytes = 4_096;

/**
 * The share of a run, from its beginning, in which a process still allocates caches, compiled code
 * and its heap.
 */
const warmUp = 0.2;
/**
 * The growth that a process may have between the first and the last quarter, as a share of its
 * size.
 */
const share = 0.25;
const leastBytes = 30 * 1_024 * 1_024;
/** A heap takes about a minute to find its size, so a shorter run can only show large leaps. */
const settledMs = 60_000;
const leapBytes = 100 * 1_024 * 1_024;
const everyMs = 500;

/**
 * A process and its memory in bytes: in the first quarter after the warm-up, in the last quarter,
 * and the maximum.
 */
export interface Grown {
  readonly label: string;
  readonly firstBytes: number;
  readonly lastBytes: number;
  readonly mostBytes: number;
  readonly isFlat: boolean;
}

/** Samples the resident memory of each process, and notices a process that has ended. */
export class MemoryWatch implements Disposable {
  readonly #children: readonly { readonly child: Child; readonly pid: number | undefined }[];
  readonly #samples = new Map<string, { readonly part: number; readonly bytes: number }[]>();
  readonly #timer: NodeJS.Timeout;
  readonly #part: () => number;
  readonly #startMs = performance.now();

  /** @param part returns how much of the run is done, from 0 to 1 */
  constructor(children: readonly Child[], part: () => number) {
    this.#children = children.map((child) => ({ child, pid: child.pid }));
    this.#part = part;
    this.#timer = setInterval(() => this.#look(), everyMs);
    this.#look();
  }

  /** The labels of processes that ended or were started again. */
  get ended(): string[] {
    return this.#children.flatMap(({ child, pid }) => {
      return child.pid === pid && child.starts === 1 ? [] : [child.label];
    });
  }

  #look(): void {
    for (const { child } of this.#children) {
      const bytes = residentBytes(child.pid);
      if (bytes === undefined) continue;
      const samples = this.#samples.get(child.label) ?? [];
      samples.push({ part: this.#part(), bytes });
      this.#samples.set(child.label, samples);
    }
  }

  /** @param grownBytes bytes by which the state on the servers has grown */
  grown(grownBytes: number): Grown[] {
    const isShort = performance.now() - this.#startMs < settledMs;
    return [...this.#samples].map(([label, samples]) => {
      const between = (from: number, to: number) => {
        const within = samples.filter(({ part }) => part >= from && part <= to);
        return percentile(
          (within.length > 0 ? within : samples).map(({ bytes }) => bytes),
          0.5,
        );
      };
      const quarter = (1 - warmUp) / 4;
      const firstBytes = between(warmUp, warmUp + quarter);
      const lastBytes = between(1 - quarter, 1);
      const mostBytes = Math.max(...samples.map(({ bytes }) => bytes));
      const leastAllowed = isShort ? leapBytes : Math.max(share * firstBytes, leastBytes);
      const isFlat = lastBytes - firstBytes <= leastAllowed + grownBytes;
      return { label, firstBytes, lastBytes, mostBytes, isFlat };
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function residentBytes(pid: number | undefined): number | undefined {
  try {
    const [, kilobytes] =
      /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kilobytes === undefined ? undefined : 1_024 * Number(kilobytes);
  } catch {
    return undefined;
  }
}
