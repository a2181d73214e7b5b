import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Session } from "../src/client/session.ts";
import { parseChannelName, parseUserName } from "../src/protocol/ids.ts";
import { LocalCluster } from "../src/trials/local-cluster.ts";
import { measure } from "./measure.ts";

/**
 * `npm run bench:million [-- PUBLICATIONS [ROUNDS]]`: a cluster whose state holds a million
 * publications, ten channels of as many as retention keeps: what a start takes, memory, what saving
 * the state takes under load, and what a server takes that joins under load.
 */
const publications = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 1);
const channels = 10;
const loadInFlight = 16;
const text = "The quick brown fox jumps over the lazy dog; then it rests a while. "
  .repeat(2)
  .slice(0, 120);

function say(what: string, value: string | number): void {
  process.stdout.write(`${what.padEnd(52)} ${value}\n`);
}

function megabytes(pid: number | undefined): number {
  return Math.round(
    Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)]).toString()) / 1_024,
  );
}

interface LogLine {
  readonly time: string;
  readonly msg: string;
  readonly ms?: number;
  readonly longestPauseMs?: number;
}

function logOf(cluster: LocalCluster, number: number): LogLine[] {
  const path = join(cluster.folder, "logs", `server-${number}.log`);
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as LogLine);
}

async function fill(client: Session): Promise<void> {
  await client.login(parseUserName("bench"));
  for (let at = 0; at < channels; at += 1) await client.createChannel(parseChannelName(`c${at}`));
  let sent = 0;
  const lane = async () => {
    while (sent < publications) {
      sent += 1;
      await client.publish(parseChannelName(`c${sent % channels}`), text);
    }
  };
  await Promise.all(Array.from({ length: 512 }, lane));
}

function publish(client: Session, inFlight: number, seconds: number) {
  return measure((index) => client.publish(parseChannelName(`c${index % channels}`), text), {
    inFlight,
    seconds,
  });
}

function figures(name: string, { perSecond, p50Ms, p99Ms }: Awaited<ReturnType<typeof measure>>) {
  const latency = `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
  say(name, `${Math.round(perSecond)}/s, ${latency}`);
}

for (let round = 1; round <= rounds; round += 1) {
  say(`round ${round}`, "");
  await using cluster = await LocalCluster.start({ logLevel: "info" });
  const client = cluster.client({ proxies: [], deadlineMs: 60_000 });
  const started = performance.now();
  await fill(client);
  say("written, a second", Math.round((1_000 * publications) / (performance.now() - started)));
  const saves = [1, 2, 3].flatMap((number) =>
    logOf(cluster, number).filter(({ msg }) => msg === "Saved the state"),
  );
  const longest = (lines: LogLine[], field: "ms" | "longestPauseMs") =>
    Math.max(...lines.map((line) => line[field] ?? 0));
  say("states saved meanwhile, 3 servers", saves.length);
  say("longest, ms", longest(saves, "ms"));
  say("longest pause of an event loop in them, ms", longest(saves, "longestPauseMs"));
  say(
    "memory of each server, MB",
    cluster
      .of("server")
      .map(({ pid }) => megabytes(pid))
      .join(", "),
  );

  // Journal to replay is what happens to be there at a kill.
  const victim = cluster.server(1);
  const ready = victim.nextReady();
  const killed = performance.now();
  victim.signal("SIGKILL");
  await ready;
  const reads = logOf(cluster, 1).filter(({ msg }) => msg === "Read the disk");
  say("start after kill -9: read the disk, ms", reads.at(-1)?.ms ?? Number.NaN);
  say("start after kill -9: until it serves again, ms", Math.round(performance.now() - killed));
  say("its memory, MB", megabytes(victim.pid));

  figures("under load, 3 servers", await publish(client, loadInFlight, 10));
  const joining = performance.now();
  const load = publish(client, loadInFlight, 24);
  const added = cluster.addServer();
  void added.then(() =>
    say("a fourth server serves after, ms", Math.round(performance.now() - joining)),
  );
  figures("the same while a fourth server joins", await load);
  await added;
  const fourth = logOf(cluster, 4);
  for (const { msg, ms, time } of fourth) {
    if (/saved state|Read the disk|rotation|Saved/i.test(msg)) say(`  ${time} ${msg}`, ms ?? "");
  }
  say("its memory, MB", megabytes(cluster.server(4).pid));
  const stopping = performance.now();
  await cluster.stop();
  say("clean stop of all, ms", Math.round(performance.now() - stopping));
}
process.exit(0);
