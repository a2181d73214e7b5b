import { WebSocket } from "ws";
import { endWithBench } from "./child-process.ts";
import { latencyOf } from "./measure.ts";
import type { Values } from "./workload.ts";

/** What all sockets of a process have received since the last report. */
export interface SocketReport {
  /** The fewest and the most messages that a socket has received. */
  readonly least: number;
  readonly most: number;
  /** The messages that all sockets have received together. */
  readonly received: number;
  /** From the call that wrote a message to its frame at the socket. */
  readonly values: Values;
}

/** A process with many WebSockets that follow one channel. */
const [address = "", token = "", count = "", channel = ""] = process.argv.slice(2);
const opensAtOnce = 50;
/** A message's text begins with the time at which it was written. */
const textPattern = /"message":"([\d.]+) /;

const sockets: WebSocket[] = [];
const received: number[] = [];
let latencies: number[] = [];
/** Messages written before this time, in milliseconds since 1970, do not count. */
let countsFromMs = 0;

async function open(index: number): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`${address.replace("http:", "ws:")}/api/v1/ws`, { headers });
  sockets.push(socket);
  received[index] = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (data: Buffer) => {
      const text = data.toString("latin1");
      if (text.startsWith('{"type":"message"')) return take(index, text);
      if (text.startsWith('{"type":"connected"')) {
        return socket.send(JSON.stringify({ type: "subscribe", conversation: `#${channel}` }));
      }
      if (text.startsWith('{"type":"caught_up"')) resolve();
      if (text.startsWith('{"type":"error"')) reject(new Error(text));
    });
  });
}

function take(index: number, text: string): void {
  received[index] = (received[index] ?? 0) + 1;
  const wroteMs = Number(textPattern.exec(text)?.[1]);
  if (wroteMs >= countsFromMs) latencies.push(performance.timeOrigin + performance.now() - wroteMs);
}

function report(): void {
  const counts = received.slice(isStopped ? 1 : 0);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const total = counts.reduce((sum, one) => sum + one, 0);
  process.send?.({
    least,
    most,
    received: total,
    values: latencyOf(latencies),
  } satisfies SocketReport);
}

let isStopped = false;

endWithBench();
process.on("message", ([order, fromMs]: readonly string[]) => {
  if (order === "report") return report();
  countsFromMs = Number(fromMs);
  if (order === "stop one") {
    isStopped = true;
    sockets[0]?.pause();
  }
  received.fill(0);
  latencies = [];
});
for (let index = 0; index < Number(count); index += opensAtOnce) {
  const rest = Math.min(opensAtOnce, Number(count) - index);
  await Promise.all(Array.from({ length: rest }, (_, more) => open(index + more)));
}
process.send?.({});
