import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Finding, found, inOrder, levelOf } from "../../../src/cluster/doctor/core/finding.ts";
import { sentenceOf } from "../../../src/cluster/doctor/core/sentence.ts";
import { languages, textsIn } from "../../../src/texts/texts.ts";
import { cases } from "./cases.ts";

describe("[O58] the findings about a host", () => {
  test.each(cases)("the doctor reports %s", (_name, findings, kinds) => {
    expect(findings.map(({ kind }) => kind)).toEqual(kinds);
    expect(findings.map(({ level }) => level)).toEqual(kinds.map((kind) => levelOf[kind]));
  });

  test("each kind of finding has a case, and its sentence has all values in both languages", () => {
    const findings = cases.flatMap(([, all]) => all);
    expect([...new Set(findings.map(({ kind }) => kind))].sort()).toEqual(
      Object.keys(levelOf).sort(),
    );
    for (const language of languages) {
      for (const finding of findings) {
        expect(sentenceOf(finding, textsIn(language))).toMatch(/^[^{}]+$/);
      }
    }
  });

  test("no sentence has a control sequence from a value", () => {
    const finding = found("portUnready", {
      role: "server",
      endpoint: "ipc://x",
      reason: "\x1b[2J",
    });
    expect(sentenceOf(finding, textsIn("en"))).not.toContain("\x1b");
  });

  test("problems come first, then warnings, notes, and what is well", () => {
    const kinds: Finding[] = [
      found("node", { node: "20" }),
      found("dataToCreate", { path: "/d" }),
      found("dataInMemory", { path: "/d" }),
      found("curveMissing", {}),
    ];
    expect(inOrder(kinds)).toEqual([...kinds].reverse());
  });

  test("docs/operations.md lists the level of each kind of finding", () => {
    const page = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8");
    const [, section = ""] = page.split("- **O58**");
    const [table = ""] = section.split("\n- **O");
    const documented = [...table.matchAll(/^\| (`.*?) \| (\w+) \|/gm)].flatMap(
      ([, names = "", level]) => [...names.matchAll(/`(\w+)`/g)].map(([, kind]) => [kind, level]),
    );
    expect(Object.fromEntries(documented)).toEqual(levelOf);
  });
});
