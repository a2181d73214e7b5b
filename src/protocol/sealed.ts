/** The values from which a sealed publication's key is derived (X5). */
export interface TopicKey {
  readonly topic: string;
  /** Days since 1970, in UTC. */
  readonly day: number;
  /** On a private topic, the version of its user's credential: another password ends the key. */
  readonly version: string;
}

const dayMs = 86_400_000;

export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / dayMs);
}

/** No MessagePack value begins with this byte. */
const mark = 0xc1;
const headerBytes = 5;

/** The mark, the day (4 bytes), and the bytes that are sealed with that day's key. */
export function sealedForm(day: number, sealed: Uint8Array): Buffer {
  const header = Buffer.alloc(headerBytes, mark);
  header.writeUInt32BE(day, 1);
  return Buffer.concat([header, sealed]);
}

/** The signed bytes of a publication, which fit no other topic and no other day (X5). */
export function signedPart({ topic, day }: Omit<TopicKey, "version">, array: Uint8Array): Buffer {
  const name = Buffer.from(topic);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(name.length, 0);
  numbers.writeUInt32BE(day, 4);
  return Buffer.concat([numbers.subarray(0, 4), name, numbers.subarray(4), array]);
}

/** @returns undefined if the payload is not sealed */
export function readSealed(payload: Uint8Array): { day: number; sealed: Uint8Array } | undefined {
  if (payload[0] !== mark || payload.length < headerBytes) return undefined;
  const day = Buffer.from(payload.subarray(1, headerBytes)).readUInt32BE();
  return { day, sealed: payload.subarray(headerBytes) };
}
