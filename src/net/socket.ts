import { curveKeyPair, type Observer, type Socket } from "zeromq";
import { passwordOf, splitKey } from "../platform/endpoint.ts";
import { errorCode, Problem } from "../platform/problem.ts";
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

type Connecting = Socket & { connect(address: string): void };

/**
 * Connects to each endpoint, with the key that it carries or plain.
 * @throws Problem if one is no endpoint
 */
export function connect(socket: Connecting, endpoints: readonly string[]): void {
  // Options count for the connections that follow. They stay where the key does, as zeromq warns of
  // each that is set on a connected socket.
  let present: string | undefined | null = null;
  for (const endpoint of endpoints) {
    const { address, key } = splitKey(endpoint);
    if (key !== present) setServerKey(socket, key);
    present = key;
    try {
      socket.connect(address);
    } catch (error) {
      throw new Problem(
        `"${address}" is no endpoint (${errorCode(error)}): write it as tcp://host:port.`,
        2,
      );
    }
  }
}

/** With a pair of its own that nobody knows: whoever connects stays anonymous. */
function setServerKey(socket: Socket, key: string | undefined): void {
  // libzmq has no other ways back to plain.
  if (socket.securityMechanism === "curve") socket.curveServer = false;
  if (socket.securityMechanism === "plain") socket.plainUsername = null;
  if (key === undefined) return;
  const password = passwordOf(key);
  if (password !== undefined) {
    Object.assign(socket, { plainUsername: "member", plainPassword: password });
    return;
  }
  const { publicKey: curvePublicKey, secretKey: curveSecretKey } = curveKeyPair();
  const curveServerKey = Buffer.from(key, "hex");
  encrypt(socket, { curveServerKey, curvePublicKey, curveSecretKey });
}

/** @param options the typings know keys as Z85 text only; libzmq takes their 32 bytes as well */
function encrypt(socket: Socket, options: Readonly<Record<string, unknown>>): void {
  Object.assign(socket, options);
  // Without CURVE in libzmq zeromq has no such options, and sets mere fields.
  if (socket.securityMechanism === "curve") return;
  throw new Problem("This machine's ZeroMQ can't encrypt: install zeromq's own libzmq.");
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
  return endpoint.replace(/^tcp:\/\/(0\.0\.0\.0|\*|\[::\])/, `tcp://${host}`);
}
