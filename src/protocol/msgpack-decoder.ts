/** The deepest nesting of maps and arrays; no message of the protocol has more than 5 levels. */
export const deepestNesting = 16;

/** The longest map key that is cached, in bytes: no field or server has a longer name. */
const rememberedBytes = 24;
const rememberedKeys = 1_024;
/**
 * The longest ASCII text, in bytes, that is decoded in JavaScript. Calling the platform's decoder
 * for such a short text takes longer.
 */
const shortBytes = 12;

export interface DecodeBounds {
  /** The largest number of values, including map keys; a payload with more is an error. */
  readonly values?: number;
  /**
   * The longest text or binary value, in bytes; a longer value is skipped and reads as undefined.
   */
  readonly bytes?: number;
}

interface KnownKey {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * Decodes untrusted MessagePack within bounds (W11). The decoder allocates memory only for bytes
 * that it has read, never for a length that a header claims. So 64 KiB of nested headers that each
 * claim thousands of elements cost no memory. Invalid UTF-8 becomes U+FFFD, as in the WHATWG
 * encoding standard (W14). Source: the MessagePack specification, "Formats".
 */
export class MsgpackDecoder {
  #payload: Uint8Array = new Uint8Array(0);
  /** The payload as a Buffer, whose methods decode texts. */
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #depth = 0;
  #valuesLeft = 0;
  #mostBytes = 0;
  readonly #keys: (KnownKey | undefined)[] = new Array(rememberedKeys).fill(undefined);

  /**
   * Decodes a payload. Keys of maps may be strings, binary, or numbers, which become their digits
   * (W10). As in JSON, no key is special, not even `__proto__`. A value of an extension type, such
   * as a time, reads as binary, because no message contains such a type.
   * @throws Error if the payload is not exactly one value, or breaks a bound
   */
  decode(payload: Uint8Array, bounds: DecodeBounds = {}): unknown {
    this.#payload = payload;
    this.#bytes = Buffer.isBuffer(payload)
      ? payload
      : Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    this.#at = 0;
    this.#depth = 0;
    this.#valuesLeft = bounds.values ?? Number.POSITIVE_INFINITY;
    this.#mostBytes = bounds.bytes ?? Number.POSITIVE_INFINITY;
    const value = this.#value();
    if (this.#at !== payload.length) throw new Error("the payload goes on behind its value");
    return value;
  }

  #value(): unknown {
    this.#valuesLeft -= 1;
    if (this.#valuesLeft < 0) throw new Error("the payload has too many values");
    const first = this.#bytes[this.#skip(1)] as number;
    if (first <= 0x7f) return first;
    if (first >= 0xe0) return first - 0x100;
    if (first <= 0x8f) return this.#map(first & 0x0f);
    if (first <= 0x9f) return this.#array(first & 0x0f);
    if (first <= 0xbf) return this.#text(first & 0x1f);
    return this.#other(first);
  }

  #other(first: number): unknown {
    switch (first) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#binary(this.#take(2 ** (first - 0xc4)));
      case 0xc7: // ext 8, 16, 32: length, type, bytes
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#take(2 ** (first - 0xc7)));
      case 0xca:
        return this.#view(4).getFloat32(0);
      case 0xcb:
        return this.#view(8).getFloat64(0);
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#take(2 ** (first - 0xcc));
      case 0xcf:
        return this.#take(4) * 2 ** 32 + this.#take(4);
      case 0xd0:
        return (this.#take(1) << 24) >> 24;
      case 0xd1:
        return (this.#take(2) << 16) >> 16;
      case 0xd2:
        return this.#take(4) | 0;
      case 0xd3:
        return (this.#take(4) | 0) * 2 ** 32 + this.#take(4);
      case 0xd4: // fixext 1, 2, 4, 8, 16
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(2 ** (first - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#take(2 ** (first - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#take(2 * (first - 0xdb)));
      case 0xde:
      case 0xdf:
        return this.#map(this.#take(2 * (first - 0xdd)));
      default: // 0xc1 is never used
        throw new Error("the payload is not MessagePack");
    }
  }

  #array(length: number): unknown[] {
    this.#enter(length);
    const array: unknown[] = [];
    for (let left = length; left > 0; left -= 1) array.push(this.#value());
    this.#depth -= 1;
    return array;
  }

  #map(length: number): Record<string, unknown> {
    this.#enter(2 * length);
    const map: Record<string, unknown> = {};
    for (let left = length; left > 0; left -= 1) {
      const key = this.#key();
      const value = this.#value();
      if (key === "__proto__") setOwn(map, key, value);
      else map[key] = value;
    }
    this.#depth -= 1;
    return map;
  }

  /**
   * @param values the number of values that the header claims; each value takes at least one byte
   */
  #enter(values: number): void {
    this.#depth += 1;
    if (values > 0 && this.#depth > deepestNesting) {
      throw new Error("the payload is nested too deeply");
    }
    if (values > this.#bytes.length - this.#at) throw new Error("the payload ends too early");
  }

  #key(): string {
    const first = this.#bytes[this.#at] ?? 0;
    if (first >= 0xa0 && first <= 0xa0 + rememberedBytes) {
      this.#valuesLeft -= 1;
      this.#at += 1;
      return this.#knownKey(first & 0x1f);
    }
    if (isExtension(first)) throw new Error("the payload has a key that is no text");
    const key = this.#value();
    const text = key instanceof Uint8Array ? Buffer.from(key).toString("utf8") : key;
    if (typeof text === "number") return String(text);
    if (typeof text !== "string") throw new Error("the payload has a key that is no text");
    return text;
  }

  /**
   * Reads a short key. If the cache has the key's bytes, returns the cached text without decoding.
   */
  #knownKey(length: number): string {
    const start = this.#skip(length);
    const bytes = this.#bytes;
    const last = bytes[start + length - 1] ?? 0;
    const middle = bytes[start + (length >> 1)] ?? 0;
    const place = (length * 7 + (bytes[start] ?? 0) * 31 + middle * 17 + last * 5) % rememberedKeys;
    const known = this.#keys[place];
    if (known?.bytes.length === length && isAt(known.bytes, bytes, start)) return known.text;
    const text = this.#textAt(start, length);
    // The bytes are copied, because a slice of a Buffer would keep the whole payload in memory.
    const own = new Uint8Array(bytes.subarray(start, start + length));
    this.#keys[place] = { bytes: own, text };
    return text;
  }

  #text(length: number): string | undefined {
    const start = this.#skip(length);
    return length > this.#mostBytes ? undefined : this.#textAt(start, length);
  }

  #textAt(start: number, length: number): string {
    const bytes = this.#bytes;
    const end = start + length;
    if (length > shortBytes) return bytes.toString("utf8", start, end);
    let text = "";
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte > 0x7f) return bytes.toString("utf8", start, end);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #binary(length: number): Uint8Array | undefined {
    const start = this.#skip(length);
    if (length > this.#mostBytes) return undefined;
    return this.#payload.subarray(start, start + length);
  }

  #extension(length: number): Uint8Array | undefined {
    this.#skip(1);
    return this.#binary(length);
  }

  #view(length: number): DataView {
    const start = this.#skip(length);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + start, length);
  }

  /** Reads an unsigned integer of 1, 2 or 4 bytes. */
  #take(length: number): number {
    const start = this.#skip(length);
    const bytes = this.#bytes;
    let number = 0;
    for (let at = start; at < start + length; at += 1) {
      number = number * 0x100 + (bytes[at] as number);
    }
    return number;
  }

  /**
   * Skips bytes.
   * @returns the index of the first skipped byte
   */
  #skip(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw new Error("the payload ends too early");
    this.#at = start + length;
    return start;
  }
}

/**
 * Returns how many elements the payload's array claims to have; undefined if the payload is no
 * array.
 */
export function elementsOf(payload: Uint8Array): number | undefined {
  const first = payload[0] ?? 0;
  if (first >= 0x90 && first <= 0x9f) return first & 0x0f;
  if (first !== 0xdc && first !== 0xdd) return undefined;
  const size = payload.subarray(1, first === 0xdc ? 3 : 5);
  return size.reduce((number, byte) => number * 0x100 + byte, 0);
}

function isAt(known: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < known.length; at += 1) if (known[at] !== bytes[start + at]) return false;
  return true;
}

function isExtension(first: number): boolean {
  return (first >= 0xc7 && first <= 0xc9) || (first >= 0xd4 && first <= 0xd8);
}

/** Sets `__proto__` as JSON.parse does: an assignment would change the object's prototype. */
function setOwn(map: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(map, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}
