import type { FastifyRequest } from "fastify";
import { isLoopbackAddress } from "../protocol/request-fields.ts";

/**
 * Returns the person's address for a request that may need a person on the gateway's own machine. A
 * request of this machine may come from elsewhere: through a local proxy that is not trusted, or from
 * a page whose name somebody has made lead here (DNS rebinding). Then the result is no address of
 * this machine.
 */
export function nearbyAddress(request: FastifyRequest): string {
  const { ip } = request;
  return isLoopbackAddress(ip) && mayBeFarther(request) ? `beyond ${ip}` : ip;
}

function mayBeFarther({ headers, ips = [] }: FastifyRequest): boolean {
  const isForwarded = headers.forwarded !== undefined || headers["x-forwarded-for"] !== undefined;
  // Behind a trusted proxy, the addresses are that of the proxy and those that the proxy states.
  return (isForwarded && ips.length < 2) || !isOwnName(headers.host);
}

/** Whether the header `Host` has a name or an address that means this machine everywhere. */
function isOwnName(host = ""): boolean {
  const url = `http://${host}`;
  if (!URL.canParse(url)) return false;
  const name = new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || name.endsWith(".localhost") || isLoopbackAddress(name);
}
