import { describe, expect, test } from "vitest";
import { fuzz } from "../fuzz/run.ts";

/** Each run is a fresh cluster. `npm run fuzz` makes any number of them. */
const runs = [
  { auth: "required", sender: "strangers", frames: 10_000 },
  { auth: "open", sender: "strangers", frames: 6_000 },
  { auth: "required", sender: "members", frames: 4_000 },
] as const;

describe("mutants of valid messages at all sockets", { timeout: 60_000 }, () => {
  test.each(runs)("[W7] [X1d] $frames of $sender, --auth $auth", async (run) => {
    const { problems, lastKinds, folder } = await fuzz({ ...run, seed: 1 });
    expect(problems, `${JSON.stringify(lastKinds)}, kept in ${folder}`).toEqual([]);
  });
});
