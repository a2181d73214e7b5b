import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import sodium from "libsodium-wrappers";
import { splitKey } from "../../src/platform/endpoint.ts";
import { until } from "./until.ts";

/**
 * ZMTP 3.1 (RFC 37) and CurveZMQ (RFC 26) written by hand, from the side of the peer that connects.
 */

/** @param first the first byte, which is 0xff in a ZeroMQ signature */
export function greeting(mechanism = "NULL", { major = 3, minor = 1, first = 0xff } = {}): Buffer {
  const bytes = Buffer.alloc(64);
  bytes[0] = first;
  bytes[9] = 0x7f;
  bytes[10] = major;
  bytes[11] = minor;
  bytes.write(mechanism, 12, "latin1");
  return bytes;
}

/** A frame; its length takes one byte or eight, whatever the flags say. */
export function frame(body: Uint8Array | string, flags = 0): Buffer {
  const bytes = Buffer.from(body);
  if (bytes.length <= 255) return Buffer.concat([Buffer.of(flags, bytes.length), bytes]);
  const head = Buffer.alloc(9);
  head[0] = flags | 2;
  head.writeBigUInt64BE(BigInt(bytes.length), 1);
  return Buffer.concat([head, bytes]);
}

export function message(...bodies: (Uint8Array | string)[]): Buffer {
  return Buffer.concat(bodies.map((body, at) => frame(body, at < bodies.length - 1 ? 1 : 0)));
}

export function commandBody(name: string, rest: Uint8Array | string = ""): Buffer {
  return Buffer.concat([Buffer.of(name.length), Buffer.from(name, "latin1"), Buffer.from(rest)]);
}

export function command(name: string, rest: Uint8Array | string = ""): Buffer {
  return frame(commandBody(name, rest), 4);
}

export function property(name: string, value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([Buffer.of(name.length), Buffer.from(name, "latin1"), length, bytes]);
}

export function metadata(type: string, identity: Uint8Array | string = ""): Buffer {
  return Buffer.concat([property("Socket-Type", type), property("Identity", identity)]);
}

export function plainHello(password: string, user = "member"): Buffer {
  const text = (part: string) => Buffer.concat([Buffer.of(part.length), Buffer.from(part)]);
  return command("HELLO", Buffer.concat([text(user), text(password)]));
}

/** The frames after a greeting of 64 bytes. */
export function framesOf(bytes: Buffer): { flags: number; body: Buffer }[] {
  const frames: { flags: number; body: Buffer }[] = [];
  for (let at = 64; at + 1 < bytes.length; ) {
    const flags = bytes[at] as number;
    const isLong = (flags & 2) !== 0;
    const start = at + (isLong ? 9 : 2);
    if (start > bytes.length) break;
    const length = isLong ? Number(bytes.readBigUInt64BE(at + 1)) : (bytes[at + 1] as number);
    if (start + length > bytes.length) break;
    frames.push({ flags, body: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return frames;
}

/** The rest of the first command with that name. */
export function restOf(bytes: Buffer, name: string): Buffer | undefined {
  const start = commandBody(name);
  const found = framesOf(bytes).find(
    ({ flags, body }) => (flags & 4) !== 0 && body.subarray(0, start.length).equals(start),
  );
  return found?.body.subarray(start.length);
}

const bytesOf = (text: string) => Buffer.from(text, "latin1");

function counted(prefix: string, counter: bigint): Buffer {
  const bytes = Buffer.concat([bytesOf(prefix), Buffer.alloc(8)]);
  bytes.writeBigUInt64BE(counter, 16);
  return bytes;
}

/** The client's side of CurveZMQ, which knows the server's public key. */
export class CurveClient {
  readonly #serverKey: Uint8Array;
  readonly #lasting = sodium.crypto_box_keypair();
  readonly #passing = sodium.crypto_box_keypair();
  #counter = 0n;
  #shared: Uint8Array = new Uint8Array();

  static async of(serverKey: Uint8Array): Promise<CurveClient> {
    await sodium.ready;
    return new CurveClient(serverKey);
  }

  private constructor(serverKey: Uint8Array) {
    this.#serverKey = serverKey;
  }

  hello(): Buffer {
    const nonce = counted("CurveZMQHELLO---", ++this.#counter);
    const { privateKey, publicKey } = this.#passing;
    const box = sodium.crypto_box_easy(Buffer.alloc(64), nonce, this.#serverKey, privateKey);
    const version = Buffer.concat([Buffer.of(1, 0), Buffer.alloc(72)]);
    return command("HELLO", Buffer.concat([version, publicKey, nonce.subarray(16), box]));
  }

  /** @param change fields of the INITIATE to replace */
  initiate(
    welcome: Buffer,
    about: Uint8Array,
    change: { cookie?: Uint8Array; counter?: bigint; vouchedFor?: Uint8Array } = {},
  ): Buffer {
    const { privateKey, publicKey } = this.#passing;
    const opened = sodium.crypto_box_open_easy(
      welcome.subarray(16),
      Buffer.concat([bytesOf("WELCOME-"), welcome.subarray(0, 16)]),
      this.#serverKey,
      privateKey,
    );
    const [serverPassing, cookie] = [opened.subarray(0, 32), opened.subarray(32)];
    const vouchNonce = randomBytes(16);
    const vouch = sodium.crypto_box_easy(
      Buffer.concat([change.vouchedFor ?? publicKey, this.#serverKey]),
      Buffer.concat([bytesOf("VOUCH---"), vouchNonce]),
      serverPassing,
      this.#lasting.privateKey,
    );
    const nonce = counted("CurveZMQINITIATE", change.counter ?? ++this.#counter);
    this.#shared = sodium.crypto_box_beforenm(serverPassing, privateKey);
    const box = sodium.crypto_box_easy_afternm(
      Buffer.concat([this.#lasting.publicKey, vouchNonce, vouch, about]),
      nonce,
      this.#shared,
    );
    const rest = Buffer.concat([change.cookie ?? cookie, nonce.subarray(16), box]);
    return command("INITIATE", rest);
  }

  /** The opened content of the READY. */
  ready(rest: Buffer): Buffer {
    const nonce = Buffer.concat([bytesOf("CurveZMQREADY---"), rest.subarray(0, 8)]);
    return Buffer.from(sodium.crypto_box_open_easy_afternm(rest.subarray(8), nonce, this.#shared));
  }

  /** A MESSAGE command whose box holds one frame of a message or a command. */
  seal(body: Uint8Array | string, flags = 0): Buffer {
    const nonce = counted("CurveZMQMESSAGEC", ++this.#counter);
    const plain = Buffer.concat([Buffer.of(flags), Buffer.from(body)]);
    const box = sodium.crypto_box_easy_afternm(plain, nonce, this.#shared);
    return frame(commandBody("MESSAGE", Buffer.concat([nonce.subarray(16), box])));
  }

  open(sealed: Buffer): { flags: number; body: Buffer } {
    const rest = sealed.subarray(8);
    const nonce = Buffer.concat([bytesOf("CurveZMQMESSAGES"), rest.subarray(0, 8)]);
    const plain = sodium.crypto_box_open_easy_afternm(rest.subarray(8), nonce, this.#shared);
    return { flags: plain[0] as number, body: Buffer.from(plain.subarray(1)) };
  }
}

export interface Manner {
  readonly type?: string;
  readonly identity?: Uint8Array | string;
  readonly minor?: number;
  /** The local IPv4 address to connect from: 127.x.y.z. */
  readonly localAddress?: string;
}

/** A TCP connection that sends any bytes that a test wants. */
export class RawPeer {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  isClosed = false;

  constructor(endpoint: string, { localAddress }: Manner = {}) {
    const { address } = splitKey(endpoint);
    const [, host = "", port = ""] = /^tcp:\/\/(.+):(\d+)$/.exec(address) ?? [];
    this.socket = connect({ host, port: Number(port), ...(localAddress ? { localAddress } : {}) });
    this.socket.on("error", () => {});
    this.socket.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    this.socket.on("close", () => {
      this.isClosed = true;
    });
  }

  /** Connects and finishes the handshake, without a key or password. */
  static async shaken(endpoint: string, manner: Manner = {}): Promise<RawPeer> {
    const peer = new RawPeer(endpoint, manner);
    const { type = "DEALER", identity = "", minor = 1 } = manner;
    peer.say(greeting("NULL", { minor }), command("READY", metadata(type, identity)));
    await until(() => restOf(peer.heard, "READY") !== undefined, "the handshake is good");
    return peer;
  }

  /** All bytes received so far. */
  get heard(): Buffer {
    const heard = Buffer.concat(this.#chunks);
    this.#chunks = [heard];
    return heard;
  }

  say(...bytes: (Uint8Array | string)[]): void {
    this.socket.write(Buffer.concat(bytes.map((part) => Buffer.from(part))));
  }

  /**
   * Waits until the received bytes fulfil the condition, the connection ends, or the time is over.
   */
  hears(condition: (heard: Buffer) => boolean, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.isClosed && !condition(this.heard)) return;
        clearTimeout(timer);
        this.socket.off("data", look).off("close", look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.socket.off("data", look).off("close", look);
        resolve();
      }, limitMs);
      this.socket.on("data", look).on("close", look);
      look();
    });
  }

  closed(limitMs?: number): Promise<void> {
    return until(() => this.isClosed, "it is cut off", limitMs);
  }

  /**
   * Resets the connection. A connection that is ending already is only destroyed, because Node
   * would never release its file after a reset.
   */
  close(): void {
    if (!this.socket.writableEnded) this.socket.resetAndDestroy();
    this.socket.destroy();
  }
}
