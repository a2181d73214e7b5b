/** What a look over JSON tells without parsing it, which makes an object of every two bytes. */
export interface JsonShape {
  /** Of the outermost array, or one for none. */
  readonly elements: number;
  /** Keys of objects count too; what is empty counts as if it had one. */
  readonly values: number;
  /** Arrays and objects within one another. */
  readonly depth: number;
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];

/** Of what is no JSON it tells something too: that is for the parser to find. */
export function jsonShape(payload: Uint8Array): JsonShape {
  let [elements, values, depth, deepest] = [1, 1, 0, 0];
  for (let at = 0; at < payload.length; at += 1) {
    const byte = payload[at];
    if (byte === quote) at = endOfText(payload, at);
    else if (byte === comma || byte === colon) {
      values += 1;
      if (byte === comma && depth === 1) elements += 1;
    } else if (byte === 0x5b || byte === 0x7b) {
      values += 1;
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return { elements, values, depth: deepest };
}

function endOfText(payload: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < payload.length && payload[at] !== quote) at += payload[at] === backslash ? 2 : 1;
  return at;
}
