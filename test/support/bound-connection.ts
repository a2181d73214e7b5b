import { randomBytes, timingSafeEqual } from "node:crypto";
import sodium from "libsodium-wrappers";
import { expect } from "vitest";
import { Connection, type ConnectionOptions } from "../../src/zmtp/connection.ts";
import type { Door } from "../../src/zmtp/handshake.ts";
import { Refused, type RefusedBecause } from "../../src/zmtp/refused.ts";
import { metadata, restOf } from "./zmtp.ts";

await sodium.ready;
const { publicKey, privateKey: secretKey } = sodium.crypto_box_keypair();

export const nobody: Door = { mechanism: "NULL" };
export const password: Door = { mechanism: "PLAIN", password: Buffer.from("the password") };
export const keys = { publicKey, secretKey };
export const curve: Door = { mechanism: "CURVE", keys };

export const isEqual = (one: Uint8Array, other: Uint8Array) =>
  one.length === other.length && timingSafeEqual(one, other);

export const bounds = { frameBytes: 1_000, frames: 4, messageBytes: 1_500 };
const options: Omit<ConnectionOptions, "security"> = {
  socketType: "ROUTER",
  peers: ["REQ", "DEALER"],
  bounds,
  random: randomBytes,
  isEqual,
};
export const about = metadata("DEALER");

/**
 * The bound side of a connection, with the bytes that it has sent and the messages that it has
 * received.
 */
export class Bound {
  readonly messages: string[][] = [];
  readonly connection: Connection;
  ready = 0;
  #said = Buffer.alloc(0);

  constructor(doors: Door | Door[], change: Partial<ConnectionOptions> = {}) {
    this.connection = new Connection(
      { ...options, ...change, security: { doors: [doors].flat() } },
      {
        write: (bytes) => {
          this.#said = Buffer.concat([this.#said, bytes]);
        },
        onReady: () => {
          this.ready += 1;
        },
        onMessage: (frames) => this.messages.push(frames.map((one) => one.toString("latin1"))),
      },
    );
    this.connection.start();
  }

  get said(): Buffer {
    return this.#said;
  }

  hear(...bytes: Uint8Array[]): this {
    this.connection.receive(Buffer.concat(bytes));
    return this;
  }

  /** Receives bytes. @returns the reason for refusing them, or undefined if they are accepted */
  refuses(...bytes: Uint8Array[]): RefusedBecause | undefined {
    try {
      this.hear(...bytes);
    } catch (error) {
      if (error instanceof Refused) return error.because;
      throw error;
    }
    return undefined;
  }

  answer(name: string): Buffer {
    return restOf(this.said, name) ?? expect.fail(`no ${name}`);
  }
}
