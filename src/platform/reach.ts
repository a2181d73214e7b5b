import { isIP, isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { splitHost } from "./parse-endpoint.ts";
import type { EngineAddress } from "./parse-engine.ts";
import type { RedisAddress } from "./parse-redis.ts";
import { Problem } from "./problem.ts";
import type { Settings } from "./settings.ts";

/** Names for this machine in hosts files; the last two are Debian's. */
const loopbackNames: readonly string[] = ["localhost", "ip6-localhost", "ip6-loopback"];

/** Returns whether only this machine can reach a process bound to the endpoint. */
function isLoopback(endpoint: string): boolean {
  const host = splitHost(endpoint)?.host;
  return host === undefined || isThisMachine(host);
}

function isThisMachine(host: string): boolean {
  return (
    (isIPv4(host) && host.startsWith("127.")) ||
    /^(?:0*:)+0*1$/.test(host) ||
    /^::ffff:127\./i.test(host) ||
    loopbackNames.includes(host.toLowerCase())
  );
}

/**
 * Refuses to start a process that other machines can reach in an open or unencrypted cluster,
 * unless `--insecure` allows it (X3).
 * @throws Problem that says what to do
 */
export function protect(settings: Settings, ...bound: readonly string[]): void {
  const beyond = bound.find((endpoint) => !isLoopback(endpoint));
  if (beyond === undefined || settings.get("insecure")) return;
  const isOpen = settings.get("auth") === "open";
  if (!isOpen && settings.get("curve")) return;
  const [danger, way] = isOpen
    ? ["with --auth open anybody there may read and write everything", "bind to 127.0.0.1"]
    : ["passwords and sessions would go to it in clear", "encrypt them by --curve"];
  throw new Problem(
    `${beyond} is reachable from other machines, and ${danger}: ${way}, or say --insecure if ` +
      "that is what you want.",
    2,
  );
}

/**
 * Refuses an engine on another machine to which connections are not encrypted, unless `--insecure`
 * allows it (O31).
 * @throws Problem that says what to do
 */
export function protectEngine(settings: Settings, { hosts, encryption }: EngineAddress): void {
  const isLocal = (host: string) => host.startsWith("/") || isThisMachine(host);
  const beyond = hosts.find(({ host }) => !isLocal(host));
  if (beyond === undefined || encryption !== "disable" || settings.get("insecure")) return;
  throw new Problem(
    `The engine's host ${beyond.host} is another machine, and everything would go to it in clear: ` +
      "add ?sslmode=verify-full to --engine, or say --insecure if that is what you want.",
    2,
  );
}

/**
 * Refuses a Redis on another machine to which connections are not encrypted, unless `--insecure`
 * allows it (O31).
 * @throws Problem that says what to do
 */
export function protectRedis(settings: Settings, { host, isEncrypted }: RedisAddress): void {
  if (isEncrypted || isThisMachine(host) || settings.get("insecure")) return;
  throw new Problem(
    `The Redis ${host} is another machine, and everything would go to it in clear: ` +
      "begin --redis with rediss://, or say --insecure if that is what you want.",
    2,
  );
}

/**
 * Returns the host, or the endpoint, at which other processes reach this process: the setting, else
 * this machine's first IPv4 address, else its first IPv6 address.
 */
export function advertisedHost(settings: Settings): string {
  const told = settings.optional("advertise");
  if (told !== undefined) return told;
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    // Link-local addresses are left out, because they need the name of the network interface, which
    // differs between machines.
    .filter(({ internal, address }) => !internal && !address.startsWith("fe80:"))
    .map(({ address }) => address);
  return outside.find((address) => isIP(address) === 4) ?? outside[0] ?? "127.0.0.1";
}
