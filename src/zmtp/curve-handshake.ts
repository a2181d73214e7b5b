import { keyBytes, macBytes, open, publicKeyOf, seal, sealInPlace, sharedKey } from "./box.ts";
import type { Channel, Handshake, KeyPair, Step } from "./handshake.ts";
import type { EqualBytes } from "./plain-handshakes.ts";
import { Refused } from "./refused.ts";

const cookieBytes = 96;
const longNonceBytes = 16;
const shortNonceBytes = 8;
/**
 * The beginning of a sealed frame. A short nonce and a box follow; the box begins with the flags.
 */
const messageName = Buffer.from("\x07MESSAGE", "latin1");
const messageStart = messageName.length + shortNonceBytes;
const moreFlag = 1;
const commandFlag = 2;

interface CurveOptions {
  /** This side's metadata. */
  readonly metadata: Uint8Array;
  /** The accepted key pairs; the peer must know the public key of one pair. */
  readonly pairs: readonly KeyPair[];
  readonly random: (bytes: number) => Uint8Array;
  readonly isEqual: EqualBytes;
}

/**
 * The server's side of CurveZMQ (RFC 26). C and S are the permanent keys of client and server, C'
 * and S' their keys for this connection only. The server keeps the cookie in memory instead of
 * sealing it: an unfinished handshake costs little, and the listener limits the number of
 * handshakes.
 *
 *     client                        server
 *     HELLO    C', box(C'→S)   ───▶           proves: knows S
 *                              ◀─── WELCOME   box(S→C': S', cookie)
 *     INITIATE cookie, box(C'→S': C, box(C→S': C', S), metadata)  ───▶
 *                              ◀─── READY     box(S'→C': metadata)
 */
export class CurveHandshake implements Handshake {
  readonly #options: CurveOptions;
  #welcomed: Welcomed | undefined;

  constructor(options: CurveOptions) {
    this.#options = options;
  }

  take(name: string, rest: Buffer): Step {
    if (name === "HELLO" && this.#welcomed === undefined) return this.#welcome(rest);
    if (name === "INITIATE" && this.#welcomed !== undefined) {
      return this.#ready(rest, this.#welcomed);
    }
    throw new Refused("malformed", "a command out of turn");
  }

  /** HELLO: version (2), zeros (72), C' (32), nonce (8), box (80). */
  #welcome(hello: Buffer): Step {
    if (hello.length !== 194 || hello[0] !== 1) throw new Refused("malformed", "a HELLO");
    const clientKey = Buffer.from(hello.subarray(74, 74 + keyBytes));
    const nonce = nonceOf("CurveZMQHELLO---", hello.subarray(106, 114));
    const pair = this.#options.pairs.find(
      ({ secretKey }) => unbox(hello.subarray(114), nonce, [clientKey, secretKey]) !== undefined,
    );
    const key = pair && sharedKey(clientKey, pair.secretKey);
    if (pair === undefined || key === undefined) {
      throw new Refused("otherKey", "a HELLO for another key");
    }
    const secretKey = this.#options.random(keyBytes);
    const ours = { secretKey, publicKey: publicKeyOf(secretKey) };
    const cookie = this.#options.random(cookieBytes);
    const random = this.#options.random(longNonceBytes);
    const told = Buffer.concat([ours.publicKey, cookie]);
    const box = seal(told, nonceOf("WELCOME-", random), key);
    const counter = hello.readBigUInt64BE(106);
    this.#welcomed = { clientKey, pair, ours, cookie, counter };
    return { answer: ["WELCOME", Buffer.concat([random, box])] };
  }

  /** INITIATE: cookie (96), nonce (8), box of C (32), vouch (16 + 80) and metadata. */
  #ready(initiate: Buffer, { clientKey, pair, ours, cookie, counter }: Welcomed): Step {
    const boxStart = cookieBytes + shortNonceBytes;
    if (initiate.length < boxStart + macBytes) throw new Refused("malformed", "an INITIATE");
    if (!this.#options.isEqual(initiate.subarray(0, cookieBytes), cookie)) {
      throw new Refused("malformed", "another cookie");
    }
    const short = initiate.subarray(cookieBytes, boxStart);
    const nonce = nonceOf("CurveZMQINITIATE", short);
    const plain = unbox(initiate.subarray(boxStart), nonce, [clientKey, ours.secretKey]);
    const vouchStart = keyBytes + longNonceBytes;
    const vouchEnd = vouchStart + 80;
    if (plain === undefined || plain.length < vouchEnd) {
      throw new Refused("otherKey", "an INITIATE that can't be opened");
    }
    const vouch = unbox(
      plain.subarray(vouchStart, vouchEnd),
      nonceOf("VOUCH---", plain.subarray(keyBytes, vouchStart)),
      [plain.subarray(0, keyBytes), ours.secretKey],
    );
    const vouched = Buffer.concat([clientKey, pair.publicKey]);
    if (vouch === undefined || !this.#options.isEqual(vouch, vouched)) {
      throw new Refused("otherKey", "a voucher for another key");
    }
    const peerCounter = short.readBigUInt64BE();
    if (peerCounter <= counter) throw new Refused("malformed", "a nonce that was used");
    const key = sharedKey(clientKey, ours.secretKey) as Uint8Array;
    const first = counterBytes(1n);
    const ready = seal(this.#options.metadata, nonceOf("CurveZMQREADY---", first), key);
    return {
      answer: ["READY", Buffer.concat([first, ready])],
      metadata: plain.subarray(vouchEnd),
      channel: curveChannel(key, peerCounter),
    };
  }
}

interface Welcomed {
  readonly clientKey: Uint8Array;
  readonly pair: KeyPair;
  /** The key pair of S'. */
  readonly ours: KeyPair;
  readonly cookie: Uint8Array;
  /** The nonce of HELLO; later nonces must be higher. */
  readonly counter: bigint;
}

/**
 * Seals and opens the frames of one connection; each frame is one box. On both sides the nonces
 * count up, so that no nonce is used twice.
 */
function curveChannel(key: Uint8Array, readyCounter: bigint): Channel {
  let heard = readyCounter;
  let said = 1n;
  const nonceOut = Buffer.from("CurveZMQMESSAGES12345678", "latin1");
  const nonceIn = Buffer.from("CurveZMQMESSAGEC12345678", "latin1");
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

function nonceOf(prefix: string, rest: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(prefix, "latin1"), rest]);
}

function counterBytes(counter: bigint): Buffer {
  const bytes = Buffer.alloc(shortNonceBytes);
  bytes.writeBigUInt64BE(counter);
  return bytes;
}

/** @returns undefined if the box was not sealed with these keys and this nonce */
function unbox(
  box: Uint8Array,
  nonce: Uint8Array,
  [publicKey, secretKey]: readonly [Uint8Array, Uint8Array],
): Buffer | undefined {
  const key = sharedKey(publicKey, secretKey);
  return key && open(box, nonce, key);
}
