import type { Anchor, ChatModel, Conversation } from "./chat-model.ts";
import { itemBlock } from "./item-block.ts";
import { layoutOf, paneColumnsOf } from "./layout.ts";
import { countOf, itemAt, itemKey } from "./message-list.ts";
import type { Line } from "./spans.ts";

/** Lines that stay when a page is turned. */
const overlap = 2;

/** A conversation, and the screen it is on. */
interface Sheet {
  readonly model: ChatModel;
  readonly conversation: Conversation;
}

interface Place {
  readonly at: number;
  readonly line: number;
}

function blockOf(model: ChatModel, conversation: Conversation, at: number): readonly Line[] {
  const columns = paneColumnsOf(model.size);
  return itemBlock({ conversation, at, columns }, model);
}

/** The item that an anchor means; the newest if it is there no more. */
function placeOf(model: ChatModel, conversation: Conversation): Place {
  const { anchor } = conversation;
  const last = countOf(conversation) - 1;
  if (anchor !== undefined) {
    for (let at = last; at >= 0; at -= 1) {
      const item = itemAt(conversation, at);
      if (item === undefined || itemKey(item) !== anchor.item) continue;
      const height = blockOf(model, conversation, at).length;
      return { at, line: Math.min(anchor.line, height - 1) };
    }
    // It was cut away with the oldest.
    if (last >= 0) return { at: 0, line: blockOf(model, conversation, 0).length - 1 };
  }
  return { at: last, line: Math.max(0, blockOf(model, conversation, last).length - 1) };
}

/** The lines that the pane shows, the newest last. */
export function visibleLines(
  model: ChatModel,
  conversation: Conversation,
  rows: number,
): readonly Line[] {
  const place = placeOf(model, conversation);
  let lines: readonly Line[] = [];
  for (let at = place.at; at >= 0 && lines.length < rows; at -= 1) {
    const block = blockOf(model, conversation, at);
    lines = [...(at === place.at ? block.slice(0, place.line + 1) : block), ...lines];
  }
  return rows > 0 ? lines.slice(-rows) : [];
}

/** A page up or down. @returns the new anchor, and whether what is older will be wanted soon */
export function page(
  model: ChatModel,
  conversation: Conversation,
  direction: "up" | "down",
): { readonly anchor: Anchor | undefined; readonly nearsOldest: boolean } {
  const sheet: Sheet = { model, conversation };
  const { paneRows } = layoutOf(model);
  const step = Math.max(1, paneRows - overlap);
  const from = placeOf(model, conversation);
  const to = direction === "up" ? up(sheet, from, step) : down(sheet, from, step);
  const top = up(sheet, to, 2 * paneRows);
  const nearsOldest = top.at <= 0;
  // Never more empty rows than there is to show.
  const place = direction === "up" ? lowest(sheet, to, paneRows) : to;
  const isEnd =
    place.at >= countOf(conversation) - 1 &&
    place.line >= blockOf(model, conversation, place.at).length - 1;
  const item = itemAt(conversation, place.at);
  if (isEnd || item === undefined) return { anchor: undefined, nearsOldest };
  return { anchor: { item: itemKey(item), line: place.line }, nearsOldest };
}

function up({ model, conversation }: Sheet, from: Place, lines: number): Place {
  let { at, line } = from;
  let left = lines;
  while (left > line && at > 0) {
    left -= line + 1;
    at -= 1;
    line = Math.max(0, blockOf(model, conversation, at).length - 1);
  }
  return { at, line: Math.max(0, line - left) };
}

function down({ model, conversation }: Sheet, from: Place, lines: number): Place {
  let { at, line } = from;
  let left = lines;
  const last = countOf(conversation) - 1;
  for (;;) {
    const height = blockOf(model, conversation, at).length;
    if (line + left < height) return { at, line: line + left };
    if (at >= last) return { at, line: Math.max(0, height - 1) };
    left -= height - line;
    at += 1;
    line = 0;
  }
}

/** At least so many lines have to be above the place, unless there are none. */
function lowest(sheet: Sheet, place: Place, rows: number): Place {
  const start: Place = { at: 0, line: 0 };
  const least = down(sheet, start, Math.max(0, rows - 1));
  const isHigher = place.at < least.at || (place.at === least.at && place.line < least.line);
  return isHigher ? least : place;
}
