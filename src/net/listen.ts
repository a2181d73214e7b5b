import { once } from "node:events";
import { unlinkSync } from "node:fs";
import { type AddressInfo, connect, type Server } from "node:net";
import { splitHost } from "../platform/parse-endpoint.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import { addressOfName } from "./resolve.ts";

/**
 * Binds it to an endpoint as ZeroMQ writes them.
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
    const code = errorCode(error);
    if (path !== undefined && code !== "EADDRINUSE") throw pathProblem(endpoint, code);
    throw new Problem(whyUnbound(endpoint, code));
  }
  if (path !== undefined) return endpoint;
  const { address, port: bound, family } = server.address() as AddressInfo;
  return `tcp://${family === "IPv6" ? `[${address}]` : address}:${bound}`;
}

/** Resolves a host. An unknown name is returned as it is: `listen` then fails and says so. */
async function addressFor(host: string): Promise<string> {
  if (host === "*") return "0.0.0.0";
  return (await addressOfName(host))?.address ?? host;
}

function pathProblem(endpoint: string, code: string | undefined): Problem {
  const way = "check that its folder exists and may be written, or give another path";
  return new Problem(`${endpoint} can't be bound (${code}): ${way}.`);
}

function whyUnbound(endpoint: string, code: string | undefined): string {
  if (code === "EADDRINUSE") {
    return `${endpoint} is taken: stop what uses it, or choose another port.`;
  }
  if (code === "EACCES") {
    return `${endpoint} may not be used by this user: choose a port above 1023.`;
  }
  return `${endpoint} can't be bound (${code}): give an address of this machine.`;
}

/** A process that was killed leaves its Unix socket behind, at which nobody answers. */
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
