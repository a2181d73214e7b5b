/**
 * Returns a text as the bytes of an unmasked WebSocket frame (RFC 6455, section 5.2). A frame of a
 * server is the same for all clients, so it is made once.
 */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(headBytes + length);
  // The last frame of its message, with text.
  bytes[0] = 0x81;
  if (headBytes === 2) bytes[1] = length;
  else if (headBytes === 4) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
  bytes.write(text, headBytes);
  return bytes;
}
