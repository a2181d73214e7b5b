import type { SocketType } from "./metadata.ts";
import { Refused } from "./refused.ts";

/** The name of a security mechanism on the wire (ZMTP 3.1, RFC 37, "Security Mechanism"). */
type Mechanism = "NULL" | "PLAIN" | "CURVE";

export const greetingBytes = 64;
/** The length of a greeting in ZMTP 2.0. */
const olderGreetingBytes = 12;
const signatureBytes = 10;
const mechanismStart = 12;
const mechanismBytes = 20;

/** The beginning of every greeting of this side: the signature, and major version 3. */
export const greetingStart = Buffer.from("ff00000000000000007f03", "hex");

/**
 * Returns the rest of the greeting for a ZMTP 3 peer: minor version, mechanism, whether this side
 * is the server of the mechanism, and zeros.
 */
export function restOfGreeting(mechanism: Mechanism, isServer: boolean): Buffer {
  const greeting = Buffer.alloc(greetingBytes);
  greeting[signatureBytes + 1] = 1;
  greeting.write(mechanism, mechanismStart, "latin1");
  greeting[mechanismStart + mechanismBytes] = isServer && mechanism !== "NULL" ? 1 : 0;
  return greeting.subarray(greetingStart.length);
}

/** The socket types by their numbers in ZMTP 2.0 (RFC 15). */
const olderTypes: readonly string[] =
  "none PUB SUB REQ REP DEALER ROUTER none none XPUB XSUB".split(" ");

/**
 * Returns the rest of the greeting for a ZMTP 2.0 peer: the type of this side's socket, and an
 * empty name.
 */
export function restOfOlderGreeting(ours: SocketType): Buffer {
  return Buffer.from([olderTypes.indexOf(ours), 0, 0]);
}

export interface Greeting {
  /** The length of the greeting in bytes; frames follow it. */
  readonly bytes: number;
  /** The minor version. From 1 on, a peer supports heartbeats, and subscriptions as commands. */
  readonly minor: number;
  readonly mechanism: string;
  /** The socket type of a ZMTP 2.0 peer; undefined for a newer peer. */
  readonly olderType: string | undefined;
}

/**
 * Reads a greeting, even if only its beginning has arrived. A peer of another protocol is refused
 * at the first byte that differs: an HTTP request begins with a letter, ZMTP 1.0 with a length.
 * @returns undefined while the greeting is unfinished
 * @throws Refused if the peer does not speak ZMTP 2.0 or later
 */
export function readGreeting(bytes: Uint8Array): Greeting | undefined {
  const { 0: first = 0xff, 9: last = 0x7f, 10: major = 3, 11: minor = 0 } = bytes;
  if (first !== 0xff || last !== 0x7f) throw new Refused("notZmtp", "no ZeroMQ signature");
  if (major === 0) throw new Refused("notZmtp", "ZMTP older than 2.0");
  if (major < 3) {
    if (bytes.length < olderGreetingBytes) return undefined;
    // In ZMTP 2.0 this byte is the socket type, not a minor version.
    const olderType = olderTypes[minor] ?? "none";
    return { bytes: olderGreetingBytes, minor: 0, mechanism: "NULL", olderType };
  }
  if (bytes.length < greetingBytes) return undefined;
  const mechanism = Buffer.from(bytes.subarray(mechanismStart, mechanismStart + mechanismBytes))
    .toString("latin1")
    .replace(/\0+$/, "");
  return { bytes: greetingBytes, minor, mechanism, olderType: undefined };
}
