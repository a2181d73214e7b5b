import { Refused } from "./refused.ts";

/** The flags of a frame (ZMTP 3.1, RFC 37, "Framing"). */
const more = 1;
const long = 2;
const command = 4;
/** The longest body whose length is encoded in one byte; longer bodies need eight. */
const shortBytes = 255;

/**
 * The size in bytes from which a frame is written without copying it: copying a longer frame costs
 * more than an additional write.
 */
export const pieceBytes = 8_192;

/** The least memory, in bytes, that is reserved for an unfinished frame. */
const leastHeld = 4_096;
/**
 * The most memory that is reserved for an unfinished frame, as a multiple of its received bytes. So
 * a header alone reserves little.
 */
const mostAhead = 4;

/** @param flags the frame's flags, which `hasMore` and `isCommand` read */
type OnFrame = (body: Buffer, flags: number) => void;

export function hasMore(flags: number): boolean {
  return (flags & more) !== 0;
}

export function isCommand(flags: number): boolean {
  return (flags & command) !== 0;
}

/**
 * Splits a stream of bytes into frames. An unfinished frame takes at most 4 KiB of memory or four
 * times its received bytes, whichever is more.
 */
export class FrameReader {
  /** The most bytes of a frame's body; the connection changes it after the handshake. */
  frameBytes: number;
  #held = Buffer.alloc(0);
  #heldLength = 0;
  /** The full size of the unfinished frame, by its header. */
  #wanted = 0;

  constructor(frameBytes: number) {
    this.frameBytes = frameBytes;
  }

  /** Bytes of memory that the unfinished frame takes. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /**
   * @param onFrame gets each frame; the frame's body shares memory with `chunk`
   * @throws Refused at the first malformed or too large frame, before its body is received
   */
  read(chunk: Buffer, onFrame: OnFrame): void {
    const bytes = this.#heldLength === 0 ? chunk : this.#hold(chunk);
    let at = 0;
    while (at < bytes.length) {
      const flags = bytes[at] as number;
      const start = at + ((flags & long) === 0 ? 2 : 9);
      if (flags > 7 || (flags & (command | more)) === (command | more)) {
        throw new Refused("malformed", `a frame with the flags ${flags}`);
      }
      if (bytes.length < start) break;
      const isLong = (flags & long) !== 0;
      const length = isLong ? Number(bytes.readBigUInt64BE(at + 1)) : (bytes[at + 1] as number);
      if (length > this.frameBytes) throw new Refused("tooLarge", `a frame of ${length} bytes`);
      const end = start + length;
      this.#wanted = end - at;
      if (end > bytes.length) break;
      at = end;
      onFrame(bytes.subarray(start, end), flags);
    }
    // The frames passed to `onFrame` share this memory, so it is not used again.
    if (at > 0 || bytes === chunk) {
      this.#held = Buffer.alloc(0);
      this.#heldLength = 0;
      if (at < bytes.length) this.#hold(bytes.subarray(at));
    }
  }

  /** @returns all held bytes, including `chunk` at the end */
  #hold(chunk: Buffer): Buffer {
    const length = this.#heldLength + chunk.length;
    if (length > this.#held.length) {
      const room = Math.min(this.#wanted, mostAhead * length);
      const wider = Buffer.allocUnsafe(Math.max(leastHeld, length, room));
      this.#held.copy(wider, 0, 0, this.#heldLength);
      this.#held = wider;
    }
    chunk.copy(this.#held, this.#heldLength);
    this.#heldLength = length;
    return this.#held.subarray(0, length);
  }
}

/** Returns the frames of one message, given all of its bytes. */
export function decodeMessage(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  new FrameReader(bytes.length).read(bytes, (body) => frames.push(body));
  return frames;
}

export function encodeMessage(frames: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const body of frames) length += headBytes(body) + body.length;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (let index = 0; index < frames.length; index += 1) {
    const flags = index < frames.length - 1 ? more : 0;
    at = writeFrame(bytes, at, { flags, body: frames[index] as Uint8Array });
  }
  return bytes;
}

/**
 * Encodes a message in pieces. If any frame is long, no frame is copied: the head and the body of
 * each frame are separate pieces.
 */
export function encodePieces(frames: readonly Uint8Array[]): Buffer[] {
  if (frames.every(({ length }) => length < pieceBytes)) return [encodeMessage(frames)];
  return frames.flatMap((body, index) => {
    const flags = index < frames.length - 1 ? more : 0;
    const head = Buffer.allocUnsafe(headBytes(body));
    writeHead(head, 0, { flags, body });
    return [head, Buffer.from(body.buffer, body.byteOffset, body.length)];
  });
}

/** Encodes a command: one byte with the length of its name, the name, then its data. */
export function encodeCommand(name: string, rest: Uint8Array = Buffer.alloc(0)): Buffer {
  const body = commandBody(name, rest);
  const bytes = Buffer.allocUnsafe(headBytes(body) + body.length);
  writeFrame(bytes, 0, { flags: command, body });
  return bytes;
}

export function commandBody(name: string, rest: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name, "latin1"), rest]);
}

/** @throws Refused if the body is not a command */
export function readCommand(body: Buffer): { name: string; rest: Buffer } {
  const end = 1 + (body[0] ?? 0);
  if (end === 1 || body.length < end) throw new Refused("malformed", "a command without a name");
  return { name: body.toString("latin1", 1, end), rest: body.subarray(end) };
}

interface Head {
  readonly flags: number;
  readonly body: Uint8Array;
}

function headBytes({ length }: Uint8Array): number {
  return length > shortBytes ? 9 : 2;
}

/** @returns the offset at which the body begins */
function writeHead(bytes: Buffer, at: number, { flags, body }: Head): number {
  if (body.length <= shortBytes) {
    bytes[at] = flags;
    bytes[at + 1] = body.length;
    return at + 2;
  }
  bytes[at] = flags | long;
  bytes.writeBigUInt64BE(BigInt(body.length), at + 1);
  return at + 9;
}

function writeFrame(bytes: Buffer, start: number, head: Head): number {
  const at = writeHead(bytes, start, head);
  bytes.set(head.body, at);
  return at + head.body.length;
}
