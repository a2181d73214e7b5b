import { harmless } from "../../protocol/harmless.ts";
import { authorOf, isBy } from "./author.ts";
import { cellsOf, cut, wrap } from "./cells.ts";
import type { ChatModel, Conversation, Item, Notice } from "./chat-model.ts";
import { linksIn } from "./links.ts";
import { mentionsOf } from "./mentions.ts";
import { itemAt, itemKey } from "./message-list.ts";
import { nameColour } from "./name-colour.ts";
import { localMs, type Zone } from "./server-time.ts";
import { actionPrefix, spokenText } from "./slash-command.ts";
import { fitLine, type Line, lineCells, type Span, type Style, span } from "./spans.ts";

const dayMs = 86_400_000;
/** The fewest columns of a pane that shows times. */
const narrow = 40;
/** The most cells that a name takes; fewer in a narrow pane. A user and a hook take twice as many. */
const mostNameCells = 20;
const indent = "        ";

type Context = Pick<ChatModel, "me" | "words" | "language" | "zoneMinutes">;

/**
 * The lines of one item. Horizontal rules above these lines mark a new day and "new since you
 * left".
 */
export function itemBlock(
  { conversation, at, columns }: { conversation: Conversation; at: number; columns: number },
  context: Context,
): readonly Line[] {
  const item = itemAt(conversation, at);
  if (item === undefined) return [];
  const lines: Line[] = at === 0 ? [...edge(conversation, columns, context)] : [];
  const day = newDay(conversation, at, context);
  if (day !== undefined) lines.push(rule(day, "dim", columns));
  if (conversation.firstNew !== undefined && itemKey(item) === conversation.firstNew) {
    lines.push(rule(context.words("chat.newSince"), "warning", columns));
  }
  if (item.kind === "notice") {
    const style = item.isProblem ? "bad" : "dim";
    const wrapped = item.lines.flatMap((line) => wrap(harmless(line), columns, columns));
    return [...lines, ...wrapped.map((text) => [span(text, style)])];
  }
  return [...lines, ...said(item, columns, context)];
}

/**
 * The rule above the oldest message: "loading", "beginning", or no rule if older messages exist.
 */
export function edge(
  { older, isFetching, target }: Conversation,
  columns: number,
  { words }: Context,
): readonly Line[] {
  if (target === undefined) return [];
  if (isFetching) return [rule(words("chat.loading"), "dim", columns)];
  return older === undefined ? [rule(words("chat.beginning"), "dim", columns)] : [];
}

function rule(text: string, style: Style, columns: number): Line {
  const label = cut(` ${text} `, Math.max(2, columns - 4));
  const after = Math.max(0, Math.min(columns, 60) - 2 - cellsOf(label));
  return fitLine([span(`──${label}${"─".repeat(after)}`, style)], columns);
}

/** @returns the date, if the item is the first of its day */
function newDay(conversation: Conversation, at: number, context: Context): string | undefined {
  const item = itemAt(conversation, at);
  if (item === undefined || item.kind === "notice" || Number.isNaN(item.timeMs)) return undefined;
  let before: Item | undefined;
  for (let older = at - 1; older >= 0; older -= 1) {
    before = itemAt(conversation, older);
    if (before?.kind !== "notice") break;
  }
  const ms = localMs(item.timeMs, context.zoneMinutes);
  if (before !== undefined && before.kind !== "notice") {
    const beforeMs = localMs(before.timeMs, context.zoneMinutes);
    if (Math.floor(beforeMs / dayMs) >= Math.floor(ms / dayMs)) return undefined;
  }
  const options = { dateStyle: "full", timeZone: "UTC" } as const;
  return new Date(ms).toLocaleDateString(context.language, options);
}

function clockTime(timeMs: number, zone: Zone): string {
  if (Number.isNaN(timeMs)) return "--:--";
  return new Date(localMs(timeMs, zone)).toISOString().slice(11, 16);
}

function said(item: Exclude<Item, Notice>, columns: number, context: Context): readonly Line[] {
  const hasTime = columns >= narrow;
  const time = hasTime ? `${clockTime(item.timeMs, context.zoneMinutes)} ` : "";
  const isAction = item.text.startsWith(actionPrefix);
  const nameCells = Math.min(mostNameCells, Math.max(4, Math.floor(columns / 3)));
  const isHooks = item.kind === "message" && item.hook !== undefined;
  const name = cut(authorOf(item), isHooks ? 2 * nameCells : nameCells);
  const colour: Style = `name${nameColour(item.user) as 0}`;
  const opening: Span[] = [span(time, "dim")];
  if (isAction) opening.push(span("* ", "dim"));
  opening.push(span(name, colour), span(isAction ? " " : "  "));
  const used = lineCells(opening);
  const hanging = hasTime ? indent : "  ";
  const mark = markOf(item, context);
  const reader = isBy(item, context.me) ? undefined : context.me;
  const rows = spokenText(item.text)
    .split("\n")
    .flatMap((line, at) => {
      const text = harmless(line);
      const first = columns - (at === 0 ? used : hanging.length);
      return marked(text, wrap(text, first, columns - hanging.length), reader);
    });
  const lines = rows.map((words, at): Line => {
    return at === 0 ? [...opening, ...words] : [span(hanging), ...words];
  });
  return withMark(lines, mark, { columns, hanging });
}

function markOf(item: Exclude<Item, Notice>, { me }: Context): Span | undefined {
  if (item.kind === "message") return isBy(item, me) ? span("✓", "dim") : undefined;
  return item.kind === "pending" ? span("⏳", "warning") : span(`✗ ${harmless(item.why)}`, "bad");
}

function withMark(
  lines: readonly Line[],
  mark: Span | undefined,
  { columns, hanging }: { columns: number; hanging: string },
): readonly Line[] {
  if (mark === undefined) return lines;
  const last = lines.at(-1) ?? [];
  if (lineCells(last) + 1 + cellsOf(mark.text) <= columns) {
    return [...lines.slice(0, -1), [...last, span(" "), mark]];
  }
  const rows = wrap(mark.text, columns - hanging.length, columns - hanging.length);
  return [...lines, ...rows.map((row) => [span(hanging), span(row, mark.style)])];
}

/** A range of UTF-16 units of a text. */
interface Place {
  readonly from: number;
  readonly to: number;
}

/** Marks all links and all mentions of the reader. Each mark may continue in the next row. */
function marked(text: string, rows: readonly string[], reader: string | undefined): Line[] {
  const mentions = reader === undefined ? [] : mentionsOf(text, reader);
  const links = linksIn(text);
  const edges = [...mentions, ...links].flatMap(({ from, to }) => [from, to]);
  let end = 0;
  return rows.map((row) => {
    // Wrapping drops only the spaces between rows, so the text contains each row unchanged.
    const begin = text.indexOf(row, end);
    end = begin + row.length;
    const inner = edges.filter((at) => begin < at && at < end).sort((a, b) => a - b);
    const starts = [...new Set([begin, ...inner])];
    return starts.map((from, index): Span => {
      const covers = (place: Place) => place.from <= from && from < place.to;
      const style = mentions.some(covers) ? "mention" : "plain";
      const piece = span(text.slice(from, starts[index + 1] ?? end), style);
      const link = links.find(covers);
      return link === undefined ? piece : { ...piece, link: link.url };
    });
  });
}
