import { memberKeys } from "../platform/curve.ts";
import { isInteractive, printLine, printValue } from "../platform/host.ts";
import { Problem } from "../platform/problem.ts";
import type { ReadyMessage } from "../platform/run-process.ts";
import { outliveLog, untilStopped } from "../platform/run-process.ts";
import { openSecret, secretSource } from "../platform/secret.ts";
import { integer, readFlag, rows, type Settings } from "../platform/settings.ts";
import type { Child } from "./child.ts";
import { type ClusterConfig, lastFirstPort, Supervisor } from "./supervisor.ts";

/** `tertulia up`'s own flags, as the command line gives them. */
export interface UpFlags {
  readonly servers?: string;
  readonly bots?: string;
  readonly brokers?: string;
  readonly proxies?: string;
  readonly port?: string;
  readonly chat?: boolean;
  readonly json?: boolean;
}

export interface UpOptions {
  readonly settings: Settings;
  readonly flags: UpFlags;
  /** The chat in this terminal; resolves when the person quits it. */
  readonly openChat: (endpoints: { broker: string; proxy: string }) => Promise<void>;
  /** The lines that tell a person that everybody is ready. */
  readonly readyLines: (endpoints: {
    broker: string;
    proxy: string;
    reference: string;
  }) => readonly string[];
}

/** A line now and then, among which a person's own can be read. */
const besideAPerson = ["--burst", "1", "--pause", "5000"];

/**
 * Each process would get them from the environment, and no two can be bound at one place.
 * @throws Problem if one of them is set
 */
function refusePlaces(settings: Settings): void {
  for (const name of ["bind", "front", "back", "advertise"] as const) {
    if (settings.lookUp(name).text === undefined) continue;
    const way = "unset it and say --port, or start each role by itself";
    const said = `${rows[name].env} is the place of one process, and \`up\` starts several: ${way}.`;
    throw new Problem(said, 2);
  }
}

function upConfig(settings: Settings, flags: UpFlags, hasChat: boolean): ClusterConfig {
  const secret = secretSource(settings);
  // Before anything is started: a secret that won't do is told once.
  const keys = memberKeys(settings, openSecret(secret));
  const number = (flag: "servers" | "bots" | "brokers" | "proxies", fallback: number) =>
    readFlag(flag, flags[flag] ?? String(fallback), integer(flag === "bots" ? 0 : 1, 1_000));
  const brokers = number("brokers", 1);
  const proxies = number("proxies", 1);
  return {
    servers: number("servers", 3),
    bots: number("bots", 0),
    botFlags: hasChat ? besideAPerson : [],
    brokers,
    proxies,
    data: settings.get("data"),
    secretFile: secret.text === undefined ? secret.path : undefined,
    cluster: secret.cluster,
    port: readFlag("port", flags.port ?? "5555", integer(0, lastFirstPort(brokers, proxies))),
    logLevel: settings.get("logLevel"),
    logFiles: hasChat,
    auth: settings.get("auth"),
    serverKey: keys?.publicKey,
    guestServers: settings.get("guestServers"),
  };
}

/** `tertulia up`: the whole cluster on this machine, until a signal or the end of the chat. */
export async function runUp({ settings, flags, openChat, readyLines }: UpOptions): Promise<void> {
  const hasChat = flags.chat === true && isInteractive();
  refusePlaces(settings);
  const config = upConfig(settings, flags, hasChat);
  const stopped = untilStopped();
  outliveLog();
  await using cluster = new Supervisor(config);
  const started = await Promise.race([cluster.start().then(() => true), stopped.then(() => false)]);
  if (!started) return;
  const { broker, proxy, reference } = cluster.endpoints;
  const endpoints = { broker, proxy, reference };
  if (flags.json) {
    printValue({ ready: true, ...endpoints, processes: cluster.children.map(described) });
  } else {
    for (const line of readyLines(endpoints)) printLine(line);
  }
  await Promise.race(hasChat ? [stopped, openChat({ broker, proxy })] : [stopped]);
}

function described({ role, ready, pid }: Child): { role: string; name: string; pid?: number } {
  const { name = "" }: Partial<ReadyMessage> = ready ?? {};
  return { role, name, ...(pid === undefined ? {} : { pid }) };
}
