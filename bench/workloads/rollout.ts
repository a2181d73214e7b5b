import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { inOrder, Rollout } from "../../test/cluster/rollout.ts";
import {
  buildPreviousRelease,
  clientLibraryOf,
  programOf,
  whyNotBuilt,
} from "../../test/support/previous-release.ts";
import { type Figure, figures, none, type Workload } from "../workload.ts";

export const rollout: Workload<"rate"> = {
  name: "rollout",
  description: "a rolling restart under load, and an upgrade from the previous release and back",
  counts: { rate: 500 },
  async measure({ counts: { rate }, note }) {
    const found: Figure[] = [];
    for (const count of [2, 1]) {
      await using cluster = await LocalCluster.start({ brokers: count, proxies: count });
      const rollout = await Rollout.start(cluster, rate);
      await rollout.restart(inOrder(cluster));
      found.push(...(await figuresOf(`restart, ${count} broker(s)`, rollout)));
    }
    if (whyNotBuilt !== "") note(`The upgrade is left out${whyNotBuilt}`);
    else found.push(...(await upgrade(rate)));
    return found;
  },
};

async function upgrade(rate: number): Promise<Figure[]> {
  const previous = buildPreviousRelease();
  let program: string | undefined = programOf(previous);
  const count = { brokers: 2, proxies: 2 };
  await using cluster = await LocalCluster.start({ ...count, program: () => program });
  const libraries = [await clientLibraryOf(previous), await import("../../src/client/index.ts")];
  const rollout = await Rollout.start(cluster, rate, libraries);
  for (const next of [undefined, program]) {
    program = next;
    await rollout.restart(inOrder(cluster));
  }
  return await figuresOf("upgrade and back", rollout);
}

async function figuresOf(name: string, rollout: Rollout): Promise<Figure[]> {
  const { killed, failed, lost, doubled } = await rollout.finish();
  // A process that was restarted twice has one line, with the longer pauses.
  const longest = new Map<string, Record<string, number>>();
  for (const { label, receiptsMs, publicationsMs } of rollout.pauses) {
    const known = longest.get(label);
    longest.set(label, {
      "ms without receipts": Math.max(known?.["ms without receipts"] ?? 0, receiptsMs),
      "ms without publications": Math.max(known?.["ms without publications"] ?? 0, publicationsMs),
    });
  }
  return [
    ...[...longest].flatMap(([label, values]) => figures(`${name}, ${label}`, values)),
    ...figures(name, { acknowledged: rollout.acknowledged.size, killed: killed.length }),
    none(`${name}: failed`, failed.length),
    none(`${name}: lost`, lost.length),
    none(`${name}: doubled`, doubled.length),
  ];
}
