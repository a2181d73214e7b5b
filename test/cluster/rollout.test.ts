import { execFileSync, spawnSync } from "node:child_process";
import { beforeAll, describe, expect, test } from "vitest";
import { newHookToken } from "../../src/platform/hook-token.ts";
import { parseChannelName, parseHookName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import {
  buildPreviousRelease,
  clientLibraryOf,
  previousRelease,
  programOf,
  whyNotBuilt,
} from "../support/previous-release.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { inOrder, Rollout } from "./rollout.ts";
import { expectNothingLost } from "./writer.ts";

const perSecond = 100;

/**
 * Returns a saved state without the terms of coordinators. The previous release keeps all of them, and
 * this version only the last (D6), on which alone something depends.
 */
function withoutTerms(text: string, name: string): string {
  if (name !== "checkpoint.json") return text;
  const { rows, checksum: _, ...others } = JSON.parse(text);
  const kept = rows.filter(({ operation }: { operation: string }) => operation !== "coordinator");
  return JSON.stringify({ ...others, rows: kept });
}

/** Stops load and cluster, and expects that no request failed and each message exists once. */
async function expectAllOnce(
  rollout: Rollout,
  mayHang: string[] = [],
  comparable?: typeof withoutTerms,
): Promise<void> {
  const { killed, ...others } = await rollout.finish();
  expect(others).toEqual({ failed: [], lost: [], doubled: [] });
  // A server of release 0.1.0 may not end although it has stopped.
  expect(killed.filter((label) => !mayHang.includes(label))).toEqual([]);
  await expectNothingLost(rollout.cluster, rollout, comparable);
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
      await expectAllOnce(rollout, ["server 1", "server 2", "server 3"], withoutTerms);
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
      await expectAllOnce(rollout, ["server 3"], withoutTerms);
      for (const cli of [programOf(previous), programOf(process.cwd())]) {
        execFileSync(process.execPath, [cli, "verify", cluster.folder]);
      }
    });

    test("[O60] [Q15] while one server is of the previous release, a hook is refused and all servers go on; after its upgrade a hook writes", async () => {
      let old: string | undefined = programOf(previous);
      await using cluster = await LocalCluster.start({
        program: ({ label }) => (label === "server 3" ? old : undefined),
      });
      const ana = parseUserName("ana");
      const channel = parseChannelName("geral");
      const client = cluster.client({ user: ana });
      await client.login(ana);
      await client.createChannel(channel);
      const hookToken = newHookToken();
      const name = parseHookName("deploy");
      const make = () => client.ask("hook", { user: ana, channel, name, hookToken });
      const reasons = new Set<string>();
      for (let count = 0; count < 9; count += 1) {
        await make().catch(({ code, reason = code }) => reasons.add(reason));
        await client.publish(channel, `by hand ${count}`);
      }
      // The server of the previous release knows no service `hook`.
      expect(reasons).toEqual(new Set(["upgrade_unfinished", "unknown_service"]));
      old = undefined;
      const upgraded = cluster.server(3);
      const { starts } = upgraded;
      upgraded.signal("SIGKILL");
      await until(() => upgraded.starts > starts && upgraded.isReady, "server 3 is back", 60_000);
      const isMade = () => make().then(Boolean, () => false);
      await until(isMade, "the hook is made", 60_000);
      for (let count = 0; count < 9; count += 1) {
        await client.ask("post", { hookToken, message: `by hook ${count}` });
        const { entries } = await client.history({ channel }, { limit: 1 });
        expect(entries).toMatchObject([{ user: ana, hook: name, message: `by hook ${count}` }]);
      }
    });

    test("[O60] while one server is of the previous release, nothing is decided and the chat goes on; after its upgrade a name gets its owner", async () => {
      let old: string | undefined = programOf(previous);
      await using cluster = await LocalCluster.start({
        program: ({ label }) => (label === "server 3" ? old : undefined),
      });
      const ana = parseUserName("ana");
      const client = cluster.client({ user: ana, deadlineMs: 3_000 });
      const restarted = async () => {
        const server = cluster.server(3);
        const { starts } = server;
        server.signal("SIGKILL");
        await until(() => server.starts > starts && server.isReady, "server 3 is back", 60_000);
      };
      const coordinator = async () => (await client.status()).coordinator;
      await until(async () => (await coordinator()) !== null, "a coordinator", 60_000);
      // A coordinator of the previous release would give names as it always did.
      if ((await coordinator()) === cluster.server(3).ready?.name) await restarted();
      await client.login(ana);
      const channel = parseChannelName("geral");
      await client.createChannel(channel);
      const bea = parseUserName("bea");
      const register = () => client.register(bea, "the long password of bea");
      const reasons = new Set<string | undefined>();
      for (let count = 0; count < 3; count += 1) {
        const asked = register().then(
          () => "done",
          ({ code, reason }) => reasons.add(reason) && code,
        );
        expect(await asked).toBe("unavailable");
        await client.publish(channel, `message ${count}`);
      }
      expect(reasons).toContain("upgrade_unfinished");
      old = undefined;
      await restarted();
      const isDone = () =>
        register().then(
          () => true,
          () => false,
        );
      await until(isDone, "the name has an owner", 60_000);
      const { entries } = await client.history({ channel });
      expect(entries).toHaveLength(3);
    });

    test("[O60] a folder of the previous release with accounts is refused with a sentence that says what to do, and the previous release still starts on it", async () => {
      await using temporary = await temporaryFolder();
      const options = { servers: 1, data: temporary.path };
      const program = () => programOf(previous);
      const before = await LocalCluster.start({ ...options, program });
      const ana = parseUserName("ana");
      await before.client().register(ana, "the long password of ana");
      await before.stop();
      const cli = programOf(process.cwd());
      const words = [cli, "up", "--servers", "1", "--port", "0", "--data", temporary.path];
      const { status, stderr } = spawnSync(process.execPath, words, {
        encoding: "utf8",
        timeout: 60_000,
      });
      expect(status).toBe(1);
      expect(stderr).toContain(
        `tertulia: ${temporary.path}/servers/1 has accounts of version 0.1.0, which this version can't ` +
          "read (O60): begin with an empty folder, and register the accounts again; or start " +
          "version 0.1.0 again.\n",
      );
      await using again = await LocalCluster.start({ ...options, program });
      const taken = again.client().register(ana, "another long password");
      await expect(taken).rejects.toMatchObject({ code: "name_taken" });
    });
  },
);
