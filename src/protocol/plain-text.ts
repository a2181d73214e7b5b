/** Returns the text with LF for each CR LF (as on Windows) and each single CR. */
export function withPlainLineEnds(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

/**
 * Normalises a text from a file, a pipe or an argument. Line ends become LF. Byte order marks at
 * the beginning of lines and the last line end are removed.
 */
export function plainText(text: string): string {
  return withPlainLineEnds(text)
    .replace(/(^|\n)\ufeff/g, "$1")
    .replace(/\n$/, "");
}

/**
 * Returns the decoder for a file or pipe: UTF-16 if the first bytes are its byte order mark, else
 * UTF-8.
 */
export function textDecoder(beginning: Uint8Array): InstanceType<typeof TextDecoder> {
  const [first, second] = beginning;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le");
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be");
  return new TextDecoder();
}

/** Decodes a whole file and normalises its text with `plainText`. */
export function decodePlainText(bytes: Uint8Array): string {
  return plainText(textDecoder(bytes).decode(bytes));
}
