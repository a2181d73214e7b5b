import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import type { OpenRequests } from "../src/broker/core/open-requests.ts";
import type { Subscriptions } from "../src/proxy/core/subscriptions.ts";
import type { Input } from "../src/server/core/effects.ts";
import type { ServerCore } from "../src/server/core/step.ts";

/*
 * Loaded by `--import` into each process of a traced cluster. It wraps public methods of the cores
 * from outside, and notes when a message passes them. The code of the project knows nothing of it.
 */

/** A moment at which a write passed a process. */
export interface Moment {
  /** Milliseconds of the machine's monotonic clock, which all processes share. */
  readonly atMs: number;
  /** The name of the server, or `broker` or `proxy`. */
  readonly process: string;
  readonly what: string;
  /** The server that sent the message. */
  readonly from?: string | undefined;
}

/** Names the folder in which each process writes its moments at its end. */
export const folderVariable = "TERTULIA_BENCH_TRACE";

const folder = process.env[folderVariable];
const role = process.argv[2];
const moments: Moment[] = [];

export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function note(process: string, what: string, from?: string): void {
  moments.push({ atMs: nowMs(), process, what, from });
}

function built<Module>(path: string): Promise<Module> {
  return import(new URL(`../dist/${path}`, import.meta.url).href);
}

async function watchBroker(): Promise<void> {
  type Module = { OpenRequests: typeof OpenRequests };
  const { prototype } = (await built<Module>("broker/core/open-requests.js")).OpenRequests;
  const { take, close } = prototype;
  prototype.take = function (request) {
    note("broker", "request");
    return take.call(this, request);
  };
  prototype.close = function (worker, tag) {
    note("broker", "reply");
    return close.call(this, worker, tag);
  };
}

async function watchProxy(): Promise<void> {
  type Module = { Subscriptions: typeof Subscriptions };
  const { prototype } = (await built<Module>("proxy/core/subscriptions.js")).Subscriptions;
  const { listeners } = prototype;
  prototype.listeners = function (topic) {
    note("proxy", "forward");
    return listeners.call(this, topic);
  };
}

async function watchServer(): Promise<void> {
  type Module = { ServerCore: typeof ServerCore };
  const { prototype } = (await built<Module>("server/core/step.js")).ServerCore;
  const { step } = prototype;
  prototype.step = function (input, now) {
    note(this.name, `in ${nameOf(input)}`, senderOf(input));
    const effects = step.call(this, input, now);
    for (const effect of effects) note(this.name, `out ${effect.type}`);
    return effects;
  };
}

function nameOf(input: Input): string {
  return input.type === "replication" ? input.message.type : input.type;
}

function senderOf(input: Input): string | undefined {
  if (input.type === "ack") return input.summary.server;
  return input.type === "replication" ? input.message.server : undefined;
}

if (folder !== undefined && isMainThread) {
  if (role === "broker") await watchBroker();
  else if (role === "proxy") await watchProxy();
  else if (role === "server") await watchServer();
  process.on("exit", () => {
    const lines = moments.map((moment) => `${JSON.stringify(moment)}\n`);
    appendFileSync(join(folder, `${role}-${process.pid}`), lines.join(""));
  });
}
