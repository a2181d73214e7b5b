/** A secret key and its public one, 32 bytes each (X25519). */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/**
 * Lets peers in at a socket: anybody, or whoever has the password, or whoever has the public key.
 */
export type Door =
  | { readonly mechanism: "NULL" }
  | { readonly mechanism: "PLAIN"; readonly password: Uint8Array }
  | { readonly mechanism: "CURVE"; readonly keys: KeyPair };

/** Seals and opens the frames of an encrypted connection, after its handshake. */
export interface Channel {
  seal(isCommand: boolean, more: boolean, body: Uint8Array): Buffer;
  /**
   * @throws Refused unless the frame was sealed by the peer, unaltered, and comes for the first
   * time
   */
  open(body: Buffer): { body: Buffer; more: boolean; isCommand: boolean };
  /** Bytes by which a sealed body is longer. */
  readonly overhead: number;
}

export interface Step {
  /** A command to answer with. */
  readonly answer?: readonly [name: string, rest: Uint8Array];
  /** The peer's metadata; with it the handshake is good. */
  readonly metadata?: Buffer;
  readonly channel?: Channel;
}

/** The server's side of one handshake. */
export interface Handshake {
  /** @throws Refused if the command is not the next one, or proves nothing */
  take(name: string, rest: Buffer): Step;
}
