import { connect } from "node:net";
import { splitHost } from "../platform/parse-endpoint.ts";

/**
 * Returns whether a ZeroMQ socket answers at a TCP endpoint: its greeting begins with 0xFF (ZMTP
 * 3.1, "Greeting"). No handshake follows, so that a broker does not send requests to the probe.
 */
export function probe(endpoint: string, timeoutMs: number): Promise<boolean> {
  const parts = splitHost(endpoint);
  if (parts === undefined || parts.port === "*") return Promise.resolve(false);
  const { host, port } = parts;
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: timeoutMs });
    const end = (greeted: boolean) => {
      // The probed process could take an orderly end before the handshake for a peer that lacks the
      // cluster's key. So the probe resets the connection.
      socket.resetAndDestroy();
      resolve(greeted);
    };
    socket.once("data", (bytes) => end(bytes[0] === 0xff));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
  });
}
