import { isIP, isIPv4, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";
import { splitKey } from "./endpoint.ts";

/**
 * Splits a TCP endpoint. The host is a name, an address (IPv6 without brackets), or `*` for all
 * addresses of this machine. The port is a number, or `*` for any free port.
 * @returns undefined if the text is not a TCP endpoint
 */
export function splitHost(address: string): { host: string; port: string } | undefined {
  const [, bracketed, plain, port] =
    /^tcp:\/\/(?:\[([^[\]]*)\]|([^[\]:]*)):([^:]*)$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  return host === undefined || port === undefined ? undefined : { host, port };
}

/** Returns a host as endpoints write it: an IPv6 address in brackets. */
export function inBrackets(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** The longest path, in bytes, of a Unix socket's address. */
const mostPathBytes = 107;
const mostNameLetters = 253;
const label = /^[a-z0-9](?:[\w-]{0,61}[a-z0-9])?$/i;

/**
 * Parses the endpoints to which a process connects: separated by commas, each with or without a
 * key.
 * @throws Error that names the invalid endpoint and its fault
 */
export function endpoints(value: string): readonly string[] {
  const list = value.split(",").map((item) => item.trim());
  const seen = new Set<string>();
  for (const item of list) {
    const { address } = splitKey(item);
    if (item === "" && list.length > 1) throw new Error("an endpoint is missing beside a comma");
    check(address, { isBound: false });
    if (seen.has(address)) throw new Error(`"${address}" is named twice`);
    seen.add(address);
  }
  return list;
}

/**
 * Parses the endpoint that a process binds.
 * @throws Error that says what is wrong with the endpoint
 */
export function boundEndpoint(value: string): string {
  const one = value.trim();
  if (one.includes(",")) throw new Error("one endpoint is wanted");
  const { address, key } = splitKey(one);
  check(address, { isBound: true });
  if (key !== undefined) throw new Error("no key belongs where it is bound");
  return one;
}

/**
 * Parses the address at which other processes reach this one: a host, or a whole endpoint if a
 * router or container maps ports.
 * @throws Error that says what is wrong with the address
 */
export function advertisedPlace(value: string): string {
  const place = value.trim();
  if (place.includes("#")) throw new Error("no key belongs where others are told of it");
  if (place.includes("://")) {
    check(place, { isBound: false });
    return place;
  }
  const host = place.replace(/^\[(.*)\]$/, "$1");
  const isAnywhere = host === "0.0.0.0" || host === "::";
  const why = whyNoHost(host) ?? (isAnywhere ? "no host can be reached by it" : undefined);
  if (why === undefined && !(place !== host && !isIPv6(host))) return host;
  throw new Error(`${why ?? "it is not a host"}; write a host, or tcp://host:port`);
}

function check(address: string, { isBound }: { isBound: boolean }): void {
  const why = address.startsWith("ipc://")
    ? whyNoPath(address.slice("ipc://".length))
    : whyNotTcp(address, isBound);
  if (why === undefined) return;
  throw new Error(
    `"${address}" is not an endpoint${why && `: ${why}`}; write it as tcp://host:port`,
  );
}

function whyNoPath(path: string): string | undefined {
  if (path === "" || /\s/.test(path)) return "";
  // For libzmq, a path `@…` names a socket without a file, and the path `*` stands for any free
  // name. But this project's sockets need a file.
  if (/^@|^\*$/.test(path)) return "its path must be that of a file";
  return Buffer.byteLength(path) > mostPathBytes
    ? `its path is longer than ${mostPathBytes} bytes`
    : undefined;
}

/**
 * Returns why the endpoint is invalid: "" if the form that `check` shows is explanation enough;
 * undefined if the endpoint is valid.
 * @throws Error if the key after `#` is malformed
 */
function whyNotTcp(address: string, isBound: boolean): string | undefined {
  if (/^tcp:.*#/.test(address)) throw new Error("a key, behind #, has 64 hex digits");
  const parts = splitHost(address);
  if (parts === undefined || (isIP(parts.host) === 6) !== address.includes("[")) return "";
  const { host, port } = parts;
  if (!(isBound && host === "*")) {
    const why = whyNoHost(host);
    if (why !== undefined) return why;
  }
  if (isBound && port === "*") return undefined;
  const least = isBound ? 0 : 1;
  if (/^\d{1,5}$/.test(port) && Number(port) >= least && Number(port) <= 65_535) return undefined;
  return port === "" ? "" : `its port must be a number from ${least} to 65535`;
}

function whyNoHost(host: string): string | undefined {
  if (isIP(host) !== 0) return undefined;
  if (host === "") return "";
  if (host === "*") return "only a process that is bound can take every address";
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) return `"${host}" is not an IPv4 address`;
  if (/[^ -~]/.test(host)) {
    const ascii = domainToASCII(host);
    return ascii === "" ? "its host is not a name" : `its host is written ${ascii}`;
  }
  const name = host.replace(/\.$/, "");
  const isName =
    name.length <= mostNameLetters && name.split(".").every((part) => label.test(part));
  return isName ? undefined : `"${host}" is not a host name`;
}
