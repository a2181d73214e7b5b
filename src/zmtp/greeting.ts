import { Refused } from "./refused.ts";

/** A way to prove who one is, by its name on the wire (ZMTP 3.1, RFC 37, "Security Mechanism"). */
export type Mechanism = "NULL" | "PLAIN" | "CURVE";

/** Bytes of a greeting, and of what stands in front of the mechanism in it. */
export const greetingBytes = 64;
export const versionedBytes = 12;

const signature = Buffer.from("ff00000000000000007f", "hex");
const version = [3, 1] as const;
const mechanismBytes = 20;

/**
 * Our greeting. Its first `versionedBytes` are the same for every mechanism.
 *
 *     signature (10) | version (2) | mechanism (20) | as-server (1) | filler (31)
 */
export function encodeGreeting(mechanism: Mechanism): Buffer {
  const greeting = Buffer.alloc(greetingBytes);
  signature.copy(greeting);
  greeting.set(version, signature.length);
  greeting.write(mechanism, versionedBytes, "latin1");
  greeting[versionedBytes + mechanismBytes] = mechanism === "NULL" ? 0 : 1;
  return greeting;
}

export interface Greeting {
  /** Heartbeats, and subscriptions as commands, are known from minor version 1 on. */
  readonly minor: number;
  readonly mechanism: string;
}

/**
 * Looks at what has come of a greeting, so that a peer that speaks something else is cut off by its
 * first byte: a browser's request begins with a letter, and ZMTP 1.0 with a length.
 * @returns undefined as long as some of it is still to come
 * @throws Refused
 */
export function readGreeting(bytes: Uint8Array): Greeting | undefined {
  const [first, major = 3, minor = 0] = [bytes[0], bytes[10], bytes[11]];
  if (first !== undefined && first !== 0xff) throw new Refused("notZmtp", "no ZeroMQ signature");
  if (bytes.length > 9 && bytes[9] !== 0x7f) throw new Refused("notZmtp", "no ZeroMQ signature");
  if (major < 3) throw new Refused("notZmtp", "ZMTP older than 3.0");
  if (bytes.length < greetingBytes) return undefined;
  const mechanism = Buffer.from(bytes.subarray(versionedBytes, versionedBytes + mechanismBytes));
  return { minor, mechanism: mechanism.toString("latin1").replace(/\0+$/, "") };
}
