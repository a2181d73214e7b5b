import type { Server } from "node:http";
import { BlockList, isIPv6, type Socket } from "node:net";
import { limits } from "../protocol/limits.ts";

/** The most time for the headers of a request to arrive. */
const headersMs = 10_000;
/** The most time for a whole request to arrive: 64 KiB over a slow line. */
export const requestMs = 30_000;
/** The longest silence between two requests. HTTP proxies usually close a connection after 60 s. */
export const idleMs = 75_000;

/** Options by which the HTTP server closes a connection whose request does not arrive in time. */
export const slowClients = { headersTimeout: headersMs, connectionsCheckingInterval: 1_000 };

/**
 * Closes connections beyond the bound of one address, so that nobody takes all connections of a
 * gateway. A connection that has become a WebSocket no longer counts: it has a user. Trusted proxies
 * have no bound, because they bring many people.
 * @param trustedProxies addresses or networks, such as `10.0.0.0/8`
 */
export function boundConnections(server: Server, trustedProxies: readonly string[]): void {
  const trusted = blockListOf(trustedProxies);
  const counts = new Map<string, number>();
  const add = (address: string, change: 1 | -1) => {
    const count = (counts.get(address) ?? 0) + change;
    if (count > 0) counts.set(address, count);
    else counts.delete(address);
    return count;
  };
  const release = new WeakMap<object, () => void>();
  server.on("connection", (socket: Socket) => {
    const { remoteAddress: address = "" } = socket;
    if (trusted.check(address, isIPv6(address) ? "ipv6" : "ipv4")) return;
    const count = add(address, 1);
    let isCounted = true;
    const end = () => {
      if (isCounted) add(address, -1);
      isCounted = false;
      socket.off("close", end);
    };
    socket.on("close", end);
    release.set(socket, end);
    if (count > limits.addressConnections) socket.destroy();
  });
  server.on("upgrade", (_request, socket) => release.get(socket)?.());
}

function blockListOf(addresses: readonly string[]): BlockList {
  const list = new BlockList();
  for (const one of addresses) {
    const [address = "", bits] = one.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
