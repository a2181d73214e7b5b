import { keyBytes, macBytes, publicKeyOf, seal, sharedKey } from "./box.ts";
import {
  cookieBytes,
  counterBytes,
  curveChannel,
  longNonceBytes,
  nonceOf,
  shortNonceBytes,
  unbox,
} from "./curve-channel.ts";
import type { Handshake, KeyPair, Step } from "./handshake.ts";
import { Refused } from "./refused.ts";
import type { EqualBytes } from "./unencrypted-handshakes.ts";

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
export class CurveServer implements Handshake {
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
      channel: curveChannel(key, { ours: "S", said: 1n, heard: peerCounter }),
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
