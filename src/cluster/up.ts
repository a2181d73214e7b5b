import { memberKeys } from "../platform/curve.ts";
import { isInteractive } from "../platform/host.ts";
import { printLine, printValue } from "../platform/print.ts";
import { Problem } from "../platform/problem.ts";
import { outliveLog, untilStopped } from "../platform/run-process.ts";
import { openSecret, secretSource } from "../platform/secret.ts";
import { flagOf, integer, readFlag, rows, type Settings } from "../platform/settings.ts";
import type { Text } from "../texts/texts.ts";
import type { Child } from "./child.ts";
import { serveMetricsOfAll } from "./metrics-of-all.ts";
import {
  type ClusterConfig,
  type Endpoints,
  lastFirstPort,
  type Process,
  Supervisor,
} from "./supervisor.ts";

type NumberFlag = "servers" | "bots" | "gateways" | "games" | "brokers" | "proxies" | "port";

export type UpFlags = Readonly<
  Partial<Record<NumberFlag, string> & Record<"chat" | "json", boolean>>
>;

type ClientEndpoints = Pick<Endpoints, "broker" | "proxy" | "reference"> & {
  readonly game?: string;
};

export interface UpOptions {
  readonly settings: Settings;
  readonly flags: UpFlags;
  readonly text: Text;
  /** Opens the chat in this terminal; resolves when the person quits the chat. */
  readonly openChat: (endpoints: ClientEndpoints) => Promise<void>;
}

/**
 * Flags of bots that run during a chat. With these flags the bots send so few messages that the
 * person's messages remain easy to find.
 */
const besideAPerson = ["--burst", "1", "--pause", "5000"];

/** Settings of servers that `up` accepts as flags, and passes on. */
const engineSettings = [
  "engine",
  "enginePasswordFile",
  "redis",
  "redisPasswordFile",
  "insecure",
] as const;

/**
 * Refuses settings of bound endpoints: all processes would get the same endpoint, and only one of
 * them could bind it.
 * @throws Problem if one of these settings is set
 */
function refusePlaces(settings: Settings): void {
  for (const name of ["bind", "front", "back", "advertise"] as const) {
    if (settings.lookUp(name).text === undefined) continue;
    const way = "unset it and say --port, or start each role by itself";
    const { source } = settings.lookUp(name);
    const where = source === "file" ? flagOf(name).slice(2) : rows[name].env;
    const said = `${where} is the place of one process, and \`up\` starts several: ${way}.`;
    throw new Problem(said, 2);
  }
}

function upConfig(settings: Settings, flags: UpFlags, hasChat: boolean): ClusterConfig {
  const secret = secretSource(settings);
  // The secret is read before any process starts. So an invalid secret is reported once, and not by
  // each process.
  const keys = memberKeys(settings, openSecret(secret));
  const number = (flag: NumberFlag, fallback: number, [least, most] = [1, 1_000]) =>
    readFlag(flag, flags[flag] ?? String(fallback), integer(least, most));
  const brokers = number("brokers", 1);
  const proxies = number("proxies", 1);
  const gateways = number("gateways", 1, [0, 1_000]);
  const games = number("games", 0, [0, 1_000]);
  return {
    servers: number("servers", 3),
    bots: number("bots", 0, [0, 1_000]),
    gateways,
    games,
    botFlags: hasChat ? besideAPerson : [],
    brokers,
    proxies,
    data: settings.get("data"),
    secretFile: secret.text === undefined ? secret.path : undefined,
    cluster: secret.cluster,
    port: number("port", 5_555, [0, lastFirstPort({ brokers, proxies, gateways, games })]),
    logLevel: settings.get("logLevel"),
    logFiles: hasChat,
    auth: settings.get("auth"),
    serverKey: keys?.publicKey,
    guestServers: settings.get("guestServers"),
    hasMetrics: settings.optional("metrics") !== undefined,
    inherited: { ...settings.fromFile(), ...settings.asEnvironment(engineSettings) },
  };
}

/** `tertulia up`: runs the whole cluster on this machine until a signal or the end of the chat. */
export async function runUp({ settings, flags, text, openChat }: UpOptions): Promise<void> {
  const hasChat = flags.chat === true && isInteractive();
  refusePlaces(settings);
  const config = upConfig(settings, flags, hasChat);
  const stopped = untilStopped();
  outliveLog();
  const told = new Set<string>();
  let isStarting = true;
  const onWaiting = ({ label }: Process, why: string) => {
    // Without log files, the process's own log is seen. Later the chat has the terminal.
    if (!config.logFiles || !isStarting || told.has(why)) return;
    told.add(why);
    printLine(text("up.waiting", { process: label, why }));
  };
  await using cluster = new Supervisor({ ...config, onWaiting });
  const metrics = settings.optional("metrics");
  await using port =
    metrics === undefined ? undefined : await serveMetricsOfAll(metrics, () => cluster.children);
  const started = await Promise.race([cluster.start().then(() => true), stopped.then(() => false)]);
  isStarting = false;
  if (!started) return;
  const { broker, proxy, reference, http, game, mqtt } = cluster.endpoints;
  const endpoints = { broker, proxy, reference, ...(game === "" ? {} : { game }) };
  if (flags.json) {
    const processes = cluster.children.map(described);
    printValue({ ready: true, ...endpoints, http, mqtt, metrics: port?.endpoint, processes });
  } else {
    printLine(text("up.ready", endpoints));
    if (http !== "") printLine(text("up.http", { http }));
    if (game !== "") printLine(text("up.games", { game, mqtt }));
    if (port !== undefined) printLine(text("up.metrics", port));
    if (config.auth === "required") {
      printLine(text("up.promote", { flags: operatorFlags(settings, broker) }));
    }
  }
  await Promise.race(hasChat ? [stopped, openChat(endpoints)] : [stopped]);
}

/**
 * Returns the flags that an operator's command needs to find this cluster; empty if the defaults
 * are right.
 */
function operatorFlags(settings: Settings, broker: string): string {
  const values = { data: settings.get("data"), broker } as const;
  const names = (["data", "broker"] as const).filter(
    (name) => values[name] !== rows[name].fallback,
  );
  return names.map((name) => ` --${name} ${values[name]}`).join("");
}

function described({ role, ready, pid }: Child) {
  return { role, name: ready?.name ?? "", ...(pid === undefined ? {} : { pid }) };
}
