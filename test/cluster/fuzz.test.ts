import { expect, test } from "vitest";
import { fuzz } from "../fuzz/run.ts";
import { describeReplicas } from "../support/describe-replicas.ts";

/** Each run starts a new cluster. `npm run fuzz` makes any number of runs. */
const runs = [
  { auth: "required", sender: "strangers", frames: 10_000 },
  { auth: "open", sender: "strangers", frames: 6_000 },
  { auth: "required", sender: "members", frames: 4_000 },
] as const;

describeReplicas("mutations of valid messages at all sockets", { timeout: 60_000 }, () => {
  test.each(runs)(
    "[W7] [X1d] a cluster with --auth $auth survives $frames mutated messages from $sender",
    async (run) => {
      const { problems, lastKinds, folder } = await fuzz({ ...run, seed: 1 });
      expect(problems, `${JSON.stringify(lastKinds)}, kept in ${folder}`).toEqual([]);
    },
  );
});
