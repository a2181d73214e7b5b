import { Dealer, Publisher } from "zeromq";
import { socketOptions } from "../src/net/socket.ts";
import { Audience, type Delivered, fanOut } from "./audience.ts";
import { BenchProcess } from "./child-process.ts";
import { type Load, measure } from "./measure.ts";
import { messageText, numbered } from "./message.ts";
import type { Values } from "./workload.ts";

/*
 * What ZeroMQ alone does on this machine: the same bytes through the same kinds of processes,
 * without encoding, disk or replication.
 */

const worker = new URL("raw-worker.ts", import.meta.url);

interface Forwarding {
  readonly front: string;
  readonly back: string;
}

/** A message of 120 bytes goes through a broker to an echo, and back. */
export async function roundTrips(load: Load, connections = 1): Promise<Values> {
  const { started: broker, ready } = await BenchProcess.start<Forwarding>(worker, "broker");
  using _broker = broker;
  using _echo = (await BenchProcess.start(worker, "echo", ready.back)).started;
  const pipes = Array.from({ length: connections }, () => new Pipe(ready.front));
  try {
    return await measure((index, lane) => pipes[lane % connections]?.ask(`${index}`), load);
  } finally {
    for (const pipe of pipes) pipe.close();
  }
}

/** One connection to the broker, which sends one message after the other. */
class Pipe {
  readonly #socket = new Dealer({ ...socketOptions, linger: 0 });
  readonly #waiting = new Map<string, () => void>();
  #unsent: string[] = [];
  #isSending = false;

  constructor(endpoint: string) {
    this.#socket.connect(endpoint);
    void this.#receive();
  }

  ask(key: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(key, resolve);
      this.#unsent.push(key);
      if (!this.#isSending) void this.#send();
    });
  }

  close(): void {
    this.#socket.close();
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    for (let keys = this.#unsent; keys.length > 0; keys = this.#unsent) {
      this.#unsent = [];
      for (const key of keys) await this.#socket.send([key, "", messageText]);
    }
    this.#isSending = false;
  }

  async #receive(): Promise<void> {
    for await (const [key] of this.#socket) {
      const answered = String(key);
      this.#waiting.get(answered)?.();
      this.#waiting.delete(answered);
    }
  }
}

/** One publisher, a proxy, and the listeners. */
export async function rawFanOut(seconds: number): Promise<Delivered> {
  const { started: proxy, ready } = await BenchProcess.start<Forwarding>(worker, "proxy");
  using _proxy = proxy;
  using audience = await Audience.start(worker);
  const socket = new Publisher({ sendHighWaterMark: 0, linger: 0 });
  try {
    socket.connect(ready.front);
    await audience.openProbed([ready.back], () => socket.send(""));
    const publish = (number: number) => socket.send(numbered(number));
    return await fanOut({ audience, publish, inFlight: 1, seconds });
  } finally {
    socket.close();
  }
}
