import { connect } from "node:net";

/**
 * Whether a ZeroMQ socket greets at a TCP endpoint (ZMTP 3.1, "Greeting": its signature begins with
 * 0xFF). No handshake follows, so that a broker never takes the probe for a worker.
 */
export function probe(endpoint: string, timeoutMs: number): Promise<boolean> {
  const [, host, port] = /^tcp:\/\/(.+):(\d+)$/.exec(endpoint) ?? [];
  if (host === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: timeoutMs });
    const end = (greeted: boolean) => {
      // A reset: whoever ends in good order before the handshake is taken for one without the key.
      socket.resetAndDestroy();
      resolve(greeted);
    };
    socket.once("data", (bytes) => end(bytes[0] === 0xff));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
  });
}
