const byteBits = 7;
/** A length has at most four bytes. */
const mostLengthBits = 4 * byteBits;

/**
 * Follows the frames of a stream of MQTT packets. A packet that is too long is found by its first
 * bytes: the parser of aedes would keep up to 256 MB of it in memory.
 */
export class PacketGuard {
  readonly #mostBytes: number;
  #part: "type" | "length" | "body" = "type";
  /** The bytes of the packet's body that have not come yet; while its length comes, the length so far. */
  #left = 0;
  #bits = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** @returns false if a packet is too long */
  takes(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.byteLength) {
      if (this.#part === "body") {
        const step = Math.min(this.#left, chunk.byteLength - at);
        at += step;
        this.#left -= step;
        if (this.#left === 0) this.#part = "type";
        continue;
      }
      const byte = chunk[at] ?? 0;
      at += 1;
      if (this.#part === "type") {
        this.#part = "length";
        this.#left = 0;
        this.#bits = 0;
      } else if (!this.#takesLength(byte)) return false;
    }
    return true;
  }

  #takesLength(byte: number): boolean {
    this.#left += (byte & 0x7f) * 2 ** this.#bits;
    this.#bits += byteBits;
    const isLast = byte < 0x80;
    if (this.#left > this.#mostBytes || (!isLast && this.#bits >= mostLengthBits)) return false;
    if (isLast) this.#part = this.#left === 0 ? "type" : "body";
    return true;
  }
}
