/**
 * The frames in front of a payload. A reply with the same frames reaches the sender of the request.
 */
export type Envelope = readonly Buffer[];

/** @param seal the frame after the payload, at sockets that accept seals */
export type OnRequest = (to: Envelope, payload: Buffer, seal?: Buffer) => void;

/**
 * Removes and returns the seal of a request; undefined if the request has none. A sealed request
 * ends with the empty delimiter, the payload and the seal.
 */
export function takeSeal(frames: Buffer[]): Buffer | undefined {
  const delimiter = frames.findIndex((frame) => frame.length === 0);
  return delimiter >= 0 && frames.length === delimiter + 3 ? frames.pop() : undefined;
}

/**
 * Splits a message into envelope and payload. The payload follows the empty delimiter of a REQ
 * (W12). If a DEALER leaves the delimiter out, the last frame is the payload. Any frames behind the
 * payload are appended to the payload, which makes it invalid.
 */
export function unwrap(frames: Buffer[]): { envelope: Envelope; payload: Buffer } {
  const delimiter = frames.findIndex((frame) => frame.length === 0);
  const split =
    delimiter < 0 || delimiter === frames.length - 1 ? frames.length - 1 : delimiter + 1;
  const [first = Buffer.alloc(0), ...rest] = frames.slice(split);
  const payload = rest.length === 0 ? first : Buffer.concat([first, ...rest]);
  return { envelope: frames.slice(0, split), payload };
}
