/** The bytes reserved at first; the memory doubles when a message does not fit. */
const firstBytes = 65_536;
/** The most bytes of a header: its kind and a number of 8 bytes. */
const headerBytes = 9;
/** The most UTF-8 bytes for each UTF-16 unit of a text. */
const unitBytes = 3;

/** A kind of value whose header contains a length: a number of bytes, elements or entries. */
interface Sized {
  /** The header's first byte, added to a length that is below `tiny`. */
  readonly small: number;
  readonly tiny: number;
  /** The header's first byte for a length of 1 byte; undefined if this kind has no such header. */
  readonly one: number | undefined;
  /** The header's first byte for a length of 2 bytes; that for 4 bytes is the next number. */
  readonly two: number;
}

const text: Sized = { small: 0xa0, tiny: 32, one: 0xd9, two: 0xda };
const binary: Sized = { small: 0, tiny: 0, one: 0xc4, two: 0xc5 };
const array: Sized = { small: 0x90, tiny: 16, one: undefined, two: 0xdc };
const map: Sized = { small: 0x80, tiny: 16, one: undefined, two: 0xde };

/**
 * Encodes messages as MessagePack, each value in its shortest form. Leaves out undefined fields. A
 * lone surrogate in a text becomes U+FFFD. Source: the MessagePack specification, "Formats".
 */
export class MsgpackEncoder {
  #bytes = Buffer.allocUnsafe(firstBytes);
  #at = 0;

  /**
   * Encodes nil, booleans, numbers, texts, binary values, arrays, and maps of these. Any other
   * object is encoded as the map of its enumerable fields.
   * @throws Error for a function, a symbol or a BigInt
   */
  encode(value: unknown): Uint8Array {
    this.#at = 0;
    this.#value(value);
    return new Uint8Array(this.#bytes.subarray(0, this.#at));
  }

  #value(value: unknown): void {
    if (typeof value === "string") this.#text(value);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "boolean") this.#byte(value ? 0xc3 : 0xc2);
    else if (value == null) this.#byte(0xc0);
    else if (typeof value !== "object") throw new Error(`a ${typeof value} can't be encoded`);
    else if (Array.isArray(value)) this.#array(value);
    else if (value instanceof Uint8Array) this.#binary(value);
    else this.#map(value as Readonly<Record<string, unknown>>);
  }

  #array(values: readonly unknown[]): void {
    this.#head(array, values.length);
    for (const value of values) this.#value(value);
  }

  #map(fields: Readonly<Record<string, unknown>>): void {
    let size = 0;
    for (const key in fields) if (fields[key] !== undefined) size += 1;
    this.#head(map, size);
    for (const key in fields) {
      const value = fields[key];
      if (value === undefined) continue;
      this.#text(key);
      this.#value(value);
    }
  }

  #binary(value: Uint8Array): void {
    this.#head(binary, value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  #text(value: string): void {
    // For a text this short, calling the platform's encoder takes longer than encoding it here.
    if (value.length < text.tiny && this.#ascii(value)) return;
    this.#head(text, Buffer.byteLength(value));
    this.#reserve(value.length * unitBytes);
    this.#at += this.#bytes.write(value, this.#at);
  }

  /**
   * Encodes a text that is shorter than `text.tiny`, if all of it is ASCII.
   * @returns whether it was encoded
   */
  #ascii(value: string): boolean {
    const { length } = value;
    this.#reserve(1 + length);
    const bytes = this.#bytes;
    const start = this.#at + 1;
    for (let index = 0; index < length; index += 1) {
      const unit = value.charCodeAt(index);
      if (unit > 0x7f) return false;
      bytes[start + index] = unit;
    }
    bytes[start - 1] = text.small + length;
    this.#at = start + length;
    return true;
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value)) return this.#float(value);
    if (value >= 0) {
      if (value < 0x80) this.#byte(value);
      else if (value < 0x100) this.#sized(0xcc, value, 1);
      else if (value < 0x1_0000) this.#sized(0xcd, value, 2);
      else if (value < 0x1_0000_0000) this.#sized(0xce, value, 4);
      else this.#long(0xcf, value);
    } else if (value >= -0x20) this.#byte(value + 0x100);
    else if (value >= -0x80) this.#sized(0xd0, value, 1);
    else if (value >= -0x8000) this.#sized(0xd1, value, 2);
    else if (value >= -0x8000_0000) this.#sized(0xd2, value, 4);
    else this.#long(0xd3, value);
  }

  #float(value: number): void {
    this.#byte(0xcb);
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleBE(value, this.#at);
  }

  #head({ small, tiny, one, two }: Sized, length: number): void {
    if (length < tiny) this.#byte(small + length);
    else if (one !== undefined && length < 0x100) this.#sized(one, length, 1);
    else if (length < 0x1_0000) this.#sized(two, length, 2);
    else this.#sized(two + 1, length, 4);
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#at] = byte;
    this.#at += 1;
  }

  /** Writes a header and an integer of 1, 2 or 4 bytes. */
  #sized(header: number, number: number, length: 1 | 2 | 4): void {
    this.#reserve(headerBytes);
    const bytes = this.#bytes;
    bytes[this.#at] = header;
    for (let left = length, rest = number; left > 0; left -= 1, rest >>= 8) {
      bytes[this.#at + left] = rest;
    }
    this.#at += 1 + length;
  }

  /** Writes a header and an integer of 8 bytes. */
  #long(header: number, number: number): void {
    this.#reserve(headerBytes);
    this.#bytes[this.#at] = header;
    this.#at = this.#bytes.writeBigInt64BE(BigInt(number), this.#at + 1);
  }

  /** Makes room for so many more bytes. */
  #reserve(length: number): void {
    const wanted = this.#at + length;
    if (wanted <= this.#bytes.length) return;
    const wider = Buffer.allocUnsafe(2 * wanted);
    this.#bytes.copy(wider, 0, 0, this.#at);
    this.#bytes = wider;
  }
}
