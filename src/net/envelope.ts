/** The frames in front of a payload, by which a reply finds its way back. */
export type Envelope = readonly Buffer[];

/** @param seal the frame behind the payload, where the socket takes seals */
export type OnRequest = (to: Envelope, payload: Buffer, seal?: Buffer) => void;

/** Takes the seal off a request that ends with the empty delimiter, a payload and a seal. */
export function takeSeal(frames: Buffer[]): Buffer | undefined {
  const delimiter = frames.findIndex((frame) => frame.length === 0);
  return delimiter >= 0 && frames.length === delimiter + 3 ? frames.pop() : undefined;
}

/**
 * The payload follows the empty delimiter of a REQ (W12). A DEALER may leave the delimiter out:
 * then the payload is the last frame. Further frames become part of the payload, which is invalid
 * then.
 */
export function unwrap(frames: Buffer[]): { envelope: Envelope; payload: Buffer } {
  const delimiter = frames.findIndex((frame) => frame.length === 0);
  const split =
    delimiter < 0 || delimiter === frames.length - 1 ? frames.length - 1 : delimiter + 1;
  const [first = Buffer.alloc(0), ...rest] = frames.slice(split);
  const payload = rest.length === 0 ? first : Buffer.concat([first, ...rest]);
  return { envelope: frames.slice(0, split), payload };
}
