import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { mutationSeeds, mutationsOf, saveMutationSeeds } from "./mutations.ts";
import { plant } from "./planted.ts";
import { type Report, spread } from "./spread.ts";
import type { WorldName } from "./worlds.ts";

/**
 *     npm run sim                             fresh seeds
 *     npm run sim -- --seed 7 --runs 100      these seeds
 *     npm run sim -- --mutation NAME          the code with the mutation, from its seed on
 *     npm run sim -- --hunt [--mutation NAME] looks for a seed that catches each mutation
 *     npm run sim -- --matches                the same with game servers, and the mutations of them
 */
const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    runs: { type: "string", default: "1000" },
    hunt: { type: "boolean", default: false },
    mutation: { type: "string" },
    matches: { type: "boolean", default: false },
  },
});
const world: WorldName = values.matches ? "matches" : "cluster";
const flag = values.matches ? " --matches" : "";
const chosen = mutationsOf(world).filter(({ name }) => [undefined, name].includes(values.mutation));
if (chosen.length === 0) {
  const text = `there is no mutation "${values.mutation}" of the ${world}; --matches chooses the other ones`;
  process.stderr.write(`tertulia: ${text}.\n`);
  process.exit(2);
}
const planted = values.hunt || values.mutation === undefined ? undefined : chosen[0];
const first = values.hunt ? 1 : randomInt(1, 2 ** 31);
const from = Number(values.seed ?? mutationSeeds[planted?.name ?? ""] ?? first);
const runs = Number(values.runs);
if (!Number.isSafeInteger(from) || !Number.isSafeInteger(runs) || runs < 1) {
  process.stderr.write("tertulia: --seed and --runs are whole numbers.\n");
  process.exit(2);
}

/** What is counted as acknowledged in each world. */
const told: Readonly<Record<WorldName, string>> = {
  cluster: "messages acknowledged",
  matches: "events told to players",
};

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The number of lines of a story that are printed, before the command that repeats the run. */
const storyLines = 60;

function tell({ seed, story }: Report): void {
  const rest = story.length - storyLines;
  if (rest > 0) say(`… ${rest} lines before`);
  for (const line of story.slice(-storyLines)) say(line);
  const mutated = planted === undefined ? "" : ` --mutation "${planted.name}"`;
  say(`\nAgain: npm run sim --${flag} --seed ${seed} --runs 1${mutated}`);
}

async function simulate(): Promise<number> {
  using mutant = await plant(planted ?? { name: "unchanged", edits: [] });
  const started = performance.now();
  let done = 0;
  let acknowledged = 0;
  const counts = new Map<string, number>();
  let broken: Report | undefined;
  const shown = setInterval(() => process.stderr.write(`${done} of ${runs}\n`), 10_000);
  say(`Seeds from ${from}, ${runs} of them`);
  const note = (report: Report) => {
    done += 1;
    acknowledged += report.acknowledged;
    for (const [what, count] of Object.entries(report.counts ?? {})) {
      counts.set(what, (counts.get(what) ?? 0) + count);
    }
    if (report.broken !== undefined) broken = report;
    return broken === undefined;
  };
  await spread({ world, from, count: runs }, note, mutant.program);
  clearInterval(shown);
  const perMinute = Math.round((60_000 * done) / (performance.now() - started));
  if (broken !== undefined) tell(broken);
  if (counts.size > 0) say([...counts].map(([what, count]) => `${count} ${what}`).join(", "));
  const verdict = broken === undefined ? "All promises were kept" : "A promise was broken";
  say(`${verdict}: ${done} seeds, ${acknowledged} ${told[world]}, ${perMinute} seeds a minute`);
  return broken === undefined ? 0 : 1;
}

/** Runs seeds until one breaks a promise of the mutated code. @returns its report */
async function huntIn(program: string, from: number, count: number): Promise<Report | undefined> {
  let caught: Report | undefined;
  const note = (report: Report) => {
    if (report.broken !== undefined) caught = report;
    return caught === undefined;
  };
  await spread({ world, from, count }, note, program);
  return caught;
}

async function hunt(): Promise<number> {
  let missed = 0;
  for (const { name, ...mutation } of chosen) {
    // Others are found by a test of their own.
    if (mutation.test !== undefined) continue;
    using mutant = await plant({ name, ...mutation });
    const known = mutationSeeds[name];
    const caught =
      (known !== undefined && (await huntIn(mutant.program, known, 1))) ||
      (await huntIn(mutant.program, from, runs));
    if (caught) mutationSeeds[name] = caught.seed;
    else missed += 1;
    saveMutationSeeds();
    const how = caught ? caught.broken?.split("\n")[0]?.slice(0, 200) : "";
    say(`${caught ? `seed ${caught.seed}` : "MISSED"}: ${name}  ${how}`);
  }
  return missed === 0 ? 0 : 1;
}

process.exitCode = await (values.hunt ? hunt() : simulate());
