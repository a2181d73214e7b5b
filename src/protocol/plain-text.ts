/** Replaces each line end (CR LF, as on Windows, or a single CR) by one LF. */
export function withPlainLineEnds(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

/**
 * Makes a text from a file, a pipe or an argument the same on every system: line ends become LF;
 * byte order marks in front of lines and the end of the last line are removed.
 */
export function plainText(text: string): string {
  return withPlainLineEnds(text)
    .replace(/(^|\n)\ufeff/g, "$1")
    .replace(/\n$/, "");
}

/** A decoder for a file or a pipe: UTF-16 if its byte order mark says so, else UTF-8. */
export function textDecoder(beginning: Uint8Array): InstanceType<typeof TextDecoder> {
  const [first, second] = beginning;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le");
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be");
  return new TextDecoder();
}

/** Decodes a whole file, and treats its text as `plainText` does. */
export function decodePlainText(bytes: Uint8Array): string {
  return plainText(textDecoder(bytes).decode(bytes));
}
