import { keyBytes, macBytes, open, publicKeyOf, seal, sharedKey } from "./box.ts";
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

const welcomeBytes = longNonceBytes + macBytes + keyBytes + cookieBytes;

interface CurveClientOptions {
  /** This side's metadata. */
  readonly metadata: Uint8Array;
  /** The public key of the other side: S. */
  readonly serverKey: Uint8Array;
  readonly random: (bytes: number) => Uint8Array;
}

/**
 * The connecting side of CurveZMQ (RFC 26); `CurveServer` is the bound side, and shows the
 * commands. The permanent key C is made for this connection, so that the process stays anonymous.
 */
export class CurveClient implements Handshake {
  readonly first: readonly [string, Uint8Array];
  readonly #options: CurveClientOptions;
  /** The key pairs of C and C'. */
  readonly #permanent: KeyPair;
  readonly #ours: KeyPair;
  /** The key of this connection: of C' and S'. Undefined before WELCOME. */
  #key: Uint8Array | undefined;

  /** @throws Refused if nobody can prove the key */
  constructor(options: CurveClientOptions) {
    this.#options = options;
    this.#permanent = this.#pair();
    this.#ours = this.#pair();
    this.first = ["HELLO", this.#hello()];
  }

  take(name: string, rest: Buffer): Step {
    if (name === "WELCOME" && this.#key === undefined) return this.#initiate(rest);
    if (name === "READY" && this.#key !== undefined) return this.#ready(rest, this.#key);
    throw new Refused(name === "ERROR" ? "otherKey" : "malformed", "a command out of turn");
  }

  /** HELLO: version (2), zeros (72), C' (32), nonce (8), box of zeros (80). */
  #hello(): Buffer {
    const key = this.#with(this.#options.serverKey, this.#ours);
    const short = counterBytes(1n);
    const box = seal(Buffer.alloc(64), nonceOf("CurveZMQHELLO---", short), key);
    return Buffer.concat([Buffer.of(1, 0), Buffer.alloc(72), this.#ours.publicKey, short, box]);
  }

  /** WELCOME: nonce (16), box of S' (32) and cookie (96). */
  #initiate(welcome: Buffer): Step {
    if (welcome.length !== welcomeBytes) throw new Refused("malformed", "a WELCOME");
    const { serverKey, metadata, random } = this.#options;
    const nonce = nonceOf("WELCOME-", welcome.subarray(0, longNonceBytes));
    const plain = unbox(welcome.subarray(longNonceBytes), nonce, [serverKey, this.#ours.secretKey]);
    if (plain === undefined) throw new Refused("otherKey", "a WELCOME that can't be opened");
    const [theirs, cookie] = [plain.subarray(0, keyBytes), plain.subarray(keyBytes)];
    this.#key = this.#with(theirs, this.#ours);
    const long = random(longNonceBytes);
    const vouched = Buffer.concat([this.#ours.publicKey, serverKey]);
    const vouch = seal(vouched, nonceOf("VOUCH---", long), this.#with(theirs, this.#permanent));
    const short = counterBytes(2n);
    const box = seal(
      Buffer.concat([this.#permanent.publicKey, long, vouch, metadata]),
      nonceOf("CurveZMQINITIATE", short),
      this.#key,
    );
    return { answer: ["INITIATE", Buffer.concat([cookie, short, box])] };
  }

  /** READY: nonce (8), box of the metadata. */
  #ready(ready: Buffer, key: Uint8Array): Step {
    if (ready.length < shortNonceBytes + macBytes) throw new Refused("malformed", "a READY");
    const short = ready.subarray(0, shortNonceBytes);
    const metadata = open(ready.subarray(shortNonceBytes), nonceOf("CurveZMQREADY---", short), key);
    if (metadata === undefined) throw new Refused("otherKey", "a READY that can't be opened");
    const heard = short.readBigUInt64BE();
    return { metadata, channel: curveChannel(key, { ours: "C", said: 2n, heard }) };
  }

  #pair(): KeyPair {
    const secretKey = this.#options.random(keyBytes);
    return { secretKey, publicKey: publicKeyOf(secretKey) };
  }

  #with(publicKey: Uint8Array, { secretKey }: KeyPair): Uint8Array {
    const key = sharedKey(publicKey, secretKey);
    if (key === undefined) throw new Refused("otherKey", "a key that anybody could prove");
    return key;
  }
}
