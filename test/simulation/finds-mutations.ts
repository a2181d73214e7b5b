import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type Mutation, mutationSeeds, mutationsOf } from "./mutations.ts";
import { plant } from "./planted.ts";
import { type Report, spread } from "./spread.ts";
import { type WorldName, worlds } from "./worlds.ts";

const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));

/** Tests that each mutation of a world is found: by the seed that is kept for it, or by its own test. */
export function findsMutations(world: WorldName): void {
  describe("[T10] the simulation finds a rule that is broken on purpose", () => {
    const seeded = mutationsOf(world).flatMap((mutation) => {
      const { name } = mutation;
      return mutation.test === undefined ? { ...mutation, seed: mutationSeeds[name] ?? 1 } : [];
    });
    test.each(seeded)(
      "[$rule] the simulation of seed $seed finds the mutation: $name",
      { timeout: 60_000 },
      async (mutation) => {
        const { seed } = mutation;
        expect(worlds[world](seed).broken, "without the mutation").toBeUndefined();
        using mutant = await plant(mutation);
        const reports: Report[] = [];
        const note = (report: Report) => reports.push(report) > 0;
        await spread({ world, from: seed, count: 1 }, note, mutant.program);
        expect(reports[0]?.broken, "npm run sim -- --hunt looks for another seed").toBeDefined();
      },
    );
    const directed = mutationsOf(world).filter((mutation) => mutation.test !== undefined);
    test.skipIf(directed.length === 0).each(directed)(
      "[$rule] a test of its own finds the mutation: $name",
      { timeout: 60_000 },
      async (mutation) => {
        expect(await failedTests(mutation)).toContain(mutation.test);
      },
    );
  });
}

interface TestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

/** Runs the tests of hosts on the mutated code. @returns the titles of those that fail */
async function failedTests(mutation: Mutation): Promise<readonly string[]> {
  using mutant = await plant(mutation, "test/game/core/hosting.test.ts");
  const words = ["run", "--root", mutant.folder, "--reporter=json"];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [vitest, ...words], { cwd: mutant.folder }, (_, stdout) =>
      resolve(stdout),
    );
  });
  const { testResults }: TestReport = JSON.parse(output);
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  return all.flatMap(({ title, status }) => (status === "failed" ? title : []));
}
