import { execFileSync } from "node:child_process";
import { beforeAll, describe, expect, test } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import {
  buildPreviousRelease,
  clientLibraryOf,
  previousRelease,
  programOf,
  whyNotBuilt,
} from "../support/previous-release.ts";
import { inOrder, Rollout } from "./rollout.ts";
import { expectNothingLost } from "./writer.ts";

const perSecond = 100;

/** Stops load and cluster, and expects that no request failed and each message exists once. */
async function expectAllOnce(rollout: Rollout, mayHang: string[] = []): Promise<void> {
  const { killed, ...others } = await rollout.finish();
  expect(others).toEqual({ failed: [], lost: [], doubled: [] });
  // A server of release 0.1.0 may not end although it has stopped.
  expect(killed.filter((label) => !mayHang.includes(label))).toEqual([]);
  await expectNothingLost(rollout.cluster, rollout);
}

describe("a rolling restart under load", { timeout: 300_000 }, () => {
  test("[O60] no request fails and no message is lost or doubled while each process of a cluster with two brokers and two proxies is restarted", async () => {
    await using cluster = await LocalCluster.start({ brokers: 2, proxies: 2 });
    const rollout = await Rollout.start(cluster, perSecond);
    await rollout.restart(inOrder(cluster));
    await expectAllOnce(rollout);
  });

  test("[O60] no request fails and no message is lost or doubled while the only broker, the only proxy and the reference are restarted", async () => {
    await using cluster = await LocalCluster.start();
    const rollout = await Rollout.start(cluster, perSecond);
    await rollout.restart(inOrder(cluster).filter(({ role }) => role !== "server"));
    await expectAllOnce(rollout);
  });
});

describe.skipIf(whyNotBuilt !== "")(
  `this version beside release ${previousRelease.version}${whyNotBuilt}`,
  { timeout: 300_000 },
  () => {
    let previous = "";
    beforeAll(() => {
      previous = buildPreviousRelease();
    }, 120_000);

    test("[O60] no request of a client of either version fails, and no message is lost or doubled, while a cluster is upgraded from the previous release and goes back", async () => {
      let program: string | undefined = programOf(previous);
      // This small limit makes servers of both versions save states.
      const settings = () => ({ TERTULIA_CHECKPOINT_BYTES: "65536" });
      await using cluster = await LocalCluster.start({ program: () => program, settings });
      const libraries = [
        await clientLibraryOf(previous),
        await import("../../src/client/index.ts"),
      ];
      const rollout = await Rollout.start(cluster, perSecond, libraries);
      program = undefined;
      await rollout.restart(inOrder(cluster));
      program = programOf(previous);
      await rollout.restart(inOrder(cluster));
      await expectAllOnce(rollout, ["server 1", "server 2", "server 3"]);
    });

    test("[O60] a server of the previous release in a cluster of this version saves files that both versions find whole", async () => {
      const settings = () => ({ TERTULIA_CHECKPOINT_BYTES: "65536" });
      await using cluster = await LocalCluster.start({
        program: ({ label }) => (label === "server 3" ? programOf(previous) : undefined),
        settings,
      });
      const libraries = [
        await clientLibraryOf(previous),
        await import("../../src/client/index.ts"),
      ];
      const rollout = await Rollout.start(cluster, perSecond, libraries);
      await rollout.restart(cluster.of("server"));
      await expectAllOnce(rollout, ["server 3"]);
      for (const cli of [programOf(previous), programOf(process.cwd())]) {
        execFileSync(process.execPath, [cli, "verify", cluster.folder]);
      }
    });
  },
);
