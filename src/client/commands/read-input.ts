import { characters } from "../../protocol/ids.ts";
import { decodePlainText, plainText, textDecoder } from "../../protocol/plain-text.ts";

/** UTF-8 and UTF-16 have no longer character. */
const mostBytesOfCharacter = 4;
/** Beside the text: a byte order mark, and the end of the last line. */
const mostBytesBeside = 8;

/**
 * Reads a stream to its end, as plain text.
 * @returns undefined once it has more than `most` characters; the rest is not read
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
    if (bytes > mostBytesOfCharacter * most + mostBytesBeside) return undefined;
  }
  const text = decodePlainText(Buffer.concat(chunks));
  return characters(text) > most ? undefined : text;
}

/** The lines of a stream, each as soon as its end is there: LF, CR LF or CR. */
export async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<string> {
  let decoder: ReturnType<typeof textDecoder> | undefined;
  let rest = "";
  let endsInCr = false;
  for await (const chunk of input) {
    const bytes = chunk as unknown as Uint8Array;
    decoder ??= textDecoder(bytes);
    let more = decoder.decode(bytes, { stream: true });
    if (more === "") continue;
    // The line has ended by its CR already.
    if (endsInCr && more.startsWith("\n")) more = more.slice(1);
    endsInCr = more.endsWith("\r");
    const lines = (rest + more).split(/\r\n?|\n/);
    rest = lines.pop() ?? "";
    yield* lines.map(plainText);
  }
  rest += decoder?.decode() ?? "";
  if (rest !== "") yield plainText(rest);
}
