/**
 * The size of a JSON text, counted without parsing, because a parser may create an object for every
 * two bytes.
 */
export interface JsonShape {
  /** The number of elements of the outermost array; 1 if the text is no array. */
  readonly elements: number;
  /**
   * The number of values and object keys. An empty array or object counts as if it contained one
   * value.
   */
  readonly values: number;
  /** The deepest nesting of arrays and objects. */
  readonly depth: number;
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];

/**
 * Counts the size of a JSON text. For invalid JSON, which the parser refuses later, the numbers are
 * meaningless.
 */
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
