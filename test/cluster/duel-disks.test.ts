import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Child } from "../../src/cluster/child.ts";
import type { LinePlayer } from "../support/match-doors.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { killAnd, logOf } from "./folders.ts";
import { faultMs, MatchScene } from "./match-scene.ts";

const slots = ["1", "2"] as const;
const tooMuch = new Uint8Array(2 * 1024 * 1024);

describe("a match whose game servers are on small disks", { timeout: 90_000 }, () => {
  let data: TemporaryFolder;
  let scene: MatchScene;
  let mounted: string[];

  beforeEach(async (context) => {
    data = await temporaryFolder();
    mounted = [];
    for (const slot of slots) {
      const folder = join(data.path, "games", slot);
      mkdirSync(folder, { recursive: true });
      try {
        const mount = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder];
        execFileSync("mount", mount, { stdio: "ignore" });
      } catch {
        return context.skip("needs Linux, and root to mount a small disk");
      }
      mounted.push(folder);
    }
    scene = await MatchScene.start({ data: data.path });
  }, 60_000);

  afterEach(async () => {
    await scene?.cluster.stop();
    for (const folder of mounted) execFileSync("umount", [folder]);
    await data[Symbol.asyncDispose]();
  }, 30_000);

  /** The disk of a game server. */
  function diskOf(game: Child): string {
    const isIts = (folder: string) =>
      JSON.parse(readFileSync(join(folder, "game.json"), "utf8")).name === game.ready?.name;
    const found = mounted.find(isIts);
    if (found === undefined) throw new Error(`${game.label} has no disk`);
    return found;
  }

  const remount = (disk: string, option: string) =>
    execFileSync("mount", ["-o", `remount,${option}`, disk]);

  /** The players go on without a game server, which then serves again, and end their match. */
  async function goOnWithout(
    victim: Child,
    { players, mend }: { players: readonly [LinePlayer, LinePlayer]; mend(): void },
  ): Promise<void> {
    const { starts } = victim;
    for (const player of players) player.upTo(6);
    for (const player of players) await player.hasEnded(6, faultMs);
    const isTriedTwice = () => victim.starts >= starts + 2;
    await until(isTriedTwice, "it has been started twice more, in vain", faultMs);
    const isBack = victim.nextReady();
    mend();
    await isBack;
    const isShadow = async () => (await scene.holders(players[0].user)).shadow === victim;
    await until(isShadow, "it shadows the match", faultMs);
    await scene.expectEnd(players);
  }

  const linesOf = (game: Child) => logOf(scene.cluster, game).trimEnd().split("\n");

  test.for(["host", "shadow"] as const)(
    "a match goes on when the disk of its %s is full; with space, that game server shadows it again",
    async (role) => {
      const players = await scene.inRound3();
      using _ana = players[0];
      using _bia = players[1];
      const victim = (await scene.holders(players[0].user))[role];
      const disk = diskOf(victim);
      expect(() => writeFileSync(join(disk, "filler"), tooMuch)).toThrow("ENOSPC");
      await goOnWithout(victim, { players, mend: () => remount(disk, "size=50m") });
      const [first, ...others] = linesOf(victim);
      const full = (file: string) =>
        `tertulia: ${join(disk, file)} can't be written (ENOSPC: no space left on device, write). The disk is full: free some space.`;
      expect(first).toBe(full("matches.jsonl"));
      expect(new Set(others)).toEqual(new Set([full("clock.json")]));
      expect(scene.exits()).toEqual(["exit code 1", ...others.map(() => "exit code 1")]);
    },
  );

  test("a match goes on when the folder of its host can only be read", async () => {
    const players = await scene.inRound3();
    using _ana = players[0];
    using _bia = players[1];
    const { host } = await scene.holders(players[0].user);
    const disk = diskOf(host);
    await killAnd(host, () => remount(disk, "ro"));
    await goOnWithout(host, { players, mend: () => remount(disk, "rw") });
    const sentence = `tertulia: The data folder ${disk} is on a disk that can only be read (EROFS): check it, or name another folder by --data.`;
    expect(new Set(linesOf(host))).toEqual(new Set([sentence]));
  });
});
