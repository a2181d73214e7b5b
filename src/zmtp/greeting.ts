import type { SocketType } from "./metadata.ts";
import { Refused } from "./refused.ts";

/** The name of a security mechanism on the wire (ZMTP 3.1, RFC 37, "Security Mechanism"). */
type Mechanism = "NULL" | "PLAIN" | "CURVE";

export const greetingBytes = 64;
/** The same in ZMTP 2.0. */
const olderGreetingBytes = 12;
const signatureBytes = 10;
const mechanismStart = 12;
const mechanismBytes = 20;

/** The beginning of all our greetings: the signature, and major version 3. */
export const greetingStart = Buffer.from("ff00000000000000007f03", "hex");

/** The rest for a peer of ZMTP 3: minor version, mechanism, whether this is the server, filler. */
export function restOfGreeting(mechanism: Mechanism): Buffer {
  const greeting = Buffer.alloc(greetingBytes);
  greeting[signatureBytes + 1] = 1;
  greeting.write(mechanism, mechanismStart, "latin1");
  greeting[mechanismStart + mechanismBytes] = mechanism === "NULL" ? 0 : 1;
  return greeting.subarray(greetingStart.length);
}

/** The types of sockets by their numbers in ZMTP 2.0 (RFC 15). */
const olderTypes: readonly string[] =
  "none PUB SUB REQ REP DEALER ROUTER none none XPUB XSUB".split(" ");

/** The rest for a peer of ZMTP 2.0: the type of our socket, and an empty name. */
export function restOfOlderGreeting(ours: SocketType): Buffer {
  return Buffer.from([olderTypes.indexOf(ours), 0, 0]);
}

interface Greeting {
  /** The greeting's length; frames follow it. */
  readonly bytes: number;
  /** From minor version 1 on, a peer knows heartbeats, and subscriptions as commands. */
  readonly minor: number;
  readonly mechanism: string;
  /** The type of socket of a peer of ZMTP 2.0; undefined for a newer peer. */
  readonly olderType: string | undefined;
}

/**
 * Reads a greeting, or its beginning. A peer of another protocol is refused at the first byte that
 * shows it: a browser's request begins with a letter, and ZMTP 1.0 with a length.
 * @returns undefined while the greeting is unfinished
 * @throws Refused
 */
export function readGreeting(bytes: Uint8Array): Greeting | undefined {
  const { 0: first = 0xff, 9: last = 0x7f, 10: major = 3, 11: minor = 0 } = bytes;
  if (first !== 0xff || last !== 0x7f) throw new Refused("notZmtp", "no ZeroMQ signature");
  if (major === 0) throw new Refused("notZmtp", "ZMTP older than 2.0");
  if (major < 3) {
    if (bytes.length < olderGreetingBytes) return undefined;
    // Instead of a minor version the byte has the type.
    const olderType = olderTypes[minor] ?? "none";
    return { bytes: olderGreetingBytes, minor: 0, mechanism: "NULL", olderType };
  }
  if (bytes.length < greetingBytes) return undefined;
  const mechanism = Buffer.from(bytes.subarray(mechanismStart, mechanismStart + mechanismBytes))
    .toString("latin1")
    .replace(/\0+$/, "");
  return { bytes: greetingBytes, minor, mechanism, olderType: undefined };
}
