import { isIP, isIPv6 } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { curveKeyPair, type Socket } from "zeromq";
import { passwordOf, splitKey } from "../platform/endpoint.ts";
import { withoutWarnings } from "../platform/host.ts";
import { splitHost } from "../platform/parse-endpoint.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import { addressOfName } from "./resolve.ts";

type Connecting = Socket & {
  connect(address: string): void;
  disconnect(address: string): void;
};

/** Pause before an unresolved host name is looked up again. */
const lookUpEveryMs = 1_000;

/**
 * Connects to each endpoint, encrypted or with a password if the endpoint has a key. IPv6 is used
 * for IPv6 addresses and for names that have only IPv6 addresses; otherwise IPv4 is used.
 * @throws Problem if an argument is not an endpoint; the socket is then closed
 */
export function connect(socket: Connecting, endpoints: readonly string[]): void {
  const connector = new Connector(socket);
  try {
    for (const endpoint of endpoints) {
      const { host = "" } = splitHost(splitKey(endpoint).address) ?? {};
      connector.open(endpoint, { byIPv6: isIPv6(host) });
      if (host !== "" && isIP(host) === 0) void connector.followName(endpoint, host);
    }
  } catch (error) {
    // An open socket would keep the process from ending.
    socket.close();
    throw error;
  }
}

/**
 * Opens a socket's connections one by one, because a changed option applies only to connections
 * opened after the change.
 */
class Connector {
  readonly #socket: Connecting;
  /** The key that is set in the socket's options; null before the first connection. */
  #key: string | undefined | null = null;

  constructor(socket: Connecting) {
    this.#socket = socket;
  }

  open(endpoint: string, { byIPv6 }: { byIPv6: boolean }): void {
    const { address, key } = splitKey(endpoint);
    // zeromq warns about each option that is set after a connection, because existing connections
    // ignore the option.
    withoutWarnings(() => {
      if (key !== this.#key) setServerKey(this.#socket, key);
      if (this.#socket.ipv6 !== byIPv6) this.#socket.ipv6 = byIPv6;
    });
    this.#key = key;
    try {
      uninterrupted(() => this.#socket.connect(address));
    } catch (error) {
      throw new Problem(
        `"${address}" is not an endpoint (${errorCode(error)}): write it as tcp://host:port.`,
        2,
      );
    }
  }

  /**
   * Reconnects over IPv6 if the name turns out to have only IPv6 addresses. libzmq retries a name
   * only in one address family, by default IPv4.
   */
  async followName(endpoint: string, host: string): Promise<void> {
    let found = await addressOfName(host);
    while (found === undefined && !this.#socket.closed) {
      await pause(lookUpEveryMs, undefined, { ref: false });
      found = await addressOfName(host);
    }
    if (found?.family !== 6 || this.#socket.closed) return;
    uninterrupted(() => this.#socket.disconnect(splitKey(endpoint).address));
    this.open(endpoint, { byIPv6: true });
  }
}

/**
 * Calls libzmq again if a signal has interrupted the call (EINTR). An interrupted call has done
 * nothing.
 */
function uninterrupted(call: () => void): void {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (errorCode(error) !== "EINTR") throw error;
    }
  }
}

/**
 * Sets the socket's key for the next connection. Encryption uses a new key pair for each
 * connection, so that the process stays anonymous.
 */
function setServerKey(socket: Socket, key: string | undefined): void {
  // In libzmq these assignments are the only way to make later connections use no key.
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

/**
 * @param options keys as 32 bytes, which libzmq accepts, although the typings allow only Z85 text
 */
function encrypt(socket: Socket, options: Readonly<Record<string, unknown>>): void {
  Object.assign(socket, options);
  // If libzmq was built without CURVE, the assignment only adds fields to a JavaScript object, and
  // the socket stays unencrypted.
  if (socket.securityMechanism === "curve") return;
  throw new Problem("This machine's ZeroMQ can't encrypt: install zeromq's own libzmq.");
}
