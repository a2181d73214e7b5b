/** The size of JSON, counted without parsing: a parser may make an object of every two bytes. */
export interface JsonShape {
  /** Elements of the outermost array; 1 if there is no array. */
  readonly elements: number;
  /** Values, keys of objects too. An empty array or object counts as if it had one. */
  readonly values: number;
  /** How deep arrays and objects are nested. */
  readonly depth: number;
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];

/** For bytes that are not JSON, which the parser refuses, the result means nothing. */
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
