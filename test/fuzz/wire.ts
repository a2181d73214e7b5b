import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { curveKeys, memberKey } from "../../src/platform/curve.ts";
import { passwordOf, splitKey, withKey } from "../../src/platform/endpoint.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { secretIn } from "../support/members-door.ts";
import { RawPeer, restOf } from "../support/zmtp.ts";
import { conversation, type Step, type Way } from "./conversations.ts";
import { channel, people } from "./corpus.ts";
import { eventBytes, type Grown, MemoryWatch } from "./memory.ts";
import { Mutator } from "./mutate.ts";
import { ValidTraffic } from "./valid-traffic.ts";
import { errorsIn, eventsOf, quiet } from "./verdict.ts";

export interface WireOptions {
  readonly curve: boolean;
  /** The number of connections to each bound port. */
  readonly connections: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}

export interface WireReport {
  readonly ports: Readonly<Record<string, Counts>>;
  readonly seconds: number;
  readonly memory: readonly Grown[];
  /** The number of valid messages that were acknowledged in the meantime. */
  readonly acknowledged: number;
  readonly problems: readonly string[];
  /** The folder with data and logs, which is kept if there are problems. */
  readonly folder: string;
}

/** Numbers of connections at one port. */
export interface Counts {
  connections: number;
  /**
   * Of these connections: how many were greeted, finished the handshake, and were ended by the
   * cluster's process.
   */
  greeted: number;
  shaken: number;
  cutOff: number;
}

interface Port extends Way {
  readonly name: string;
  /** Whether a peer that is let in gets people's requests. */
  readonly isForWorkers: boolean;
  readonly endpoint: string;
}

/** The number of connections to one port at once. */
const atOnce = 40;
/**
 * How long a peer waits for an answer before and after it has sent something wrong, in
 * milliseconds.
 */
const patienceMs = 5_000;
const impatienceMs = 20;

/**
 * Starts a fresh cluster. While two people chat, peers connect to its bound ports with ZMTP
 * conversations that begin valid and are changed byte by byte.
 */
export async function fuzzWires(options: WireOptions): Promise<WireReport> {
  const folder = await mkdtemp(join(tmpdir(), "tertulia-wire-"));
  const cluster = await LocalCluster.start({ curve: options.curve, data: folder });
  let report: WireReport;
  try {
    report = await run(cluster, options);
  } finally {
    await cluster.stop();
  }
  if (report.problems.length === 0) await rm(folder, { recursive: true, force: true });
  return report;
}

async function run(cluster: LocalCluster, options: WireOptions): Promise<WireReport> {
  const { connections, seed, onProgress } = options;
  const first = cluster.client({ proxies: [] });
  for (const user of Object.keys(people)) await first.login(parseUserName(user));
  await first.createChannel(channel);
  const traffic = await ValidTraffic.start(cluster, "open");
  const before = await quiet(cluster, traffic.client);
  const ports = portsOf(cluster, options);
  let done = 0;
  using watch = new MemoryWatch(
    ["server", "broker", "proxy", "reference"].flatMap((role) => cluster.of(role as "server")),
    () => done / (connections * ports.length),
  );
  const startMs = performance.now();
  traffic.begin();
  const told: Record<string, Counts> = {};
  await Promise.all(
    ports.map(async (port, at) => {
      const count: Counts = { connections: 0, greeted: 0, shaken: 0, cutOff: 0 };
      told[port.name] = count;
      const peers = Array.from({ length: atOnce }, async (_, lane) => {
        const mutator = new Mutator(seed * 100_000 + at * 1_000 + lane);
        while (count.connections < connections) {
          count.connections += 1;
          const { isClosed, heard } = await speak(port, mutator);
          if (isClosed) count.cutOff += 1;
          if (heard.length > 0) count.greeted += 1;
          if (restOf(heard, "READY") !== undefined) count.shaken += 1;
          done += 1;
          if (done % 1_000 === 0) onProgress?.(done);
        }
      });
      await Promise.all(peers);
    }),
  );
  const seconds = (performance.now() - startMs) / 1_000;
  await traffic.end();
  const problems = [...new Set(traffic.failures)]
    .slice(0, 5)
    .map((text) => `a valid message: ${text}`);
  if (watch.ended.length > 0) problems.push(`ended: ${watch.ended.join(", ")}`);
  const views = await quiet(cluster, traffic.client);
  const texts = new Set((await traffic.read()).map(({ message }) => message));
  const said = [...traffic.published, ...traffic.messages];
  const lost = said.filter((text) => !texts.has(text));
  if (lost.length > 0) problems.push(`lost: ${lost.slice(0, 5).join(", ")}`);
  if (!(await traffic.isHeard())) problems.push("the channel is not heard any more");
  await cluster.stop();
  problems.push(...errorsIn(cluster.folder));
  const memory = watch.grown(eventBytes * (eventsOf(views) - eventsOf(before)));
  for (const { label, isFlat } of memory) {
    if (!isFlat) problems.push(`the memory of ${label} grows`);
  }
  const { acknowledged } = traffic;
  return { ports: told, seconds, memory, acknowledged, problems, folder: cluster.folder };
}

/**
 * Every port at which a process of the cluster is bound, with the socket types and the key that let
 * a peer in.
 */
function portsOf(cluster: LocalCluster, { curve }: WireOptions): Port[] {
  const secret = secretIn(cluster.folder);
  const keys = curve ? curveKeys(secret) : undefined;
  const { broker, brokerBack, proxyIn, proxy, reference } = cluster.endpoints;
  const forMembers = (endpoint: string) => withKey([endpoint], memberKey(secret, keys))[0] ?? "";
  const asking = ["REQ", "DEALER", "ROUTER"];
  const ends: [name: string, endpoint: string, types: string[]][] = [
    ["broker, front", broker, asking],
    ["broker, back", forMembers(brokerBack), ["REP", "DEALER", "ROUTER"]],
    ["proxy, front", forMembers(proxyIn), ["PUB", "XPUB"]],
    ["proxy, back", proxy, ["SUB", "XSUB"]],
    ["reference", reference, asking],
  ];
  for (const { label, ready } of cluster.of("server")) {
    ends.push([`peer link, ${label}`, forMembers(ready?.endpoints.peer ?? ""), asking]);
  }
  return ends.map(([name, endpoint, types]) => {
    const { address, key = "" } = splitKey(endpoint);
    const password = passwordOf(key);
    const isKey = key !== "" && password === undefined;
    const serverKey = isKey ? Buffer.from(key, "hex") : undefined;
    const isForWorkers = endpoint.startsWith(brokerBack);
    return { name, isForWorkers, endpoint: address, types, password, serverKey };
  });
}

const stranger = { password: undefined, serverKey: undefined };

/**
 * Makes one connection. @returns what the peer received, and whether the process ended the
 * connection
 */
async function speak(
  { endpoint, ...port }: Port,
  mutator: Mutator,
): Promise<{ isClosed: boolean; heard: Buffer }> {
  const part = () => 1 + mutator.below(250);
  const peer = new RawPeer(endpoint, { localAddress: `127.${part()}.${part()}.${part()}` });
  try {
    // Only one of 16 peers at this port may be let in: each gets people's requests, and answers
    // none.
    const isStrange = port.isForWorkers && mutator.below(16) > 0;
    // Most conversations stay valid until their last step, so that the code behind the handshake is
    // reached.
    const steps = await conversation(mutator, isStrange ? { ...port, ...stranger } : port);
    const changed = mutator.below(3) === 0 ? mutator.below(steps.length) : steps.length - 1;
    for (const [at, step] of steps.entries()) {
      const bytes = await next(peer, step, at > changed ? impatienceMs : patienceMs);
      if (peer.isClosed || bytes === undefined) break;
      await sayIn(peer, at === changed ? change(bytes, mutator) : bytes, mutator);
      if (at === changed && mutator.below(4) === 0) break;
    }
    const end = mutator.below(4);
    if (end === 0) peer.socket.end();
    else if (end === 1) await peer.hears(() => false, impatienceMs);
    const { isClosed, heard } = peer;
    return { isClosed, heard };
  } finally {
    peer.close();
  }
}

async function next(peer: RawPeer, step: Step, limitMs: number): Promise<Buffer | undefined> {
  let bytes: Buffer | undefined;
  await peer.hears((heard) => {
    bytes ??= step(heard);
    return bytes !== undefined;
  }, limitMs);
  return bytes;
}

/** Sends the bytes in one piece, or in several with pauses between them. */
async function sayIn(peer: RawPeer, bytes: Buffer, mutator: Mutator): Promise<void> {
  if (mutator.below(4) > 0) {
    peer.say(bytes);
    return;
  }
  for (let at = 0; at < bytes.length && !peer.isClosed; ) {
    const end = at + 1 + mutator.below(mutator.pick([2, 40, 400]));
    peer.say(bytes.subarray(at, end));
    at = end;
    if (mutator.below(8) === 0) await pause(1);
  }
}

/** The possible changes of the bytes on a connection. */
const changes: readonly ((bytes: Buffer, mutator: Mutator) => Buffer)[] = [
  (bytes) => bytes,
  (bytes, mutator) => {
    const flipped = Buffer.from(bytes);
    for (let flips = 1 + mutator.below(6); flips > 0 && flipped.length > 0; flips -= 1) {
      const at = mutator.below(flipped.length);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << mutator.below(8));
    }
    return flipped;
  },
  (bytes, mutator) => bytes.subarray(0, mutator.below(bytes.length + 1)),
  (bytes, mutator) => put(bytes, mutator, mutator.random(1 + mutator.below(40))),
  (bytes, mutator) => {
    const at = mutator.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + mutator.below(12))]);
  },
  (bytes) => Buffer.concat([bytes, bytes]),
  // Lengths and flags that announce bytes that never come, or frames without an end.
  (bytes, mutator) => Buffer.concat([bytes, Buffer.from(mutator.pick(announced), "hex")]),
  (bytes, mutator) => put(bytes, mutator, Buffer.from(mutator.pick(announced), "hex")),
  (bytes, mutator) => {
    const first = Buffer.from(bytes);
    first[0] = mutator.below(256);
    return first;
  },
  (bytes, mutator) => {
    const count = mutator.pick([3, 17, 5_000]);
    return Buffer.concat([bytes, Buffer.alloc(2 * count, Buffer.of(mutator.below(8), 0))]);
  },
  (bytes, mutator) => Buffer.concat([bytes, mutator.random(mutator.below(2_000))]),
  (bytes) => Buffer.concat([Buffer.from("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"), bytes]),
  // Pings whose answers nobody reads.
  (bytes) => Buffer.concat([bytes, Buffer.alloc(9 * 2_000, command)]),
];

const command = Buffer.from("04070450494e470000", "hex");

const announced = [
  "02ffffffffffffffff",
  "020000000000400000",
  "0200000000003fffff",
  "030000000000300000",
  "0200000000000007d0",
  "060000000000000100",
  "01ff",
  "04ff",
  "0100",
  "0402",
  "0500",
];

function put(bytes: Buffer, mutator: Mutator, more: Buffer): Buffer {
  const at = mutator.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}

function change(bytes: Buffer, mutator: Mutator): Buffer {
  let changed = bytes;
  for (let times = 1 + mutator.below(2); times > 0; times -= 1) {
    changed = mutator.pick(changes)(changed, mutator);
  }
  return changed;
}
