import type { Observer } from "zeromq";
import { inBrackets } from "../platform/parse-endpoint.ts";
import { errorCode } from "../platform/problem.ts";
import { durations, limits } from "../protocol/limits.ts";

/** What every socket gets: bounds where libzmq has none, and an end that does not wait forever. */
export const socketOptions = {
  linger: 500,
  sendHighWaterMark: limits.highWaterMark,
  // libzmq aborts if a connection ends that it has stopped to read: it reads on, and what may come
  // is bounded where it comes from (B5, X8).
  receiveHighWaterMark: 0,
  maxMessageSize: limits.frameBytes,
  heartbeatInterval: durations.zmtpIntervalMs,
  heartbeatTimeout: durations.zmtpTimeoutMs,
  heartbeatTimeToLive: durations.zmtpTimeoutMs,
  reconnectInterval: 50,
  // Below the time in which a reference without a file waits for reports of a view.
  reconnectMaxInterval: 250,
  tcpMaxRetransmitTimeout: 10_000,
} as const;

/** Messages handled before timers get their turn: a flooded loop would starve them. */
const burst = 64;

interface Readable {
  readonly closed: boolean;
  receive(): Promise<Buffer[]>;
}

/** Somebody who waits for a moment with nothing to read. */
interface Idle {
  isWanted(): boolean;
  reached(): void;
}

/** Hands every message to `handle` until the socket is closed. */
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
 * Whether an XPUB takes it for one, wherever in a message it stands. One that it knows it keeps to
 * itself, also the last of a message: what came before it has no end then, or that of another.
 */
export function isSubscription(frame: Buffer): boolean {
  return frame[0] === 0 || frame[0] === 1;
}

/** Of a message without an end (see `isSubscription`) nothing is left. */
function dropUnended(error: unknown): undefined {
  if (errorCode(error) !== "EAGAIN") throw error;
}

/** What is there to read is there within this turn of the loop. */
function tellIdle(receiving: Promise<unknown>, idle: Idle): void {
  let isRead = false;
  receiving.then(
    () => {
      isRead = true;
    },
    () => {},
  );
  setImmediate(() => {
    if (!isRead) idle.reached();
  });
}

/** Counts the endpoints that a connecting socket has reached and tells of every change. */
export function watchConnections(events: Observer, onChange: (count: number) => void): void {
  // A connection that never was a ZeroMQ one is lost too: only those that were there count.
  const reached = new Set<string>();
  events.on("handshake", ({ address }) => onChange(reached.add(address).size));
  events.on("disconnect", ({ address }) => {
    if (reached.delete(address)) onChange(reached.size);
  });
}

/**
 * `tcp://0.0.0.0:5555` → `tcp://10.1.2.3:5555`, for those who are to connect. Where ports are
 * mapped on the way, the whole endpoint is told instead of a host.
 */
export function advertised(endpoint: string, host: string): string {
  if (host.includes("://")) return host;
  return endpoint.replace(anywhere, `tcp://${inBrackets(host)}`);
}

/**
 * The endpoint by which this machine reaches a process: loopback, if it is bound to all addresses.
 */
export function locally(endpoint: string): string {
  return advertised(endpoint, endpoint.startsWith("tcp://[") ? "::1" : "127.0.0.1");
}

const anywhere = /^tcp:\/\/(0\.0\.0\.0|\*|\[::\])/;
