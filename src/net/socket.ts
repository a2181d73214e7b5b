import type { Observer } from "zeromq";
import { inBrackets } from "../platform/parse-endpoint.ts";
import { errorCode } from "../platform/problem.ts";
import { durations, limits } from "../protocol/limits.ts";

/**
 * Options of every libzmq socket. They set bounds that libzmq lacks by default, and limit how long
 * closing may take.
 */
export const socketOptions = {
  // At 500 ms, the package zeromq warns on stderr that the process still waits to end.
  linger: 400,
  sendHighWaterMark: limits.highWaterMark,
  // While the receive queue is full, libzmq does not read the connection; if the connection then
  // ends, libzmq aborts. So the queue has no bound here, and the senders limit what they send (B5,
  // X8).
  receiveHighWaterMark: 0,
  maxMessageSize: limits.frameBytes,
  heartbeatInterval: durations.zmtpIntervalMs,
  heartbeatTimeout: durations.zmtpTimeoutMs,
  heartbeatTimeToLive: durations.zmtpTimeoutMs,
  reconnectInterval: 50,
  // Subscribers miss what is published until they are back.
  reconnectMaxInterval: 250,
  tcpMaxRetransmitTimeout: 10_000,
} as const;

/**
 * The most messages handled before timers may run; otherwise a flood of messages would delay all
 * timers.
 */
const burst = 64;

interface Readable {
  readonly closed: boolean;
  receive(): Promise<Buffer[]>;
}

/** Passes every message to `handle` until the socket is closed. */
export async function receiveAll(
  socket: Readable,
  handle: (frames: Buffer[]) => void,
): Promise<void> {
  for (let handled = 1; !socket.closed; handled += 1) {
    try {
      const frames = await socket.receive().catch(dropUnended);
      if (frames !== undefined) handle(frames);
    } catch (error) {
      if (socket.closed) return;
      throw error;
    }
    if (handled % burst === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Returns whether libzmq's XPUB takes the frame for a subscription, wherever the frame is in its
 * message. The XPUB drops a subscription that it already knows. If the dropped frame is the last of
 * a message, the message has no end, or continues with the frames of the next message.
 */
export function isSubscription(frame: Buffer): boolean {
  return frame[0] === 0 || frame[0] === 1;
}

/** Drops a message whose end is missing (see `isSubscription`). */
function dropUnended(error: unknown): undefined {
  if (errorCode(error) !== "EAGAIN") throw error;
}

/** Counts the endpoints to which a socket is connected, and calls `onChange` after each change. */
export function watchConnections(events: Observer, onChange: (count: number) => void): void {
  // `disconnect` is also emitted for connections that ended before their handshake; these were
  // never counted.
  const reached = new Set<string>();
  events.on("handshake", ({ address }) => onChange(reached.add(address).size));
  events.on("disconnect", ({ address }) => {
    if (reached.delete(address)) onChange(reached.size);
  });
}

/**
 * Returns the endpoint to which other processes connect: `tcp://0.0.0.0:5555` →
 * `tcp://10.1.2.3:5555`.
 * @param host the host, or the whole endpoint if a router or container maps ports
 */
export function advertised(endpoint: string, host: string): string {
  if (host.includes("://")) return host;
  return endpoint.replace(anywhere, `tcp://${inBrackets(host)}`);
}

/**
 * Returns the endpoint for processes of this machine: the loopback address if the socket is bound
 * to all addresses.
 */
export function locally(endpoint: string): string {
  return advertised(endpoint, endpoint.startsWith("tcp://[") ? "::1" : "127.0.0.1");
}

const anywhere = /^tcp:\/\/(0\.0\.0\.0|\*|\[::\])/;
