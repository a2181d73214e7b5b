import { spawnSync } from "node:child_process";
import { chmod, cp, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runChaos } from "../../../src/trials/chaos/chaos.ts";
import { rules } from "../../../src/trials/chaos/core/checker.ts";
import type { Verdict } from "../../../src/trials/chaos/core/verdict.ts";
import { hasPostgres, skipNote } from "../../../src/trials/postgres.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { CliProcess } from "../../terminal/cli-process.ts";

const whole = { timeout: 120_000 };

describe("tertulia chaos", () => {
  test(
    "[R5] [R6] a chaos run without violations ends with code 0 and a report, and removes its folder",
    whole,
    async () => {
      await using temporary = await temporaryFolder();
      const report = join(temporary.path, "report.html");
      // The run's temporary folder is inside the test's folder, which is removed.
      using command = new CliProcess(
        ["chaos", "--seconds", "9", "--seed", "3", "--json", "--report", report],
        { TMPDIR: temporary.path },
      );
      const { code, stdout, stderr } = await command.end();
      const verdict = JSON.parse(stdout) as Verdict & { plan: unknown[]; folder?: string };
      expect({ code, stderr, examples: verdict.examples }).toEqual({
        code: 0,
        stderr: "",
        examples: [],
      });
      for (const rule of rules) expect(verdict[rule], rule).toBe(0);
      expect(verdict.seed).toBe(3);
      expect(verdict.plan.length).toBeGreaterThan(2);
      expect(verdict.acknowledged).toBeGreaterThan(100);
      expect(verdict.folder).toBeUndefined();
      const page = await readFile(report, "utf8");
      expect(page).toContain("Chaos run, seed 3");
      expect(page.match(/<svg /g)).toHaveLength(3);
      expect(page, "it needs nothing from elsewhere").not.toMatch(/<script|<link|<img|url\(/);
    },
  );

  test.skipIf(!hasPostgres)(
    `[K1] [K2] a chaos run on an engine loses and doubles nothing when the standby is promoted${skipNote}`,
    whole,
    async () => {
      await using temporary = await temporaryFolder();
      // PostgreSQL runs as a user of its own, and has its folder in this one.
      await chmod(temporary.path, 0o755);
      using command = new CliProcess(
        ["chaos", "--postgres", "--seconds", "12", "--seed", "11", "--json"],
        { TMPDIR: temporary.path },
      );
      const { code, stdout, stderr } = await command.end();
      const verdict = JSON.parse(stdout) as Verdict;
      const { examples } = verdict;
      expect({ code, stderr, examples }).toEqual({ code: 0, stderr: "", examples: [] });
      for (const rule of rules) expect(verdict[rule], rule).toBe(0);
      expect(verdict.faults.promote).toBeGreaterThan(0);
      expect(verdict.acknowledged).toBeGreaterThan(50);
    },
  );

  test("a chaos run that is aborted early still ends with a verdict", whole, async () => {
    await using temporary = await temporaryFolder();
    const stopping = new AbortController();
    let faults = 0;
    const { verdict, lengthMs } = await runChaos(
      { seconds: 600, seed: 4, servers: 1, folder: temporary.path },
      {
        onPhase: () => {},
        onFault: () => {
          faults += 1;
          if (faults === 2) stopping.abort();
        },
      },
      stopping.signal,
    );
    expect(verdict.examples).toEqual([]);
    expect(lengthMs).toBeLessThan(60_000);
  });

  test("the command `chaos` with an invalid value ends with one sentence and exit code 2", async () => {
    using command = new CliProcess(["chaos", "--seconds", "soon"]);
    const { code, stderr } = await command.end();
    expect(code).toBe(2);
    expect(stderr).toMatch(/^tertulia: --seconds: "soon" won't do: .*\n$/);
  });

  test("the command `chaos` in a package without the trials ends with a sentence that says that the trials are missing", async () => {
    await using temporary = await temporaryFolder();
    const root = fileURLToPath(new URL("../../../", import.meta.url));
    const isKept = (path: string) => path !== join(root, "dist", "trials");
    await cp(join(root, "dist"), join(temporary.path, "dist"), { recursive: true, filter: isKept });
    await cp(join(root, "package.json"), join(temporary.path, "package.json"));
    await symlink(join(root, "node_modules"), join(temporary.path, "node_modules"));
    const cli = join(temporary.path, "dist", "cli.js");
    const { status, stderr } = spawnSync(process.execPath, [cli, "chaos", "--lang", "en"], {
      encoding: "utf8",
    });
    expect(stderr).toMatch(/^tertulia: The test bench is not part of .*\n$/);
    expect(status).toBe(1);
  });

  test("the command `chaos` with a report path that can't be written ends before the run", async () => {
    using command = new CliProcess(["chaos", "--report", "/nowhere/report.html"]);
    const { code, stderr } = await command.end();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tertulia: .*\/nowhere\/report\.html.*\n$/);
  });
});
