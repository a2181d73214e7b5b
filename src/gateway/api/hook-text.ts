import { limits } from "../../protocol/limits.ts";

/** The fields of a post that can hold its text. What is of another form than Slack's has no text. */
export interface HookPost {
  readonly text?: string | null;
  readonly blocks?: unknown;
  readonly attachments?: unknown;
}

/**
 * Returns the post's `text`. If it is missing or empty, returns the texts of the blocks and then of
 * the attachments, as Slack shows them, one on each line and cut to the longest message. The text is
 * empty if the body has no text.
 */
export function textOfPost({ text, blocks, attachments }: HookPost): string {
  if (text) return text;
  const lines = [
    ...listOf(blocks).flatMap(blockLines),
    ...listOf(attachments).flatMap(attachmentLines),
  ];
  return cut(lines.filter((line) => line.trim() !== "").join("\n"));
}

function blockLines(block: Fields): string[] {
  const texts = [fieldsOf(block.text), ...listOf(block.fields)];
  return texts.map(({ text }) => stringOf(text));
}

/** An attachment's `fallback` is a summary of its other fields. */
function attachmentLines({ fallback, title, text, blocks }: Fields): string[] {
  const summary = stringOf(fallback);
  if (summary.trim() !== "") return [summary];
  return [stringOf(title), stringOf(text), ...listOf(blocks).flatMap(blockLines)];
}

type Fields = Readonly<Record<string, unknown>>;

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function stringOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function cut(text: string): string {
  const characters = [...text];
  const most = limits.messageCharacters;
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}
