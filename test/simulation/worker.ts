import { type WorldName, worlds } from "./worlds.ts";

/** The seeds that a process gets at a time. */
export interface Seeds {
  readonly world: WorldName;
  readonly from: number;
  readonly count: number;
}

/** Runs the seeds that the parent process sends, and ends with the parent. */
process.on("message", ({ world, from, count }: Seeds) => {
  for (let seed = from; seed < from + count; seed += 1) {
    const { story, ...told } = worlds[world](seed);
    process.send?.({ ...told, story: told.broken === undefined ? [] : story });
  }
});
