import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Dealer } from "zeromq";
import { socketOptions } from "../src/net/socket.ts";
import { type Figures, measure } from "./measure.ts";

const worker = fileURLToPath(new URL("raw-worker.ts", import.meta.url));

async function start(
  ...args: string[]
): Promise<{ child: ChildProcess; message: { front: string; back: string } }> {
  const child = fork(worker, args);
  const [message] = await once(child, "message");
  return { child, message };
}

/**
 * What ZeroMQ alone does on this machine: 120 bytes to an echo and back, one message each, through
 * the same kind of broker; no encoding, no disk, no replication.
 */
export async function raw(options: { inFlight: number; seconds: number }): Promise<Figures> {
  const broker = await start("broker");
  const echo = await start("echo", broker.message.back);
  const socket = new Dealer({ ...socketOptions, linger: 0 });
  try {
    socket.connect(broker.message.front);
    return await roundTrips(socket, options);
  } finally {
    socket.close();
    for (const { child } of [echo, broker]) child.kill("SIGKILL");
  }
}

async function roundTrips(
  socket: Dealer,
  options: { inFlight: number; seconds: number },
): Promise<Figures> {
  const waiting = new Map<string, () => void>();
  void (async () => {
    for await (const [number] of socket) {
      const key = String(number);
      waiting.get(key)?.();
      waiting.delete(key);
    }
  })();
  const payload = Buffer.alloc(120, "x");
  const unsent: string[] = [];
  let sending = false;
  const send = async () => {
    if (sending) return;
    sending = true;
    for (let next = unsent.shift(); next !== undefined; next = unsent.shift()) {
      await socket.send([next, "", payload]);
    }
    sending = false;
  };
  return measure(
    (index) =>
      new Promise<void>((resolve) => {
        waiting.set(String(index), resolve);
        unsent.push(String(index));
        void send();
      }),
    options,
  );
}
