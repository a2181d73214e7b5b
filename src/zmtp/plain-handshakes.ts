import type { Handshake, Step } from "./handshake.ts";
import { Refused } from "./refused.ts";

/** Compares bytes; the time taken does not depend on where they differ. */
export type EqualBytes = (one: Uint8Array, other: Uint8Array) => boolean;

/** Accepts every peer (ZMTP 3.1, RFC 37, "The NULL mechanism"). */
export function nullHandshake(ours: Uint8Array): Handshake {
  return {
    take: (name, metadata) => {
      if (name !== "READY") throw new Refused("malformed", "a command out of turn");
      return { answer: ["READY", ours], metadata };
    },
  };
}

/**
 * Accepts peers that send one of the passwords, with any user name (RFC 24). The password is sent
 * unencrypted, like all other data in an unencrypted cluster.
 */
export function passwordHandshake(
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
