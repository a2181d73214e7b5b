import { characters } from "../../protocol/ids.ts";
import { decodePlainText, plainText, textDecoder } from "../../protocol/plain-text.ts";

/** The most bytes of a character, in UTF-8 and in UTF-16. */
const mostBytesOfCharacter = 4;
/** The most bytes of an input besides the text: a byte order mark, and the end of the last line. */
const mostBytesAround = 8;

/**
 * Reads a stream to its end, as plain text.
 * @returns undefined if the text has more than `most` characters; a much longer input is not read
 * to its end
 */
export async function readAll(
  input: NodeJS.ReadableStream,
  most: number,
): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(chunk as unknown as Uint8Array);
    bytes += chunk.length;
    if (bytes > mostBytesOfCharacter * most + mostBytesAround) return undefined;
  }
  const text = decodePlainText(Buffer.concat(chunks));
  return characters(text) > most ? undefined : text;
}

/** @returns the lines of a stream, each as soon as its end (LF, CR LF or CR) arrives */
export async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<string> {
  let decoder: ReturnType<typeof textDecoder> | undefined;
  let rest = "";
  let endsInCr = false;
  for await (const chunk of input) {
    const bytes = chunk as unknown as Uint8Array;
    decoder ??= textDecoder(bytes);
    let more = decoder.decode(bytes, { stream: true });
    if (more === "") continue;
    // The previous chunk ended a line with CR. The LF that follows belongs to this CR, and ends no
    // line.
    if (endsInCr && more.startsWith("\n")) more = more.slice(1);
    endsInCr = more.endsWith("\r");
    const lines = (rest + more).split(/\r\n?|\n/);
    rest = lines.pop() ?? "";
    yield* lines.map(plainText);
  }
  rest += decoder?.decode() ?? "";
  if (rest !== "") yield plainText(rest);
}
