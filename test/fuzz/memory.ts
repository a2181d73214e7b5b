import { readFileSync } from "node:fs";
import { percentile } from "../../bench/measure.ts";
import type { Child } from "../../src/cluster/child.ts";

/** Part of a run in which a process takes what it needs once: caches, compiled code, a full heap. */
const warmUp = 0.2;
/** What a process may grow by between the first and the last quarter, whatever its size. */
const share = 0.25;
const leastBytes = 30 * 1_024 * 1_024;
const everyMs = 500;

/** A process and what it took, at the first quarter after the warm-up and at the last. */
export interface Grown {
  readonly label: string;
  readonly firstBytes: number;
  readonly lastBytes: number;
  readonly mostBytes: number;
  readonly isFlat: boolean;
}

/** Looks at the resident memory of each process, and at whether it is still the same process. */
export class MemoryWatch implements Disposable {
  readonly #children: readonly { readonly child: Child; readonly pid: number | undefined }[];
  readonly #samples = new Map<string, { readonly part: number; readonly bytes: number }[]>();
  readonly #timer: NodeJS.Timeout;
  readonly #part: () => number;

  /** @param part how much of the run is done, from 0 to 1 */
  constructor(children: readonly Child[], part: () => number) {
    this.#children = children.map((child) => ({ child, pid: child.pid }));
    this.#part = part;
    this.#timer = setInterval(() => this.#look(), everyMs);
    this.#look();
  }

  /** Processes that are not those of the beginning. */
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

  /** @param grownBytes what the state that the servers keep has grown by */
  grown(grownBytes: number): Grown[] {
    return [...this.#samples].map(([label, samples]) => {
      const between = (from: number, to: number) =>
        samples
          .filter(
            ({ part }) =>
              part >= warmUp + (1 - warmUp) * from && part <= warmUp + (1 - warmUp) * to,
          )
          .map(({ bytes }) => bytes);
      const firstBytes = percentile(between(0, 0.25), 0.5);
      const lastBytes = percentile(between(0.75, 1), 0.5);
      const mostBytes = Math.max(...samples.map(({ bytes }) => bytes));
      const allowed = Math.max(share * firstBytes, leastBytes) + grownBytes;
      return {
        label,
        firstBytes,
        lastBytes,
        mostBytes,
        isFlat: !(lastBytes - firstBytes > allowed),
      };
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
