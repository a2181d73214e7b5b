import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { rows } from "../src/platform/settings.ts";
import { errorCodes } from "../src/protocol/errors.ts";
import { durations, limits } from "../src/protocol/limits.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** The cells of all table rows whose first cell is a name in backticks. */
function tableRows(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const cells = line.split("|").map((cell) => cell.trim());
    const name = /^`(\w+)`$/.exec(cells[1] ?? "")?.[1];
    if (name !== undefined) found.set(name, cells.slice(2));
  }
  return found;
}

describe("docs/protocol.md", () => {
  const table = tableRows(read("docs/protocol.md"));

  test.each(Object.entries({ ...limits, ...durations }))(
    "has the bound %s as it is",
    (name, value) => {
      expect(table.get(name)?.[0]).toBe(String(value));
    },
  );

  test.each(Object.keys(errorCodes))("explains the code %s", (code) => {
    expect(table.has(code)).toBe(true);
  });
});

test.each(Object.values(rows).map(({ env }) => env))(
  "docs/operations.md names the setting %s",
  (env) => expect(read("docs/operations.md")).toContain(env),
);

describe("docs that cite tests", () => {
  const tests = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => read(join("test", path)))
    .join("\n");
  const guarantees = [...read("docs/guarantees.md").matchAll(/`(\[[A-Z]\d+\][^`]*)`/g)];
  // The last cell of a row of threats: titles, files, commands.
  const threats = [...read("docs/security.md").matchAll(/^\| .* \| .* \| (.*) \|$/gm)];
  const shown = threats.flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)]);
  const titles = [...guarantees, ...shown]
    .map(([, title = ""]) => title)
    .filter((title) => !/^(test\/|npm )/.test(title));

  test("cite them by their titles", () => {
    expect(guarantees.length).toBeGreaterThan(10);
    expect(shown.length).toBeGreaterThan(threats.length - 2);
  });

  test.each([...new Set(titles)])("a test that is cited is there: %s", (title) => {
    // A title may be a template: only its fixed beginning is compared.
    expect(tests).toContain(title.split(/[%$(…]/)[0]?.trimEnd());
  });
});
