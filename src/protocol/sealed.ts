/** The values from which the key of a sealed publication is derived (X5). */
export interface TopicKey {
  readonly topic: string;
  /** The day, counted from 1970 in UTC. */
  readonly day: number;
  /**
   * On a private topic, the version of the user's credential, so that a changed password changes
   * the key.
   */
  readonly version: string;
}

const dayMs = 86_400_000;

export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / dayMs);
}

/** The first byte of a sealed publication; no MessagePack value begins with this byte. */
const mark = 0xc1;
const headerBytes = 5;

/**
 * Returns the sealed form: the mark, the day (4 bytes), and the bytes sealed with the key of that
 * day.
 */
export function sealedForm(day: number, sealed: Uint8Array): Buffer {
  const header = Buffer.alloc(headerBytes, mark);
  header.writeUInt32BE(day, 1);
  return Buffer.concat([header, sealed]);
}

/**
 * Returns the bytes to sign for a publication. Topic and day are included, so that the signature is
 * valid for no other topic or day (X5).
 */
export function signedPart({ topic, day }: Omit<TopicKey, "version">, array: Uint8Array): Buffer {
  const name = Buffer.from(topic);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(name.length, 0);
  numbers.writeUInt32BE(day, 4);
  return Buffer.concat([numbers.subarray(0, 4), name, numbers.subarray(4), array]);
}

/**
 * Splits a sealed payload.
 * @returns undefined if the payload is not sealed
 */
export function readSealed(payload: Uint8Array): { day: number; sealed: Uint8Array } | undefined {
  if (payload[0] !== mark || payload.length < headerBytes) return undefined;
  const day = Buffer.from(payload.subarray(1, headerBytes)).readUInt32BE();
  return { day, sealed: payload.subarray(headerBytes) };
}
