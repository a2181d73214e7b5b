/** Pieces of MessagePack written by hand, for bytes that the library does not write. */

export function bytes(...parts: (number | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.of(part) : part)));
}

export function text(value: string): Uint8Array {
  return bytes(0xd9, Buffer.byteLength(value), Buffer.from(value));
}

export function binary(value: string): Uint8Array {
  return bytes(0xc4, Buffer.byteLength(value), Buffer.from(value));
}

/** A map of at most 15 entries; its keys and values alternate in `items`. */
export function map(...items: Uint8Array[]): Uint8Array {
  return bytes(0x80 + items.length / 2, ...items);
}
