/**
 * A look over a MessagePack payload before it is decoded. A decoder takes memory on the word of a
 * header: 64 KiB of nested array headers, each promising thousands of elements, cost gigabytes.
 * Source: the MessagePack specification, "Formats".
 */

/** Maps and arrays within one another; the deepest message of the protocol has 5 levels. */
const deepestNesting = 16;

/**
 * @throws Error unless each map and array could fit into the bytes that are left, and none is
 * nested deeper than the protocol needs. Says nothing about the bytes after the first value.
 */
export function assertShape(bytes: Uint8Array): void {
  /** For each open map or array: the values still to come. */
  const open: number[] = [1];
  let at = 0;
  while (open.length > 0) {
    const depth = open.length - 1;
    const left = open[depth] ?? 0;
    if (left === 0) {
      open.pop();
      continue;
    }
    open[depth] = left - 1;
    if (at >= bytes.length) throw new Error("the payload ends too early");
    const value = header(bytes, at);
    at += value.skip;
    if (value.children === 0) continue;
    if (value.children > bytes.length - at) throw new Error("the payload ends too early");
    if (open.length > deepestNesting) throw new Error("the payload is nested too deeply");
    open.push(value.children);
  }
  if (at > bytes.length) throw new Error("the payload ends too early");
}

interface Header {
  /** Bytes of the header and of the plain data behind it. */
  skip: number;
  /** Values inside: elements of an array, keys and values of a map. */
  children: number;
}

const found: Header = { skip: 0, children: 0 };

function plain(skip: number): Header {
  found.skip = skip;
  found.children = 0;
  return found;
}

function nested(skip: number, children: number): Header {
  found.skip = skip;
  found.children = children;
  return found;
}

/** Bytes from 0xc0 to 0xdf whose value has a fixed size, header included. */
// biome-ignore format: a table
const fixedSizes: Readonly<Record<number, number>> = {
  192: 1, 194: 1, 195: 1, 202: 5, 203: 9, 204: 2, 205: 3, 206: 5, 207: 9, 208: 2, 209: 3, 210: 5,
  211: 9, 212: 3, 213: 4, 214: 6, 215: 10, 216: 18,
};

function header(bytes: Uint8Array, at: number): Header {
  const first = bytes[at] ?? 0;
  if (first <= 0x7f || first >= 0xe0) return plain(1);
  if (first <= 0x8f) return nested(1, 2 * (first & 0x0f));
  if (first <= 0x9f) return nested(1, first & 0x0f);
  if (first <= 0xbf) return plain(1 + (first & 0x1f));
  const fixed = fixedSizes[first];
  if (fixed !== undefined) return plain(fixed);
  const size1 = bytes[at + 1] ?? 0;
  const size2 = size1 * 0x100 + (bytes[at + 2] ?? 0);
  const size4 = size2 * 0x10000 + (bytes[at + 3] ?? 0) * 0x100 + (bytes[at + 4] ?? 0);
  switch (first) {
    case 0xc4: // bin 8
    case 0xd9: // str 8
      return plain(2 + size1);
    case 0xc5:
    case 0xda:
      return plain(3 + size2);
    case 0xc6:
    case 0xdb:
      return plain(5 + size4);
    case 0xc7: // ext 8
      return plain(3 + size1);
    case 0xc8:
      return plain(4 + size2);
    case 0xc9:
      return plain(6 + size4);
    case 0xdc: // array 16
      return nested(3, size2);
    case 0xdd:
      return nested(5, size4);
    case 0xde: // map 16
      return nested(3, 2 * size2);
    case 0xdf:
      return nested(5, 2 * size4);
    default: // 0xc1 is never used
      throw new Error("the payload is not MessagePack");
  }
}
