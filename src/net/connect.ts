import { isIP, isIPv6 } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { curveKeyPair, type Socket } from "zeromq";
import { passwordOf, splitKey } from "../platform/endpoint.ts";
import { withoutWarnings } from "../platform/host.ts";
import { splitHost } from "../platform/parse-endpoint.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import { familyOf } from "./resolve.ts";

type Connecting = Socket & {
  connect(address: string): void;
  disconnect(address: string): void;
};

/** Between two looks for a name that nobody knows yet. */
const lookAgainMs = 1_000;

/**
 * Connects to each endpoint, with the key that it carries or plain. A name that has addresses of
 * IPv6 alone is reached by these; else IPv4 is used.
 * @throws Problem if one is no endpoint; then the socket is closed
 */
export function connect(socket: Connecting, endpoints: readonly string[]): void {
  const connection = new Connection(socket);
  try {
    for (const endpoint of endpoints) {
      const { host = "" } = splitHost(splitKey(endpoint).address) ?? {};
      connection.open(endpoint, { byIPv6: isIPv6(host) });
      if (host !== "" && isIP(host) === 0) void connection.followName(endpoint, host);
    }
  } catch (error) {
    // An open socket would keep the process from ending.
    socket.close();
    throw error;
  }
}

/** The options of a socket count for the connections that are made after they are set. */
class Connection {
  readonly #socket: Connecting;
  /** The key of the connection before. */
  #key: string | undefined | null = null;

  constructor(socket: Connecting) {
    this.#socket = socket;
  }

  open(endpoint: string, { byIPv6 }: { byIPv6: boolean }): void {
    const { address, key } = splitKey(endpoint);
    // zeromq warns of each option that is set behind a connection, as if it were meant for that.
    withoutWarnings(() => {
      if (key !== this.#key) setServerKey(this.#socket, key);
      if (this.#socket.ipv6 !== byIPv6) this.#socket.ipv6 = byIPv6;
    });
    this.#key = key;
    try {
      this.#socket.connect(address);
    } catch (error) {
      throw new Problem(
        `"${address}" is no endpoint (${errorCode(error)}): write it as tcp://host:port.`,
        2,
      );
    }
  }

  /**
   * libzmq looks for addresses of one family only. It has begun with IPv4, and tries again by itself;
   * this changes to IPv6 once the name turns out to have no other addresses.
   */
  async followName(endpoint: string, host: string): Promise<void> {
    let family = await familyOf(host);
    while (family === undefined && !this.#socket.closed) {
      await pause(lookAgainMs, undefined, { ref: false });
      family = await familyOf(host);
    }
    if (family !== 6 || this.#socket.closed) return;
    this.#socket.disconnect(splitKey(endpoint).address);
    this.open(endpoint, { byIPv6: true });
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
