import type { Session } from "../../src/client/session.ts";
import { openToken } from "../../src/gateway/credentials.ts";
import { pause } from "../../src/platform/clock.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { channel, members } from "../chat-load.ts";
import { BenchProcess } from "../child-process.ts";
import { measure } from "../measure.ts";
import { messageText } from "../message.ts";
import { megabytes, processorSeconds, withoutProc } from "../processes.ts";
import type { SocketReport } from "../socket-worker.ts";
import { type Figure, figures, none, type Workload } from "../workload.ts";

const worker = new URL("../socket-worker.ts", import.meta.url);
/** Milliseconds for late messages, and for a gateway to come to rest. */
const settleMs = 2_000;

export const sockets: Workload<"sockets" | "perSecond" | "idleSockets"> = {
  name: "sockets",
  description: "WebSockets of one gateway in one channel, and the memory of idle ones",
  counts: { sockets: 1_000, perSecond: 100, idleSockets: 5_000 },
  missing: withoutProc,
  async measure({ seconds, counts }) {
    await using cluster = await LocalCluster.start({ gateways: 1 });
    const [publisher] = (await members(cluster, { channels: [channel] })) as [Session];
    const address = cluster.endpoints.http;
    const token = openToken(parseUserName("listener"));
    const pid = cluster.of("gateway")[0]?.pid ?? 0;
    const open = async (count: number) => {
      const args = [address, token, String(count), channel];
      return (await BenchProcess.start(worker, ...args)).started;
    };
    const idle = await idleMemory(pid, () => open(counts.idleSockets));
    using busy = await open(counts.sockets);
    const load = { publisher, perSecond: counts.perSecond, seconds, pid };
    const all = await deliver(busy, "begin", load);
    const others = await deliver(busy, "stop one", load);
    return [
      ...figures(`${counts.idleSockets} idle sockets`, { "KB each": idle / counts.idleSockets }),
      ...figures(`${counts.sockets} sockets`, all.values),
      all.lost,
      ...figures("the gateway", { "µs of a core per message and socket": all.eachUs }),
      ...figures("while one socket is not read", others.values, all.values),
    ];
  },
};

/** @returns the kilobytes by which a gateway's memory grows with the sockets of a process */
async function idleMemory(pid: number, open: () => Promise<BenchProcess>): Promise<number> {
  await pause(settleMs);
  const before = megabytes([pid]);
  using _ = await open();
  await pause(settleMs);
  return 1_000 * (megabytes([pid]) - before);
}

interface ChannelLoad {
  readonly publisher: Session;
  readonly perSecond: number;
  readonly seconds: number;
  /** The gateway's process. */
  readonly pid: number;
}

interface DeliveredToSockets {
  readonly values: SocketReport["values"];
  readonly lost: Figure;
  /** Microseconds of processor time that the gateway took for one message to one socket. */
  readonly eachUs: number;
}

/** Writes to the channel at a steady pace, and returns how the sockets received it. */
async function deliver(
  process: BenchProcess,
  order: "begin" | "stop one",
  { publisher, perSecond, seconds, pid }: ChannelLoad,
): Promise<DeliveredToSockets> {
  const warmMs = 250 * seconds;
  process.send([order, String(performance.timeOrigin + performance.now() + warmMs)]);
  const before = processorSeconds([pid]);
  let sent = 0;
  const everyMs = 1_000 / perSecond;
  const write = () => {
    sent += 1;
    const time = performance.timeOrigin + performance.now();
    return publisher.publish(channel, `${time.toFixed(2)} ${messageText}`);
  };
  await measure(write, { inFlight: perSecond, seconds, everyMs });
  await pause(settleMs);
  const report = new Promise<SocketReport>((resolve) => {
    process.onMessage((message) => resolve(message as SocketReport));
  });
  process.send(["report"]);
  const { least, most, received, values } = await report;
  const eachUs = (1e6 * (processorSeconds([pid]) - before)) / received;
  const unequal = Math.max(sent - least, most - sent);
  return { values, lost: none("messages lost or doubled by a socket", unequal), eachUs };
}
