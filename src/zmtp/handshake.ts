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

/** The server's side of one handshake. */
export interface Handshake {
  /** @throws Refused if the command is unexpected, or does not prove what the door requires */
  take(name: string, rest: Buffer): Step;
}
