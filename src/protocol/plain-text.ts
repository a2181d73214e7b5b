/** Each line ends in one LF: CR LF, as Windows writes it, and a CR alone are line ends too. */
export function withPlainLineEnds(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

/**
 * A text as a file, a pipe or an argument brings it, wherever it was written: with plain line ends,
 * without a byte order mark in front of a line, and without the end of its last line.
 */
export function plainText(text: string): string {
  return withPlainLineEnds(text)
    .replace(/(^|\n)\ufeff/g, "$1")
    .replace(/\n$/, "");
}

/** Decodes a file or a pipe that begins like this: UTF-8, or what a byte order mark tells. */
export function textDecoder(beginning: Uint8Array): InstanceType<typeof TextDecoder> {
  const [first, second] = beginning;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le");
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be");
  return new TextDecoder();
}

/** The text of a whole file, as `plainText`. */
export function decodePlainText(bytes: Uint8Array): string {
  return plainText(textDecoder(bytes).decode(bytes));
}
