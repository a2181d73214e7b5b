import type { Anchor, ChatModel, Conversation } from "./chat-model.ts";
import { itemBlock } from "./item-block.ts";
import { layoutOf, paneColumnsOf } from "./layout.ts";
import { countOf, itemAt, itemKey } from "./message-list.ts";
import type { Line } from "./spans.ts";

/** Number of lines that stay visible when a page is turned. */
const overlap = 2;

/** A conversation as the lines of its items. An item is rendered only when its lines are needed. */
interface Sheet {
  /** Index of the newest item; -1 if there are no items. */
  readonly last: number;
  readonly block: (at: number) => readonly Line[];
}

/** A line of an item: the item's index, and the line's index in the item. */
interface Place {
  readonly at: number;
  readonly line: number;
}

function sheetOf(model: ChatModel, conversation: Conversation): Sheet {
  const columns = paneColumnsOf(model.size);
  const block = (at: number) => itemBlock({ conversation, at, columns }, model);
  return { last: countOf(conversation) - 1, block };
}

function lastLine({ block }: Sheet, at: number): Place {
  return { at, line: Math.max(0, block(at).length - 1) };
}

/**
 * @returns the place of the conversation's anchor; without an anchor, the place of the newest line
 */
function placeOf(sheet: Sheet, conversation: Conversation): Place {
  const { anchor } = conversation;
  if (anchor === undefined) return lastLine(sheet, sheet.last);
  for (let at = sheet.last; at >= 0; at -= 1) {
    const item = itemAt(conversation, at);
    if (item === undefined || itemKey(item) !== anchor.item) continue;
    return { at, line: Math.min(anchor.line, lastLine(sheet, at).line) };
  }
  // The anchor's item was dropped with the oldest items, so the oldest remaining item replaces it.
  return lastLine(sheet, Math.min(0, sheet.last));
}

/** @returns the lines that the pane shows, the newest last */
export function visibleLines(
  model: ChatModel,
  conversation: Conversation,
  rows: number,
): readonly Line[] {
  const sheet = sheetOf(model, conversation);
  const place = placeOf(sheet, conversation);
  let lines: readonly Line[] = [];
  for (let at = place.at; at >= 0 && lines.length < rows; at -= 1) {
    const block = sheet.block(at);
    lines = [...(at === place.at ? block.slice(0, place.line + 1) : block), ...lines];
  }
  return rows > 0 ? lines.slice(-rows) : [];
}

/** Turns a page up or down. @returns the new anchor, and whether older items will be needed soon */
export function page(
  model: ChatModel,
  conversation: Conversation,
  direction: "up" | "down",
): { readonly anchor: Anchor | undefined; readonly nearsOldest: boolean } {
  const sheet = sheetOf(model, conversation);
  const { paneRows } = layoutOf(model);
  const step = Math.max(1, paneRows - overlap);
  const from = placeOf(sheet, conversation);
  const to = direction === "up" ? up(sheet, from, step) : down(sheet, from, step);
  const nearsOldest = up(sheet, to, 2 * paneRows).at <= 0;
  // After a page up, no row is empty if the conversation has enough lines to fill the pane.
  const full = down(sheet, { at: 0, line: 0 }, Math.max(0, paneRows - 1));
  const place = direction === "up" && isAbove(to, full) ? full : to;
  const item = itemAt(conversation, place.at);
  const isEnd = !isAbove(place, lastLine(sheet, sheet.last));
  if (isEnd || item === undefined) return { anchor: undefined, nearsOldest };
  return { anchor: { item: itemKey(item), line: place.line }, nearsOldest };
}

function isAbove(one: Place, other: Place): boolean {
  return one.at < other.at || (one.at === other.at && one.line < other.line);
}

function up(sheet: Sheet, from: Place, lines: number): Place {
  let place = from;
  let left = lines;
  while (left > place.line && place.at > 0) {
    left -= place.line + 1;
    place = lastLine(sheet, place.at - 1);
  }
  return { ...place, line: Math.max(0, place.line - left) };
}

function down(sheet: Sheet, from: Place, lines: number): Place {
  let { at, line } = from;
  line += lines;
  for (;;) {
    const last = lastLine(sheet, at);
    if (line <= last.line) return { at, line };
    if (at >= sheet.last) return last;
    line -= last.line + 1;
    at += 1;
  }
}
