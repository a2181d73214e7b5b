import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Child } from "../../src/cluster/child.ts";
import { parseChannelName } from "../../src/protocol/ids.ts";
import { durations } from "../../src/protocol/limits.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { askPlainly } from "../support/plain-client.ts";
import { python, readmePython } from "../support/readme-python.ts";
import { until } from "../support/until.ts";

/** The status of the answer to a client's message, and how long the client waited. */
interface Told {
  readonly text: string;
  readonly status: unknown;
  readonly waitedMs: number;
}

/** Running clients, each of which sends one message after another. */
interface AtWork {
  /** Resolves when each client has the answer to its last message. */
  end(): Promise<void>;
}

type Start = (cluster: LocalCluster, clients: number, onTold: (told: Told) => void) => AtWork;

export interface PlainClientsResult {
  readonly acknowledged: number;
  /** The messages that were answered by an error, which should be none. */
  readonly refused: readonly Told[];
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly longestMs: number;
}

const channel = parseChannelName("plain");
const stoppedMs = 2 * durations.zmtpTimeoutMs;
/** If the clients are not answered within this time, in ms, the test fails instead of hanging. */
const hangMs = 60_000;

/**
 * Runs plain REQ clients while servers and the broker are killed and stopped one after another,
 * in several rounds. Then compares the clients' answers with the history.
 */
export async function sendPlainly(
  start: Start,
  { clients, rounds }: { clients: number; rounds: number },
): Promise<PlainClientsResult> {
  await using cluster = await LocalCluster.start();
  await using reader = cluster.client({ proxies: [], deadlineMs: 30_000 });
  await reader.createChannel(channel);
  const told: Told[] = [];
  const progress = async () => {
    const enough = told.length + 2 * clients;
    await until(() => told.length >= enough, "the clients are answered", hangMs);
  };
  const work = start(cluster, clients, (one) => told.push(one));
  for (let round = 0; round < rounds; round += 1) {
    const [killed, stopped] = [
      cluster.server(1 + (round % 3)),
      cluster.server(1 + ((round + 1) % 3)),
    ];
    const broker = cluster.of("broker")[0] as Child;
    for (const victim of [killed, broker]) {
      await progress();
      const back = victim.nextReady();
      victim.signal("SIGKILL");
      await back;
    }
    for (const victim of [stopped, broker]) {
      await progress();
      victim.signal("SIGSTOP");
      const endMs = performance.now() + stoppedMs;
      await until(() => performance.now() > endMs, "the stop is over", 2 * stoppedMs);
      victim.signal("SIGCONT");
    }
  }
  await progress();
  await work.end();
  const texts: string[] = [];
  for (let before: string | undefined, isMore = true; isMore; isMore = before !== undefined) {
    const page = await reader.history({ channel }, { before, limit: 1_000 });
    texts.push(...page.entries.map(({ message }) => message));
    before = page.next;
  }
  const there = new Set(texts);
  const acknowledged = told.filter(({ status }) => status === "OK");
  return {
    acknowledged: acknowledged.length,
    refused: told.filter(({ status }) => status !== "OK"),
    lost: acknowledged.map(({ text }) => text).filter((text) => !there.has(text)),
    doubled: texts.filter((text, index) => texts.indexOf(text) !== index),
    longestMs: Math.max(...told.map(({ waitedMs }) => waitedMs)),
  };
}

/** Starts clients with REQ sockets of Node's zeromq, used as in the README's example. */
export const inNode: Start = (cluster, clients, onTold) => {
  let isOver = false;
  const { broker } = cluster.endpoints;
  const ask = (service: string, data: Record<string, unknown>) =>
    askPlainly(broker, [service, { ...data, id: crypto.randomUUID() }], { patienceMs: 3_000 });
  const work = async (_: unknown, number: number) => {
    const user = `plain${number}`;
    await ask("login", { user });
    for (let count = 0; !isOver; count += 1) {
      const message = `${user} ${count}`;
      const startMs = performance.now();
      const { status } = await ask("publish", { user, channel, message });
      onTold({ text: message, status, waitedMs: performance.now() - startMs });
    }
  };
  const all = Promise.all(Array.from({ length: clients }, work));
  return {
    end: async () => {
      isOver = true;
      await all;
    },
  };
};

/** Starts clients that run the README's Python example in several threads. */
export const inPython: Start = (cluster, clients, onTold) => {
  const source = `${readmePython(cluster).defines}
import json, sys, threading
is_over = threading.Event()

def work(user):
    request("login", user=user)
    count = 0
    while not is_over.is_set():
        text = f"{user} {count}"
        start = time.monotonic()
        status = request("publish", user=user, channel="${channel}", message=text)["status"]
        told = {"text": text, "status": status, "waitedMs": 1000 * (time.monotonic() - start)}
        sys.stdout.write(json.dumps(told) + "\\n")
        sys.stdout.flush()
        count += 1

threads = [threading.Thread(target=work, args=(f"plain{n}",)) for n in range(${clients})]
for thread in threads: thread.start()
sys.stdin.read()
is_over.set()
for thread in threads: thread.join()
hear.close(0)
`;
  if (python === undefined) throw new Error("Python with zmq and msgpack is not here");
  const child = spawn(python, ["-c", source], { stdio: ["pipe", "pipe", "inherit"] });
  createInterface(child.stdout).on("line", (line) => onTold(JSON.parse(line)));
  let isOver = false;
  child.on("close", () => {
    isOver = true;
  });
  return {
    end: async () => {
      child.stdin.end();
      await until(() => isOver, "each client has the answer to its last message", hangMs);
    },
  };
};
