/** Reads a stream of bytes in pieces whose length the caller chooses. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);
  #isEnded = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Returns the next `count` bytes, or fewer at the end of the stream. */
  async take(count: number): Promise<Buffer> {
    await this.#hold(count);
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }

  /**
   * Returns the bytes before the next newline, and skips the newline. @throws Error if no newline
   * comes within `most` bytes
   */
  async takeLine(most: number): Promise<Buffer> {
    for (let wanted = 1; ; wanted = this.#held.length + 1) {
      await this.#hold(wanted);
      const end = this.#held.indexOf("\n");
      if (end >= 0) return (await this.take(end + 1)).subarray(0, end);
      if (this.#isEnded || this.#held.length > most) throw new Error("a line does not end");
    }
  }

  /** Yields the rest of the stream, in pieces of any length. */
  async *rest(): AsyncGenerator<Buffer> {
    for (;;) {
      await this.#hold(1);
      if (this.#held.length === 0) return;
      yield await this.take(this.#held.length);
    }
  }

  /** Reads until `count` bytes are held, or the stream has ended. */
  async #hold(count: number): Promise<void> {
    if (this.#held.length >= count) return;
    const chunks: Uint8Array[] = [this.#held];
    let length = this.#held.length;
    while (length < count && !this.#isEnded) {
      const { done, value } = await this.#source.next();
      if (done === true) {
        this.#isEnded = true;
      } else {
        chunks.push(value);
        length += value.length;
      }
    }
    this.#held = Buffer.concat(chunks);
  }
}

/**
 * Cuts a stream into pieces of `bytes` bytes. The last piece may be shorter, even empty, and is
 * marked.
 */
export async function* inPieces(
  source: AsyncIterable<Uint8Array>,
  bytes: number,
): AsyncGenerator<{ readonly piece: Buffer; readonly isLast: boolean }> {
  const reader = new ByteReader(source);
  let piece = await reader.take(bytes);
  for (;;) {
    const next = await reader.take(bytes);
    yield { piece, isLast: next.length === 0 };
    if (next.length === 0) return;
    piece = next;
  }
}
