import type { Mechanism } from "./greeting.ts";

/** A secret key and its public one, 32 bytes each (X25519). */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/** Whoever may come in at a socket: anybody, whoever has the password, whoever has the public key. */
export type Door =
  | { readonly mechanism: "NULL" }
  | { readonly mechanism: "PLAIN"; readonly password: Uint8Array }
  | { readonly mechanism: "CURVE"; readonly keys: KeyPair };

/** What goes over a connection whose handshake is good, if it is encrypted. */
export interface Channel {
  seal(isCommand: boolean, more: boolean, body: Uint8Array): Buffer;
  /** @throws Refused unless it is the peer's, whole and new */
  open(body: Buffer): { body: Buffer; more: boolean; isCommand: boolean };
  /** Bytes that a sealed body is longer by. */
  readonly overhead: number;
}

export interface Step {
  /** A command to answer with: its name and what belongs to it. */
  readonly answer?: readonly [name: string, rest: Uint8Array];
  /** The peer's metadata: the handshake is good. */
  readonly metadata?: Buffer;
  readonly channel?: Channel;
}

/** The server's side of one handshake. */
export interface Handshake {
  readonly mechanism: Mechanism;
  /** @throws Refused if the command is not the next one, or proves nothing */
  take(name: string, rest: Buffer): Step;
}
