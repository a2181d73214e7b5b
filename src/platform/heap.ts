import { setFlagsFromString } from "node:v8";

/**
 * Makes full garbage collections rarer. V8 counts the bytes of messages as growth of the heap. In a
 * process with a small heap, or one that was idle before, V8 collects after a few megabytes of
 * growth, so a busy process would spend much of its time on collections.
 * @param times how large the heap may be at a full collection, as a multiple of what was in use
 * after the last one; by default, V8 chooses the multiple by the rate of allocation
 */
export function collectSeldom(times: number): void {
  setFlagsFromString(`--heap-growing-percent=${100 * (times - 1)}`);
}
