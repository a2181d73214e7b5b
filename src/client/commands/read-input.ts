import { characters } from "../../protocol/ids.ts";

/**
 * Reads a stream to its end.
 * @returns undefined once it has more than `most` characters; the rest is not read
 */
export async function readAll(
  input: NodeJS.ReadableStream,
  most: number,
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of input) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    // One more than allowed may be the line's end, which is taken off later.
    if (text.length > 2 * most + 2) return undefined;
  }
  text = (text + decoder.decode()).replace(/\r?\n$/, "");
  return characters(text) > most ? undefined : text;
}
