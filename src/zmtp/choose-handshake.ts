import { CurveClient } from "./curve-client.ts";
import { CurveServer } from "./curve-server.ts";
import type { Credentials, Door, Handshake } from "./handshake.ts";
import { encodeMetadata, type SocketType } from "./metadata.ts";
import {
  type EqualBytes,
  nullClient,
  nullServer,
  passwordClient,
  passwordServer,
} from "./unencrypted-handshakes.ts";

export interface HandshakeParts {
  /** The type of this side's socket. */
  readonly socketType: SocketType;
  readonly random: (bytes: number) => Uint8Array;
  readonly isEqual: EqualBytes;
}

/**
 * The connecting side's handshake.
 * @throws Refused if the credentials's key is one that nobody can prove
 */
export function clientHandshake(
  credentials: Credentials,
  { socketType, random }: HandshakeParts,
): Handshake {
  const metadata = encodeMetadata(socketType);
  switch (credentials.mechanism) {
    case "NULL":
      return nullClient(metadata);
    case "PLAIN":
      return passwordClient(metadata, credentials.password);
    case "CURVE":
      return new CurveClient({ metadata, serverKey: credentials.serverKey, random });
  }
}

/**
 * The bound side's handshake.
 * @param doors those with the peer's mechanism, of which there is at least one
 */
export function serverHandshake(
  doors: readonly Door[],
  { socketType, random, isEqual }: HandshakeParts,
): Handshake {
  const metadata = encodeMetadata(socketType);
  switch (doors[0]?.mechanism) {
    case "PLAIN": {
      const passwords = doors.flatMap((one) => ("password" in one ? [one.password] : []));
      return passwordServer(metadata, passwords, isEqual);
    }
    case "CURVE": {
      const pairs = doors.flatMap((one) => ("keys" in one ? [one.keys] : []));
      return new CurveServer({ metadata, pairs, random, isEqual });
    }
    default:
      return nullServer(metadata);
  }
}
