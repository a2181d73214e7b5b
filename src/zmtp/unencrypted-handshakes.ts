import type { Handshake, Step } from "./handshake.ts";
import { Refused } from "./refused.ts";

/** Compares bytes; the time taken does not depend on where they differ. */
export type EqualBytes = (one: Uint8Array, other: Uint8Array) => boolean;

/** Accepts every peer (ZMTP 3.1, RFC 37, "The NULL mechanism"). */
export function nullServer(ours: Uint8Array): Handshake {
  return {
    take: (name, metadata) => {
      if (name !== "READY") throw new Refused("malformed", "a command out of turn");
      return { answer: ["READY", ours], metadata };
    },
  };
}

/** The connecting side of NULL: both sides send READY, and neither waits for the other. */
export function nullClient(ours: Uint8Array): Handshake {
  return {
    first: ["READY", ours],
    take: (name, metadata) => {
      if (name !== "READY") throw new Refused("malformed", "a command out of turn");
      return { metadata };
    },
  };
}

/** The connecting side of PLAIN: HELLO → WELCOME, INITIATE → READY. */
export function passwordClient(ours: Uint8Array, password: Uint8Array): Handshake {
  const text = (bytes: Uint8Array) => Buffer.concat([Buffer.of(bytes.length), bytes]);
  let isWelcome = false;
  return {
    first: ["HELLO", Buffer.concat([text(userName), text(password)])],
    take: (name, metadata): Step => {
      if (name === "WELCOME" && !isWelcome) {
        isWelcome = true;
        return { answer: ["INITIATE", ours] };
      }
      if (name === "READY" && isWelcome) return { metadata };
      throw new Refused(name === "ERROR" ? "otherKey" : "malformed", "a command out of turn");
    },
  };
}

/** The bound side accepts any name. */
const userName = Buffer.from("member");

/**
 * Accepts peers that send one of the passwords, with any user name (RFC 24). The password is sent
 * unencrypted, like all other data in an unencrypted cluster.
 */
export function passwordServer(
  ours: Uint8Array,
  passwords: readonly Uint8Array[],
  isEqual: EqualBytes,
): Handshake {
  let isKnown = false;
  return {
    take: (name, rest): Step => {
      if (name === "HELLO" && !isKnown) {
        const given = passwordOf(rest);
        if (!passwords.some((password) => isEqual(given, password))) {
          throw new Refused("memberWanted", "another password");
        }
        isKnown = true;
        return { answer: ["WELCOME", Buffer.alloc(0)] };
      }
      if (name === "INITIATE" && isKnown) return { answer: ["READY", ours], metadata: rest };
      throw new Refused("malformed", "a command out of turn");
    },
  };
}

/** Returns the password in a HELLO: user name and password, each after one byte with its length. */
function passwordOf(hello: Buffer): Buffer {
  const start = 1 + (hello[0] ?? 0);
  const end = start + 1 + (hello[start] ?? 0);
  if (end !== hello.length) throw new Refused("malformed", "a HELLO without its end");
  return hello.subarray(start + 1, end);
}
