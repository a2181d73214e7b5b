import { linksIn } from "../../../client/core/links.ts";
import { mentionsOf } from "../../../client/core/mentions.ts";
import { harmless } from "../../../protocol/harmless.ts";

/** A piece of a message, to be shown as text. */
export interface Piece {
  readonly text: string;
  readonly isMention: boolean;
  /** The address (`http` or `https`) to which the piece is a link. */
  readonly link?: string;
}

/**
 * Divides a message into plain text, links and mentions of the reader. Visible symbols replace the
 * characters that would reorder or hide text; line ends and tabs stay.
 * @param reader undefined if mentions are not marked
 */
export function piecesOf(message: string, reader: string | undefined): readonly Piece[] {
  const text = message.replace(/[^\n\t]+/gu, harmless);
  const mentions = reader === undefined ? [] : mentionsOf(text, reader);
  const links = linksIn(text);
  const edges = [...mentions, ...links].flatMap(({ from, to }) => [from, to]);
  const starts = [...new Set([0, ...edges])].sort((a, b) => a - b);
  return starts.flatMap((from, at): Piece[] => {
    const part = text.slice(from, starts[at + 1] ?? text.length);
    if (part === "") return [];
    const covers = (place: { readonly from: number; readonly to: number }) =>
      place.from <= from && from < place.to;
    const url = links.find(covers)?.url;
    const link = url !== undefined && URL.canParse(url) ? url : undefined;
    const piece = { text: part, isMention: mentions.some(covers) };
    return [link === undefined ? piece : { ...piece, link }];
  });
}
