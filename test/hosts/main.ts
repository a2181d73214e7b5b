import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { plans } from "./faults.ts";

/**
 *     npm run test:hosts                      all faults, one after the other
 *     npm run test:hosts -- --only cable      one fault; may be given several times
 *     npm run test:hosts -- --seconds 600     so long with slow cables that lose frames
 *
 * Runs trial.ts in namespaces of its own, so that all its processes, mounts and network namespaces
 * end with it. Needs Linux, root and iproute2.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "120" },
    only: { type: "string", multiple: true, default: [] },
  },
});

function refuse(sentence: string): never {
  process.stderr.write(`test:hosts: ${sentence}\n`);
  process.exit(2);
}

if (!/^\d+$/.test(values.seconds)) refuse("--seconds is a whole number.");
const unknown = values.only.find((name) => !Object.hasOwn(plans, name));
if (unknown !== undefined) {
  refuse(`There is no fault ${unknown}. There are: ${Object.keys(plans).join(", ")}.`);
}
if (process.getuid?.() !== 0) refuse("Run it as root: it makes network namespaces.");
if (!existsSync("/dev/net/tun")) refuse("This machine has no /dev/net/tun.");
for (const [program, flag] of [
  ["ip", "-V"],
  ["unshare", "--version"],
  ["python3", "--version"],
] as const) {
  if (spawnSync(program, [flag]).status !== 0) refuse(`The program ${program} is missing.`);
}

const trial = fileURLToPath(new URL("trial.ts", import.meta.url));
const own = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
await using folder = await temporaryFolder();
// The trial ends at the end of its input, so it ends with this process in any case.
const child = spawn("unshare", [...own, process.execPath, "--import", "tsx", trial], {
  env: {
    ...process.env,
    TMPDIR: folder.path,
    SECONDS: values.seconds,
    FAULTS: (values.only.length > 0 ? values.only : Object.keys(plans)).join(),
  },
  stdio: ["pipe", "inherit", "inherit"],
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => child.stdin.end());
const [code] = await once(child, "close");
process.exitCode = code ?? 1;
