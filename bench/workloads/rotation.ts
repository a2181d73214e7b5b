import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { SecretChange } from "../../test/cluster/secret-change.ts";
import { figures, none, type Workload } from "../workload.ts";

export const rotation: Workload<"rate"> = {
  name: "rotation",
  description: "a change of the secret and all keys under load, in three rolling restarts",
  counts: { rate: 150 },
  async measure({ counts: { rate }, note }) {
    const options = { curve: true, auth: "required", logLevel: "info" } as const;
    await using cluster = await LocalCluster.start(options);
    using change = new SecretChange(cluster, { writeEveryMs: 1_000 / rate });
    const begunMs = performance.now();
    await change.begin();
    const former = change.present();
    await change.step("add");
    await change.step("switch");
    await change.renewClients();
    await change.step("drop");
    await change.end();
    const seconds = (performance.now() - begunMs) / 1_000;
    const { written, heard, failed, longestMs } = change;
    const letIn = await change.formerGetIn(former);
    for (const what of [...failed.slice(0, 5), ...letIn]) note(String(what));
    const texts = new Set(heard);
    return [
      ...figures("rotation", {
        acknowledged: written.size,
        "per s": written.size / seconds,
        "longest receipt ms": longestMs.receipt,
        "longest silence ms": longestMs.silence,
      }),
      none("rotation: failed", failed.length),
      none("rotation: lost", [...written].filter((text) => !texts.has(text)).length),
      none("rotation: doubled", heard.length - texts.size),
      none("rotation: let in with the former secret", letIn.length),
    ];
  },
};
