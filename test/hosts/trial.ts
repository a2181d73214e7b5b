import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pause } from "../../src/platform/clock.ts";
import { withKey } from "../../src/platform/endpoint.ts";
import { serverFolders } from "../../src/storage/verify.ts";
import { saveJournals } from "../../src/trials/saved-states.ts";
import { Hosts, type StatusLine } from "../cluster/hosts.ts";
import { hasPrometheus, Prometheus } from "../support/prometheus.ts";
import { until } from "../support/until.ts";
import { plans, type Scene } from "./faults.ts";
import { Load } from "./load.ts";
import { Network } from "./network.ts";
import { Watch } from "./watch.ts";

/** The program that main.ts runs in namespaces of its own. */
const seconds = Number(process.env.SECONDS);
const chosen = process.env.FAULTS?.split(",") ?? [];
const names = ["ana", "bia", "caio"];
const password = "the long password of ana\n";
const patienceMs = 120_000;
/** The longest that the alerts of the fault before may go on, in ms. */
const calmMs = 180_000;
/** How long each fault lasts at least, in ms. */
const shortestMs = 20_000;
const sends = 9;
const slowLossy = [80, 0.01] as const;

const counts = { passed: 0, failed: 0 };

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function check(isRight: boolean, what: string): void {
  counts[isRight ? "passed" : "failed"] += 1;
  if (!isRight) say(`FAILED: ${what}`);
}

const secondsOf = (ms: number | undefined) => (ms === undefined ? "–" : (ms / 1_000).toFixed(1));

async function startHosts(network: Network): Promise<Scene> {
  const folder = tmpdir();
  const [logs, clockFile] = [join(folder, "logs"), join(folder, "clock")];
  mkdirSync(logs);
  const falseClocks = new Set<string>();
  const clock = [
    "LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1",
    `FAKETIME_TIMESTAMP_FILE=${clockFile}`,
    "FAKETIME_CACHE_DURATION=1",
    "FAKETIME_DONT_FAKE_MONOTONIC=1",
  ];
  const inside = (name: string) => [
    ...["ip", "netns", "exec", name],
    ...(falseClocks.has(name) ? ["env", ...clock] : []),
  ];
  const hosts = await Hosts.start({ network: network.network, inside, logs });
  return { hosts, network, clockFile, falseClocks };
}

async function startLoad({ hosts }: Scene): Promise<Load> {
  const input = { input: password };
  for (const words of ["register ana", "login ana", "create '#geral'"]) {
    const { code, stderr } = await hosts.run(words, input);
    if (code !== 0) throw new Error(`${words}: ${stderr}`);
  }
  const at = (port: number) => {
    const endpoints = hosts.names.map((name) => `tcp://${hosts.address(name)}:${port}`);
    return withKey(endpoints, hosts.publicKey);
  };
  return await Load.start({ brokers: at(5555), proxies: at(5558) });
}

/** The Prometheus of the page, which is on people's host. */
async function startPrometheus(): Promise<Prometheus | undefined> {
  if (!hasPrometheus) say("Prometheus is not installed, so no alerts are looked at.");
  if (!hasPrometheus) return undefined;
  const page = readFileSync("docs/three-hosts.md", "utf8");
  const [, jobs = ""] = /^```yaml\n(scrape_configs:[\s\S]*?)^```/m.exec(page) ?? [];
  // The intervals of ops/prometheus/prometheus.yml.
  const intervals = "global: { scrape_interval: 5s, evaluation_interval: 5s }";
  return await Prometheus.start(`${intervals}\nrule_files: [rules.yml]\n${jobs}`);
}

/** Prints how long `tertulia send` takes with different delays. */
async function sendThrough({ hosts, network }: Scene): Promise<void> {
  for (const ms of [0, 1, 20, 80]) {
    network.setAll({ out: [ms, 0] });
    const times: number[] = [];
    const codes = new Set<number | null>();
    for (let number = 0; number < sends; number += 1) {
      const begun = performance.now();
      const { code } = await hosts.asPerson(["send", "#geral", `${ms} ms`]);
      times.push(performance.now() - begun);
      codes.add(code);
    }
    check(String([...codes]) === "0", `send at ${ms} ms has the exit codes ${[...codes]}`);
    const median = times.sort((a, b) => a - b)[(sends - 1) / 2] ?? 0;
    say(`send, ${ms} ms one way: ${Math.round(median)} ms (median of ${sends})`);
  }
  network.set({});
}

/** Slow cables that lose frames, everywhere: no election, no view change, and all is acknowledged. */
async function slowAndLossy(scene: Scene, load: Load): Promise<void> {
  const officeOf = ({ coordinator, epoch, view }: StatusLine) =>
    JSON.stringify({ coordinator, epoch, view: view?.number });
  scene.network.setAll({ out: slowLossy });
  const begun = officeOf(await scene.hosts.status());
  await load.take();
  const offices = new Set([begun]);
  const endMs = performance.now() + seconds * 1_000;
  while (performance.now() < endMs) {
    await pause(Math.min(5_000, endMs - performance.now()));
    const status = await scene.hosts.status();
    if (status.coordinator !== null) offices.add(officeOf(status));
  }
  const { sent, failed, slowestMs } = await load.take();
  scene.network.set({});
  const link = `${slowLossy[0]} ms and ${100 * slowLossy[1]} % loss for ${seconds} s`;
  const said = `coordinator and view ${[...offices].join(", then ")}`;
  say(`${link}: ${said}; failed ${failed} of ${sent}, slowest ${secondsOf(slowestMs)} s`);
  check(offices.size === 1, `${link}: there was an election or a change of the view`);
  check(failed === 0, `${link}: ${failed} messages failed`);
}

/** Lets a fault come and go, and prints a row of the table. */
async function suffer(name: string, { scene, watch, load }: Trial): Promise<void> {
  const fault = await plans[name]?.(scene);
  if (fault === undefined) return;
  await watch.healthy(patienceMs);
  await watch.calm(calmMs);
  await load.take();
  const seen = watch.begin(fault);
  await fault.begin();
  const isSeen = () => seen.isAll && performance.now() > seen.begunMs + shortestMs;
  // Below is a check of what was seen.
  await until(isSeen, "status and the alerts say so", patienceMs).catch(() => {});
  const watched = watch.end();
  await fault.mend();
  const mendedMs = performance.now();
  await watched;
  await watch.healthy(patienceMs);
  const healthyMs = performance.now() - mendedMs;
  const { sent, failed, slowestMs } = await load.take();
  const figures = [`${failed} of ${sent}`, secondsOf(slowestMs), secondsOf(healthyMs)];
  say(`| ${[fault.what, ...seen.cells, ...figures].join(" | ")} |`);
  check(seen.isAll, `${fault.what}: status or the alerts lack ${seen.lacks}`);
  if (!fault.isFatal) check(failed === 0, `${fault.what}: ${failed} messages failed`);
}

/** Expects each acknowledged message once: at the listener, in the history, and at each server. */
async function expectAll({ hosts }: Scene, load: Load): Promise<void> {
  const unheard = await load.stop();
  check(unheard.length === 0, `the listener has not heard ${unheard.slice(0, 5)}`);
  check(load.heardTwice.length === 0, `the listener heard twice ${load.heardTwice.slice(0, 5)}`);
  const found = new Map([["the history", await load.history()]]);
  load.close();
  for (const name of hosts.names) await hosts.end(name, "SIGTERM");
  for (const name of hosts.names) {
    await saveJournals(hosts.data(name), {});
    found.set(`the server of ${name}`, timesIn(hosts.data(name)));
  }
  for (const [where, times] of found) {
    const of = (isWrong: (count: number) => boolean) =>
      [...load.acknowledged].filter((text) => isWrong(times.get(text) ?? 0));
    const [lost, doubled] = [of((count) => count === 0), of((count) => count > 1)];
    const late = [...load.failed].filter((text) => times.has(text)).length;
    say(
      `${where}: lost ${lost.length}, doubled ${doubled.length} of ${load.acknowledged.size}` +
        `; of ${load.failed.size} that failed, it has ${late}`,
    );
    check(lost.length === 0, `${where} lacks ${lost.slice(0, 5)}`);
    check(doubled.length === 0, `${where} has twice ${doubled.slice(0, 5)}`);
  }
}

/** How many ids each text has in the saved state of a stopped server. */
function timesIn(data: string): Map<string, number> {
  const ids = new Map<string, Set<string>>();
  for (const folder of serverFolders(data)) {
    const text = readFileSync(join(folder, "publications.json"), "utf8");
    for (const { message, id } of JSON.parse(text) as { message: string; id: string }[]) {
      ids.set(message, (ids.get(message) ?? new Set()).add(id));
    }
  }
  return new Map([...ids].map(([text, { size }]) => [text, size]));
}

interface Trial {
  readonly scene: Scene;
  readonly watch: Watch;
  readonly load: Load;
}

async function run(): Promise<void> {
  const network = await Network.start(names);
  const begunMs = performance.now();
  const scene = await startHosts(network);
  const watch = new Watch(scene.hosts, await startPrometheus());
  await watch.healthy(patienceMs);
  say(`healthy after ${secondsOf(performance.now() - begunMs)} s`);
  const load = await startLoad(scene);
  await sendThrough(scene);
  if (seconds > 0) await slowAndLossy(scene, load);
  say("| Fault | `status` first, after s | all of it | firing | failed | slowest s | healthy s |");
  say("| --- | --- | --- | --- | --- | --- | --- |");
  const hasFaketime = spawnSync("faketime", ["--version"]).status === 0;
  for (const name of chosen) {
    if (name === "clock" && !hasFaketime) say("faketime is not installed, so no clock is false.");
    else {
      const failed = ({ message }: Error) => check(false, `${name}: ${message}`);
      await suffer(name, { scene, watch, load }).catch(failed);
    }
  }
  await expectAll(scene, load);
}

function tellLogs(): void {
  const folder = join(tmpdir(), "logs");
  for (const file of readdirSync(folder)) {
    const lines = readFileSync(join(folder, file), "utf8").trimEnd().split("\n");
    process.stderr.write(`${file}:\n${lines.slice(-5).join("\n")}\n`);
  }
}

// The program ends at the end of its input, and all its namespaces with it.
process.stdin.on("end", () => process.exit(1)).resume();
mkdirSync("/run/netns", { recursive: true });
execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run/netns"]);
try {
  await run();
} catch (error) {
  check(false, (error as Error).message);
  tellLogs();
}
say(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed > 0 ? 1 : 0);
