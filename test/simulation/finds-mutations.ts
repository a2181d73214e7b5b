import { describe, expect, test } from "vitest";
import { mutationSeeds, mutationsOf, plant } from "./mutations.ts";
import { type Report, spread } from "./spread.ts";
import { type WorldName, worlds } from "./worlds.ts";

/** Tests that the simulation of a world finds each mutation by the seed that is kept for it. */
export function findsMutations(world: WorldName): void {
  describe("[T10] the simulation finds a rule that is broken on purpose", () => {
    const seeded = mutationsOf(world).map((mutation) => {
      return { ...mutation, seed: mutationSeeds[mutation.name] ?? 1 };
    });
    test.each(seeded)(
      "[$rule] the simulation of seed $seed finds the mutation: $name",
      { timeout: 60_000 },
      async (mutation) => {
        const { seed } = mutation;
        expect(worlds[world](seed).broken, "without the mutation").toBeUndefined();
        using copy = plant(mutation);
        const reports: Report[] = [];
        const note = (report: Report) => reports.push(report) > 0;
        await spread({ world, from: seed, count: 1 }, note, copy.program);
        expect(reports[0]?.broken, "npm run sim -- --hunt looks for another seed").toBeDefined();
      },
    );
  });
}
