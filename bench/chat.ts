import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseChannelName, parseUserName } from "../src/protocol/ids.ts";
import { LocalCluster } from "../src/trials/local-cluster.ts";
import { percentile } from "./measure.ts";

/**
 * `npm run bench:chat [-- SECONDS [MESSAGES]]`: the full-screen chat in a pseudo-terminal of 120 by 40
 * while so many messages a minute come in: how long from a key to its letter on the screen, and
 * what the chat takes of memory and processor.
 */
const seconds = Number(process.argv[2] ?? 60);
const perMinute = Number(process.argv[3] ?? 10_000);
const writers = 4;
const keyMs = 90;
const letters = 12;
/** What takes so long never comes. */
const mostMs = 20_000;
const clearLine = "\x15";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const state = await mkdtemp(join(tmpdir(), "tertulia-bench-"));

await using cluster = await LocalCluster.start({ servers: 3 });
const clients = Array.from({ length: writers }, () => cluster.client({ proxies: [] }));
for (const [number, client] of clients.entries())
  await client.login(parseUserName(`writer${number}`));
await clients[0]?.createChannel(parseChannelName("bench"));

const { broker, proxy, reference } = cluster.endpoints;
const endpoints = `--broker ${broker} --proxy ${proxy} --reference ${reference}`;
const pidFile = join(state, "pid");
const chat = `stty cols 120 rows 40; echo $$ > ${pidFile}; exec ${process.execPath} ${cli} chat --user ana ${endpoints}`;
const terminal = spawn("script", ["-qfc", chat, "/dev/null"], {
  env: { ...process.env, TERM: "xterm-256color", LANG: "C.UTF-8", XDG_STATE_HOME: state },
});

/** What was drawn since the last key, and who waits for something in it. */
let drawn = "";
let bytes = 0;
let waiting: { readonly text: string; seen(): void } | undefined;
terminal.stdout.setEncoding("utf8").on("data", (chunk: string) => {
  bytes += Buffer.byteLength(chunk);
  drawn += chunk;
  if (waiting !== undefined && drawn.includes(waiting.text)) {
    waiting.seen();
    waiting = undefined;
  }
});

function shows(text: string): Promise<void> {
  if (drawn.includes(text)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`never drawn: ${text}`)), mostMs);
    const seen = () => {
      clearTimeout(timer);
      resolve();
    };
    waiting = { text, seen };
  });
}

/** @returns milliseconds until the input's line ends in what was typed so far */
async function type(letter: string, text: string): Promise<number> {
  drawn = "";
  const startMs = performance.now();
  terminal.stdin.write(letter);
  await shows(`› \x1b[0m${text}\x1b`);
  return performance.now() - startMs;
}

let published = 0;
async function publish(untilMs: number): Promise<void> {
  const startMs = performance.now();
  const open: Promise<unknown>[] = [];
  while (performance.now() < untilMs) {
    const due = ((performance.now() - startMs) / 60_000) * perMinute;
    for (; published < due; published += 1) {
      const number = published % writers;
      const text = `${published} O sistema está funcionando 🙂 e ${"conta ".repeat(published % 9)}até aqui`;
      const sent = clients[number]?.publish(parseChannelName("bench"), text);
      if (sent !== undefined) open.push(sent);
    }
    await pause(5);
  }
  await Promise.all(open);
}

async function memory(): Promise<number> {
  const pid = (await readFile(pidFile, "utf8")).trim();
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
}

/** Seconds of processor time so far. */
async function processor(): Promise<number> {
  const pid = (await readFile(pidFile, "utf8")).trim();
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const told = (latencies: readonly number[]) => {
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => percentile(latencies, share).toFixed(1));
  return `p50 ${p50} ms, p99 ${p99} ms, longest ${most} ms (${latencies.length} keys)`;
};

async function measure(untilMs: number, onRound: () => Promise<void>): Promise<number[]> {
  const latencies: number[] = [];
  while (performance.now() < untilMs) {
    let text = "";
    for (let count = 0; count < letters; count += 1) {
      const letter = String.fromCharCode(97 + count);
      text += letter;
      latencies.push(await type(letter, text));
      await pause(keyMs);
    }
    await type(clearLine, "");
    await onRound();
  }
  return latencies;
}

await shows("connected");
await shows("#bench");
say(`quiet: ${told(await measure(performance.now() + 5_000, async () => {}))}`);
const before = { memory: await memory(), processor: await processor(), bytes };
const samples: string[] = [];
let sampleMs = performance.now();
const startMs = performance.now();
const untilMs = startMs + seconds * 1_000;
const [latencies] = await Promise.all([
  measure(untilMs, async () => {
    if (performance.now() < sampleMs) return;
    sampleMs += 10_000;
    samples.push((await memory()).toFixed(0));
  }),
  publish(untilMs),
]);
const tookMs = performance.now() - startMs;
const share = (100_000 * ((await processor()) - before.processor)) / tookMs;
say(`${Math.round((published / tookMs) * 60_000)} messages a minute: ${told(latencies)}`);
say(`memory each 10 s, MiB: ${samples.join(" ")}; at the end ${(await memory()).toFixed(0)}`);
say(
  `processor: ${share.toFixed(0)} % of one core; written: ${Math.round((bytes - before.bytes) / tookMs)} KB/s`,
);
terminal.stdin.write("/quit\r");
await new Promise((resolve) => terminal.once("close", resolve));
await rm(state, { recursive: true, force: true });
