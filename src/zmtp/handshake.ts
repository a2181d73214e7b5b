/** A secret key and its public one, 32 bytes each (X25519). */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/** Lets peers in at a socket: anybody, or peers with the password, or peers with the public key. */
export type Door =
  | { readonly mechanism: "NULL" }
  | { readonly mechanism: "PLAIN"; readonly password: Uint8Array }
  | { readonly mechanism: "CURVE"; readonly keys: KeyPair };

/** Seals and opens the frames of an encrypted connection, after its handshake. */
export interface Channel {
  seal(isCommand: boolean, more: boolean, body: Uint8Array): Buffer;
  /** @throws Refused unless the peer sealed the frame, and it comes unaltered for the first time */
  open(body: Buffer): { body: Buffer; more: boolean; isCommand: boolean };
  /** How many bytes longer a sealed body is. */
  readonly overhead: number;
}

export interface Step {
  /** The command that answers. */
  readonly answer?: readonly [name: string, rest: Uint8Array];
  /** The peer's metadata: given once the handshake is good. */
  readonly metadata?: Buffer;
  readonly channel?: Channel;
}

/** The server's side of one handshake. */
export interface Handshake {
  /** @throws Refused if the command is not the next one, or proves nothing */
  take(name: string, rest: Buffer): Step;
}
