/** A secret key and its public key, 32 bytes each (X25519). */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/**
 * One way to connect to a socket: for all peers, for peers with the password, or for peers with the
 * public key.
 */
export type Door =
  | { readonly mechanism: "NULL" }
  | { readonly mechanism: "PLAIN"; readonly password: Uint8Array }
  | { readonly mechanism: "CURVE"; readonly keys: KeyPair };

/** What the connecting side presents: nothing, a password, or the public key that the bound side must prove. */
export type Credentials =
  | { readonly mechanism: "NULL" }
  | { readonly mechanism: "PLAIN"; readonly password: Uint8Array }
  | { readonly mechanism: "CURVE"; readonly serverKey: Uint8Array };

/** Seals and opens the frames of an encrypted connection, after its handshake. */
export interface Channel {
  seal(isCommand: boolean, more: boolean, body: Uint8Array): Buffer;
  /**
   * @throws Refused if the peer did not seal the frame, or if the frame was altered or was opened
   * before
   */
  open(body: Buffer): { body: Buffer; more: boolean; isCommand: boolean };
  /** The number of bytes by which sealing lengthens a body. */
  readonly overhead: number;
}

export interface Step {
  /** The command with which this side answers. */
  readonly answer?: readonly [name: string, rest: Uint8Array];
  /** The peer's metadata, once the handshake has succeeded. */
  readonly metadata?: Buffer;
  readonly channel?: Channel;
}

/** One side of a handshake. */
export interface Handshake {
  /** The command with which the connecting side begins; the bound side waits. */
  readonly first?: readonly [name: string, rest: Uint8Array];
  /** @throws Refused if the command is unexpected, or does not prove what this side requires */
  take(name: string, rest: Buffer): Step;
}
