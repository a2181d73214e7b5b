import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { Session } from "../../src/client/session.ts";
import { Child } from "../../src/cluster/child.ts";
import { openLog } from "../../src/platform/log.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { durations } from "../../src/protocol/limits.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { wrongClock } from "../support/wrong-clock.ts";

const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const skewsMs = [-1_000, 0, 1_000];
const closeMs = 20;

/** A server, in addition to the cluster's own processes, whose clock is `skewMs` ahead. */
function skewedServer(cluster: LocalCluster, number: number, skewMs: number): Child {
  const { broker, brokerBack, proxy, proxyIn, reference } = cluster.endpoints;
  return new Child({
    role: "server",
    number,
    environment: () => ({
      TERTULIA_DATA: cluster.folder,
      TERTULIA_LOG_LEVEL: "error",
      TERTULIA_BIND: "tcp://127.0.0.1:*",
      TERTULIA_BROKER: broker,
      TERTULIA_BROKER_BACK: brokerBack,
      TERTULIA_PROXY: proxy,
      TERTULIA_PROXY_IN: proxyIn,
      TERTULIA_REFERENCE: reference,
      ...wrongClock(skewMs),
    }),
    stderr: "inherit",
    log: openLog({ level: "error", role: "up", name: () => "test", clock: () => 0 }),
  });
}

interface Status {
  readonly coordinator: string | null;
  readonly processes: readonly {
    readonly name: string;
    readonly live: boolean | null;
    readonly offsetMs: number | null;
    readonly lastCorrectionMs: number | null;
    readonly clockRounds: number | null;
  }[];
}

/** The status that `tertulia status` prints; without processes if the command prints nothing. */
async function statusOf(cluster: LocalCluster): Promise<Status> {
  const { broker, reference } = cluster.endpoints;
  const args = ["status", "--json", "--broker", broker, "--reference", reference];
  const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args]).catch(
    (error: { readonly stdout: string }) => error,
  );
  return stdout === "" ? { coordinator: null, processes: [] } : JSON.parse(stdout);
}

/**
 * The largest difference between the servers' corrected times, in ms; infinite if a time is
 * unknown.
 */
function spreadMs({ processes }: Status, servers: readonly Child[]): number {
  const times = servers.map(({ ready, number }) => {
    const row = processes.find(({ name, live }) => live === true && name === ready?.name);
    return (row?.offsetMs ?? Number.NaN) + (skewsMs[number - 1] ?? Number.NaN);
  });
  const spread = Math.max(...times) - Math.min(...times);
  return Number.isNaN(spread) ? Number.POSITIVE_INFINITY : spread;
}

/** An event's time, and the times of the test's clock before and after the request. */
interface Stamped {
  readonly server: string;
  readonly seq: number;
  readonly timeMs: number;
  readonly sentMs: number;
  readonly receivedMs: number;
}

/** Publishes one message after another until `signal` aborts. */
async function publish(client: Session, events: Stamped[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const sentMs = Date.now();
    const { server, seq, timestamp } = await client.publish(
      parseChannelName("geral"),
      "what time is it?",
    );
    const times = { timeMs: Date.parse(timestamp), sentMs, receivedMs: Date.now() };
    events.push({ server, seq, ...times });
  }
}

/**
 * The least amount, in ms, by which the events' clock must have moved against the test's clock to
 * give `events` these times.
 */
function jumpMs(events: readonly Stamped[]): number {
  const least = events.map(({ timeMs, receivedMs }) => timeMs - receivedMs);
  const most = events.map(({ timeMs, sentMs }) => timeMs - sentMs);
  return Math.max(...least) - Math.min(...most);
}

test("[E5] servers' clocks that are a second off agree within five rounds, and none jumps when the coordinator is killed", {
  timeout: 90_000,
}, async () => {
  await using cluster = await LocalCluster.start({ servers: 0 });
  const servers = skewsMs.map((skewMs, at) => skewedServer(cluster, at + 1, skewMs));
  await using _stop = {
    [Symbol.asyncDispose]: async () => {
      await Promise.all(servers.map((server) => server.stop(10_000)));
    },
  };
  await Promise.all(servers.map((server) => server.start()));
  const client = cluster.client({ deadlineMs: 30_000 });
  await client.login(parseUserName("ana"));
  await client.createChannel(parseChannelName("geral"));
  const events: Stamped[] = [];
  const calledOff = new AbortController();
  const publishing = publish(client, events, calledOff.signal);
  publishing.catch(() => {});

  let status: Status | undefined;
  const agree = async () => {
    status = await statusOf(cluster);
    return status.coordinator !== null && spreadMs(status, servers) <= closeMs;
  };
  await until(agree, "the offsets meet", 5 * durations.clockRoundMs);
  // A server whose clock was ahead has given events future times. Its time stands still until these
  // times have passed.
  const newest = () => {
    return servers.flatMap(({ ready }) => {
      return events.filter(({ server }) => server === ready?.name).slice(-5);
    });
  };
  const isRight = () => newest().length === 5 * servers.length && jumpMs(newest()) <= closeMs;
  await until(isRight, "so do the times of events");
  const agreedAt = events.length;
  /** Resolves when each server has made `count` more events. */
  const madeByEach = (count: number) => {
    const from = events.length;
    const isDone = ({ ready }: Child) => {
      return events.slice(from).filter(({ server }) => server === ready?.name).length >= count;
    };
    return until(() => servers.every(isDone), `${count} more events of each`);
  };
  await madeByEach(20);

  const corrected = (told: Status) => {
    return servers.map(({ ready }) => told.processes.find(({ name }) => name === ready?.name));
  };
  const earlier = corrected(await statusOf(cluster));
  const isRising = async () => {
    return corrected(await statusOf(cluster)).every((row, at) => {
      return (row?.clockRounds ?? 0) > (earlier[at]?.clockRounds ?? Number.NaN);
    });
  };
  for (const row of earlier) expect(row?.lastCorrectionMs).toEqual(expect.any(Number));
  await until(isRising, "each took part in another round", 3 * durations.clockRoundMs);

  const first = servers.find(({ ready }) => ready?.name === status?.coordinator) as Child;
  const rest = servers.filter((server) => server !== first);
  const back = first.nextReady();
  const killedAt = events.length;
  first.signal("SIGKILL");
  await back;
  const isNext = async () => (await agree()) && status?.coordinator !== first.ready?.name;
  await until(isNext, "another coordinator has told the first the time", 30_000);
  await madeByEach(20);
  calledOff.abort();
  await publishing;

  const told = events.slice(agreedAt).filter(({ server }, at) => {
    // Events of the restarted server do not count, because its clock is wrong until the next round.
    return agreedAt + at < killedAt || rest.some(({ ready }) => ready?.name === server);
  });
  expect(told.length).toBeGreaterThanOrEqual(100);
  expect(jumpMs(told)).toBeLessThanOrEqual(2 * closeMs);
  for (const { ready } of servers) {
    const own = events.filter(({ server }) => server === ready?.name);
    const times = own.sort((a, b) => a.seq - b.seq).map(({ timeMs }) => timeMs);
    expect(times, ready?.name).toEqual([...times].sort((a, b) => a - b));
  }
});

test("[R2] [E2] a server whose promises file is damaged ends with one sentence that says what to do", async () => {
  await using data = await temporaryFolder();
  const folder = join(data.path, "servers", "1");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "identity.json"), '{"name":"server_00000001"}');
  await writeFile(join(folder, "promises.json"), '{"view":{"number":3,"mem');
  const nowhere = ["--reference", "tcp://127.0.0.1:1"];
  const args = [cli, "server", "--data", data.path, ...nowhere];
  const ended = await promisify(execFile)(process.execPath, args).catch((error) => error);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/^tertulia: .*promises\.json is damaged \(.*\): without it/);
  expect(ended.stderr).toContain(`Move ${folder} away and start again`);
  expect(ended.stderr).toContain("tertulia servers remove NAME.");
  expect(ended.stderr).not.toMatch(/^\s+at /m);
});
