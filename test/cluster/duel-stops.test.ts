import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Child } from "../../src/cluster/child.ts";
import { faultMs, MatchScene } from "./match-scene.ts";

let scene: MatchScene;

beforeAll(async () => {
  scene = await MatchScene.start();
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose](), 30_000);

/** Ends processes by SIGTERM at once, and waits until each serves again. */
async function restart(children: readonly Child[]): Promise<void> {
  const areBack = Promise.all(children.map((child) => child.nextReady()));
  for (const child of children) child.signal("SIGTERM");
  await areBack;
}

describe("SIGTERM in the middle of a match", { timeout: 90_000 }, () => {
  test.for(["host", "shadow", "both"] as const)(
    "a match whose %s gets SIGTERM goes on from what the players were told, and the stopped process ends with 0",
    async (which) => {
      const [ana, bia] = await scene.inRound3();
      using _ana = ana;
      using _bia = bia;
      const { host, shadow } = await scene.holders(ana.user);
      const stopped = { host: [host], shadow: [shadow], both: [host, shadow] }[which];
      const before = scene.exits().length;
      for (const player of [ana, bia]) player.upTo(6);
      const areBack = restart(stopped);
      for (const player of [ana, bia]) await player.hasEnded(6, faultMs);
      await areBack;
      await scene.expectEnd([ana, bia]);
      expect(scene.exits().slice(before)).toEqual(stopped.map(() => "exit code 0"));
    },
  );
});
