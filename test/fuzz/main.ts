import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import type { Auth, Sender } from "./corpus.ts";
import type { Grown } from "./memory.ts";
import { type FuzzReport, fuzz } from "./run.ts";
import { fuzzWires } from "./wire.ts";

/**
 *     npm run fuzz                                    100,000 frames, a fresh seed
 *     npm run fuzz -- --frames 1000000 --seed 1       this number of frames, this seed
 *     npm run fuzz -- --auth open --sender strangers  one kind of run alone
 *     npm run fuzz -- --wire 100000                   connections to each port, with changed bytes
 *     npm run fuzz -- --wire 100000 --curve           the same with encryption
 */
const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "100000" },
    seed: { type: "string" },
    auth: { type: "string" },
    sender: { type: "string" },
    wire: { type: "string" },
    curve: { type: "boolean", default: false },
  },
});
const frames = Number(values.frames);
const connections = Number(values.wire ?? 1);
const seed = Number(values.seed ?? randomInt(1, 2 ** 31));

/** The kinds of runs, each with a cluster of its own, and each kind's share of all frames. */
const all: readonly { auth: Auth; sender: Sender; share: number }[] = [
  { auth: "required", sender: "strangers", share: 0.5 },
  { auth: "open", sender: "strangers", share: 0.35 },
  { auth: "required", sender: "users", share: 0.05 },
  { auth: "required", sender: "members", share: 0.05 },
  { auth: "open", sender: "members", share: 0.05 },
];
const runs = all.filter(({ auth, sender }) => {
  return (
    [undefined, auth].includes(values.auth as Auth) &&
    [undefined, sender].includes(values.sender as Sender)
  );
});
const numbers = [frames, connections, seed];
if (numbers.some((number) => !(Number.isSafeInteger(number) && number > 0)) || !runs.length) {
  process.stderr.write(
    "tertulia: --frames, --wire and --seed are whole numbers, --auth is open or required, " +
      "--sender is strangers, users or members; users are there only with --auth required.\n",
  );
  process.exit(2);
}

function say(what: string, value: string | number = ""): void {
  process.stdout.write(`${what.padEnd(28)} ${value}\n`.trimStart());
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1_024 / 1_024)} MiB`.padStart(8);

function tellMemory(memory: readonly Grown[]): void {
  for (const { label, firstBytes, lastBytes, mostBytes } of memory) {
    const quarters = `${megabytes(firstBytes)} first quarter, ${megabytes(lastBytes)} last`;
    say(`  ${label}`, `${quarters}, ${megabytes(mostBytes)} at most`);
  }
}

/** @returns the exit code */
async function runWires(curve: boolean): Promise<number> {
  let done = 0;
  const shown = setInterval(() => process.stderr.write(`  ${done} connections\n`), 10_000);
  const onProgress = (count: number) => {
    done = count;
  };
  const report = await fuzzWires({ curve, connections, seed, onProgress });
  clearInterval(shown);
  for (const [name, { connections: made, greeted, shaken, cutOff }] of Object.entries(
    report.ports,
  )) {
    const parts = `${greeted} greeted, ${shaken} with a good handshake, ${cutOff} cut off`;
    say(`  ${name}`, `${`${made}`.padStart(8)}, ${parts}`);
  }
  const total = Object.values(report.ports).reduce((sum, { connections: one }) => sum + one, 0);
  const { seconds } = report;
  say("  connections", `${`${total}`.padStart(8)}, ${Math.round(total / seconds)} a second`);
  tellMemory(report.memory);
  say("  valid messages", `${report.acknowledged}`.padStart(8));
  for (const problem of report.problems) say("  PROBLEM", problem);
  if (report.problems.length === 0) return 0;
  say("  data and logs", report.folder);
  say("Again", `npm run fuzz -- --wire ${connections}${curve ? " --curve" : ""} --seed ${seed}`);
  return 1;
}

function tell({ sent, seconds, memory, refused, ...rest }: FuzzReport): void {
  const total = Object.values(sent).reduce((sum, count) => sum + count, 0);
  for (const [name, count] of Object.entries(sent)) say(`  ${name}`, `${count}`.padStart(8));
  say("  frames", `${`${total}`.padStart(8)}, ${Math.round(total / seconds)} a second`);
  tellMemory(memory);
  for (const [server, counts] of Object.entries(refused)) say(`  ${server} refused`, counts);
  say("  valid messages", `${rest.acknowledged}`.padStart(8));
  say("  strange events", `${rest.strange ?? "not judged"}`.padStart(8));
  if (rest.problems.length === 0) return;
  for (const problem of rest.problems) say("  PROBLEM", problem);
  for (const [name, kinds] of Object.entries(rest.lastKinds)) say(`  last to ${name}`, kinds);
  say("  data and logs", rest.folder);
}

say("seed", seed);
if (values.wire !== undefined) process.exit(await runWires(values.curve));
const shares = runs.reduce((sum, { share }) => sum + share, 0);
let failed = 0;
for (const { auth, sender, share } of runs) {
  const part = Math.ceil((frames * share) / shares);
  say(`${sender}, --auth ${auth}`);
  let sent = 0;
  const shown = setInterval(() => process.stderr.write(`  ${sent} of ${part}\n`), 10_000);
  const report = await fuzz({ auth, sender, frames: part, seed, onProgress: (n) => (sent = n) });
  clearInterval(shown);
  tell(report);
  if (report.problems.length > 0) failed += 1;
}
if (failed > 0) say("Again", `npm run fuzz -- --frames ${frames} --seed ${seed}`);
process.exit(failed === 0 ? 0 : 1);
