import { macBytes, open, sealInPlace, sharedKey } from "./box.ts";
import type { Channel } from "./handshake.ts";
import { Refused } from "./refused.ts";

// What both sides of CurveZMQ (RFC 26) have in common: nonces, boxes, and the frames after the handshake.

export const cookieBytes = 96;
export const longNonceBytes = 16;
export const shortNonceBytes = 8;
/**
 * The beginning of a sealed frame. A short nonce and a box follow; the box begins with the flags.
 */
const messageName = Buffer.from("\x07MESSAGE", "latin1");
const messageStart = messageName.length + shortNonceBytes;
const moreFlag = 1;
const commandFlag = 2;

interface Start {
  /** This side: the client, which connects, or the server. */
  readonly ours: "C" | "S";
  /** The nonces that each side has used in the handshake. */
  readonly said: bigint;
  readonly heard: bigint;
}

/**
 * Seals and opens the frames of one connection; each frame is one box. On both sides the nonces
 * count up, so that no nonce is used twice.
 */
export function curveChannel(key: Uint8Array, start: Start): Channel {
  let { said, heard } = start;
  const theirs = start.ours === "C" ? "S" : "C";
  const nonceOut = Buffer.from(`CurveZMQMESSAGE${start.ours}12345678`, "latin1");
  const nonceIn = Buffer.from(`CurveZMQMESSAGE${theirs}12345678`, "latin1");
  return {
    overhead: messageStart + macBytes + 1,
    seal: (isCommand, more, body) => {
      said += 1n;
      nonceOut.writeBigUInt64BE(said, longNonceBytes);
      const flagsAt = messageStart + macBytes;
      const sealed = Buffer.allocUnsafe(flagsAt + 1 + body.length);
      messageName.copy(sealed);
      sealed.writeBigUInt64BE(said, messageName.length);
      sealed[flagsAt] = (more ? moreFlag : 0) | (isCommand ? commandFlag : 0);
      sealed.set(body, flagsAt + 1);
      sealInPlace(sealed.subarray(messageStart), nonceOut, key);
      return sealed;
    },
    open: (body) => {
      if (body.length <= messageStart + macBytes || body.indexOf(messageName) !== 0) {
        throw new Refused("malformed", "a frame that is not sealed");
      }
      const counter = body.readBigUInt64BE(messageName.length);
      if (counter <= heard) throw new Refused("malformed", "a nonce that was used");
      heard = counter;
      nonceIn.writeBigUInt64BE(counter, longNonceBytes);
      const plain = open(body.subarray(messageStart), nonceIn, key);
      if (plain === undefined) throw new Refused("malformed", "a frame that was altered");
      const flags = plain[0] as number;
      return {
        body: plain.subarray(1),
        more: (flags & moreFlag) !== 0,
        isCommand: (flags & commandFlag) !== 0,
      };
    },
  };
}

export function nonceOf(prefix: string, rest: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(prefix, "latin1"), rest]);
}

export function counterBytes(counter: bigint): Buffer {
  const bytes = Buffer.alloc(shortNonceBytes);
  bytes.writeBigUInt64BE(counter);
  return bytes;
}

/** @returns undefined if the box was not sealed with these keys and this nonce */
export function unbox(
  box: Uint8Array,
  nonce: Uint8Array,
  [publicKey, secretKey]: readonly [Uint8Array, Uint8Array],
): Buffer | undefined {
  const key = sharedKey(publicKey, secretKey);
  return key && open(box, nonce, key);
}
