import { once } from "node:events";
import { unlinkSync } from "node:fs";
import { type AddressInfo, connect, type Server } from "node:net";
import { splitHost } from "../platform/parse-endpoint.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import { addressOfName } from "./resolve.ts";

/**
 * Binds a server to an endpoint in ZeroMQ's notation.
 * @returns the endpoint with its real port
 * @throws Problem if the port is taken, or the address is not this machine's
 */
export async function listen(server: Server, endpoint: string): Promise<string> {
  const [, path] = /^ipc:\/\/(.+)$/.exec(endpoint) ?? [];
  const { host = "", port = "" } = splitHost(endpoint) ?? {};
  try {
    if (path !== undefined) {
      await removeStale(path);
      server.listen(path);
    } else {
      server.listen({ host: await addressFor(host), port: port === "*" ? 0 : Number(port) });
    }
    await once(server, "listening");
  } catch (error) {
    throw new Problem(`${endpoint} ${whyUnbound(errorCode(error), path !== undefined)}.`);
  }
  if (path !== undefined) return endpoint;
  const { address, port: bound, family } = server.address() as AddressInfo;
  return `tcp://${family === "IPv6" ? `[${address}]` : address}:${bound}`;
}

/**
 * Resolves a host. Returns an unknown name unchanged, so that `listen` fails with an error that
 * names it.
 */
export async function addressFor(host: string): Promise<string> {
  if (host === "*") return "0.0.0.0";
  return (await addressOfName(host))?.address ?? host;
}

function whyUnbound(code: string | undefined, isPath: boolean): string {
  if (code === "EADDRINUSE") return "is taken: stop what uses it, or choose another port";
  if (!isPath && code === "EACCES") {
    return "may not be used by this user: choose a port above 1023";
  }
  const way = isPath
    ? "check that its folder exists and may be written, or give another path"
    : "give an address of this machine";
  return `can't be bound (${code}): ${way}`;
}

/**
 * Removes the Unix socket file of a process that has ended: a file at which nobody accepts
 * connections.
 */
async function removeStale(path: string): Promise<void> {
  const probe = connect(path);
  try {
    await once(probe, "connect");
  } catch (error) {
    if (errorCode(error) === "ECONNREFUSED") unlinkSync(path);
  } finally {
    probe.destroy();
  }
}
