import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../src/", import.meta.url));
/** All source files with their text, except the catalogues of texts, which only grow in length. */
const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path) && !/^(trials\/)?texts\//.test(path))
  .map((path) => ({ path, text: readFileSync(`${root}${path}`, "utf8") }));

function linesOf(text: string): number {
  return text.trimEnd().split("\n").length;
}

test("no source file has more than 400 lines", () => {
  const long = files.filter(({ text }) => linesOf(text) > 400).map(({ path }) => path);
  expect(long).toEqual([]);
});

test("no class has more than 300 lines", () => {
  const classes = files.flatMap(({ text }) => [
    ...text.matchAll(/^(?:export )?(?:abstract )?class (\w+)[\s\S]*?^}$/gm),
  ]);
  expect(classes.length).toBeGreaterThan(100);
  const long = classes.filter(([whole]) => linesOf(whole) > 300).map(([, name]) => name);
  expect(long).toEqual([]);
});
