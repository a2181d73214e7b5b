import { run } from "./run.ts";

/** Runs the seeds that the parent process sends, and ends with the parent. */
process.on("message", ({ from, count }: { from: number; count: number }) => {
  for (let seed = from; seed < from + count; seed += 1) {
    const { broken, story, acknowledged } = run(seed);
    process.send?.({ seed, broken, acknowledged, story: broken === undefined ? [] : story });
  }
});
