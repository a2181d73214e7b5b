import { connect, createServer } from "node:net";
import { splitHost } from "../platform/parse-endpoint.ts";
import { errorCode } from "../platform/problem.ts";
import { addressFor } from "./listen.ts";

/**
 * What a probe finds at an endpoint: a ZeroMQ socket's greeting, another program, a port that
 * nobody has bound (`refused`), or no answer at all (`silent`), as behind a firewall.
 */
export type Probed = "greeting" | "foreign" | "refused" | "silent";

/**
 * Looks for a ZeroMQ socket at an endpoint: its greeting begins with 0xFF (ZMTP 3.1, "Greeting").
 * No handshake follows, so that a broker does not send requests to the probe.
 */
export function probe(endpoint: string, timeoutMs: number): Promise<Probed> {
  const [, path] = /^ipc:\/\/(.+)$/.exec(endpoint) ?? [];
  const { host, port } = splitHost(endpoint) ?? {};
  if (path === undefined && (port === undefined || port === "*")) return Promise.resolve("refused");
  return new Promise((resolve) => {
    const socket = connect(path === undefined ? { host, port: Number(port) } : { path });
    let isConnected = false;
    const end = (found: Probed) => {
      clearTimeout(timer);
      // The probed process could take an orderly end before the handshake for a peer that lacks the
      // cluster's key. So the probe resets the connection.
      if (path === undefined) socket.resetAndDestroy();
      else socket.destroy();
      resolve(found);
    };
    const timer = setTimeout(() => end(isConnected ? "foreign" : "silent"), timeoutMs);
    socket.once("connect", () => {
      isConnected = true;
    });
    socket.once("data", (bytes) => end(bytes[0] === 0xff ? "greeting" : "foreign"));
    socket.once("error", (error) => {
      if (isConnected) return end("foreign");
      const isRefused = ["ECONNREFUSED", "ENOENT"].includes(errorCode(error) ?? "");
      end(isRefused ? "refused" : "silent");
    });
    socket.once("close", () => end("foreign"));
  });
}

/**
 * Binds a TCP endpoint for a moment.
 * @returns the system's error code, such as `EADDRINUSE`; undefined if the endpoint can be bound
 */
export async function whyUnbindable(endpoint: string): Promise<string | undefined> {
  const { host = "", port } = splitHost(endpoint) ?? {};
  const address = await addressFor(host);
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(errorCode(error)));
    server.listen({ host: address, port: Number(port) }, () => {
      server.close(() => resolve(undefined));
    });
  });
}
