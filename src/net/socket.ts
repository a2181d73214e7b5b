import type { Observer } from "zeromq";
import { inBrackets } from "../platform/parse-endpoint.ts";
import { errorCode } from "../platform/problem.ts";
import { durations, limits } from "../protocol/limits.ts";

/** Options of every socket: bounds where libzmq has none, and an end that does not wait forever. */
export const socketOptions = {
  linger: 500,
  sendHighWaterMark: limits.highWaterMark,
  // libzmq aborts if a connection ends that it has stopped reading. So it reads on; the senders
  // bound what comes (B5, X8).
  receiveHighWaterMark: 0,
  maxMessageSize: limits.frameBytes,
  heartbeatInterval: durations.zmtpIntervalMs,
  heartbeatTimeout: durations.zmtpTimeoutMs,
  heartbeatTimeToLive: durations.zmtpTimeoutMs,
  reconnectInterval: 50,
  // Shorter than a reference without a file waits for reports of a view.
  reconnectMaxInterval: 250,
  tcpMaxRetransmitTimeout: 10_000,
} as const;

/** Messages handled before timers get their turn: a flood would starve them. */
const burst = 64;

interface Readable {
  readonly closed: boolean;
  receive(): Promise<Buffer[]>;
}

/** A caller that waits for a moment with nothing to read. */
interface Idle {
  isWanted(): boolean;
  reached(): void;
}

/** Gives every message to `handle` until the socket is closed. */
export async function receiveAll(
  socket: Readable,
  handle: (frames: Buffer[]) => void,
  idle?: Idle,
): Promise<void> {
  for (let handled = 1; !socket.closed; handled += 1) {
    try {
      const receiving = socket.receive();
      if (idle?.isWanted()) tellIdle(receiving, idle);
      const frames = await receiving.catch(dropUnended);
      if (frames !== undefined) handle(frames);
    } catch (error) {
      if (socket.closed) return;
      throw error;
    }
    if (handled % burst === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/**
 * Whether an XPUB takes the frame for a subscription, wherever in a message it stands. It keeps a
 * subscription that it knows to itself. If that was a message's last frame, the frames before it
 * have no end then, or the end of another message.
 */
export function isSubscription(frame: Buffer): boolean {
  return frame[0] === 0 || frame[0] === 1;
}

/** Drops a message without an end (see `isSubscription`). */
function dropUnended(error: unknown): undefined {
  if (errorCode(error) !== "EAGAIN") throw error;
}

/** A message that has come is read within this turn of the loop. */
function tellIdle(receiving: Promise<unknown>, idle: Idle): void {
  let isRead = false;
  const read = () => {
    isRead = true;
  };
  receiving.then(read, () => {});
  setImmediate(() => {
    if (!isRead) idle.reached();
  });
}

/** Counts the endpoints that a connecting socket has reached, and tells every change. */
export function watchConnections(events: Observer, onChange: (count: number) => void): void {
  // `disconnect` also comes for connections without a handshake, which were never counted.
  const reached = new Set<string>();
  events.on("handshake", ({ address }) => onChange(reached.add(address).size));
  events.on("disconnect", ({ address }) => {
    if (reached.delete(address)) onChange(reached.size);
  });
}

/**
 * `tcp://0.0.0.0:5555` → `tcp://10.1.2.3:5555`, for processes that connect.
 * @param host or the whole endpoint, where ports are mapped on the way
 */
export function advertised(endpoint: string, host: string): string {
  if (host.includes("://")) return host;
  return endpoint.replace(anywhere, `tcp://${inBrackets(host)}`);
}

/** The endpoint for processes of this machine: loopback, if it is bound to all addresses. */
export function locally(endpoint: string): string {
  return advertised(endpoint, endpoint.startsWith("tcp://[") ? "::1" : "127.0.0.1");
}

const anywhere = /^tcp:\/\/(0\.0\.0\.0|\*|\[::\])/;
