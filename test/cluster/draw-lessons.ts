import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Lessons } from "./lessons.ts";

/** `npm run lessons`: draws the pictures of docs/teaching.md by the page's own commands. */

const folder = fileURLToPath(new URL("../../docs/pictures/teaching/", import.meta.url));
const names = ["causality", "quorum", "partition", "election", "skew"] as const;
const mostTries = 12;

/** Whether a picture shows what the page says: a clock is corrected from its first second on. */
function isTelling(name: (typeof names)[number], svg: string): boolean {
  return name !== "skew" || /differ by at least [45]\d{3}\./.test(svg.replaceAll("\n", " "));
}

await mkdir(folder, { recursive: true });
await using lessons = await Lessons.start();
for (const [at, name] of names.entries()) {
  const heading = Lessons.headings[at] ?? "";
  for (let tries = 1; ; tries += 1) {
    process.stdout.write(await lessons.run(heading));
    const svg = await lessons.picture(name);
    if (isTelling(name, svg)) {
      await writeFile(`${folder}${name}.svg`, svg);
      break;
    }
    if (tries === mostTries) throw new Error(`${heading}: no picture shows what the page says`);
  }
}
