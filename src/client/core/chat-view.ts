import { harmless } from "../../protocol/harmless.ts";
import { cut } from "./cells.ts";
import {
  type ChatModel,
  type Conversation,
  currentOf,
  homeKey,
  listed,
  type Overlay,
} from "./chat-model.ts";
import { helpLines } from "./help.ts";
import { edge } from "./item-block.ts";
import { type Layout, layoutOf, promptText } from "./layout.ts";
import { textOf } from "./line-editor.ts";
import { switchTargets } from "./overlay-keys.ts";
import { visibleLines } from "./scroll.ts";
import { fillLine, fitLine, type Line, type Span, span, spread } from "./spans.ts";
import { statusLine } from "./status-line.ts";
import { writeTarget } from "./target.ts";

export interface Screen {
  /** One line for each row of the terminal, none wider than the terminal. */
  readonly lines: readonly Line[];
  /** Row and column, counted from 0. */
  readonly cursor: { readonly row: number; readonly column: number };
}

/** Renders the screen of the chat. A pure function. */
export function view(model: ChatModel): Screen {
  const layout = layoutOf(model);
  const { input, columns, rows, hasStatus, hasTitle, paneRows } = layout;
  const pane = [...(hasTitle ? [title(model, layout)] : []), ...paneLines(model, layout)];
  const body = layout.listColumns === 0 ? pane : beside(listLines(model, layout), pane, layout);
  const written = input.rows.slice(input.top, input.top + input.height).map((row, at): Line => {
    const isFirst = at === 0 && input.top === 0;
    const isHint = model.isNew && model.editor.graphemes.length === 0 && !model.overlay;
    const text = isHint ? span(model.words("chat.hint"), "dim") : span(row);
    return [span(isFirst ? promptText : "  ", "dim"), text];
  });
  const lines = [...body, ...(hasStatus ? [statusLine(model, columns)] : []), ...written];
  const row = Number(hasTitle) + paneRows + Number(hasStatus) + input.cursor.row - input.top;
  return {
    lines: lines.map((line) => fitLine(line, columns)).slice(-rows),
    cursor: { row, column: Math.min(columns - 1, promptText.length + input.cursor.column) },
  };
}

function title(model: ChatModel, { paneColumns, listColumns }: Layout): Line {
  const { overlay, words } = model;
  if (overlay !== undefined) {
    const text = words(overlay.type === "help" ? "chat.helpTitle" : "chat.switchTitle");
    return spread([span(text, "bold")], [span(words("chat.helpClose"), "dim")], paneColumns);
  }
  const present = currentOf(model);
  const { anchor, unread, target } = present;
  const name = span(nameOf(model, present), "bold");
  const presence = target?.user === undefined ? undefined : model.presence.get(target.user);
  const state = presence === undefined ? [] : [span(` · ${words(`chat.${presence}`)}`, "dim")];
  const below = unread > 0 ? words("chat.newer", { count: unread }) : words("chat.below");
  const newer = anchor === undefined ? [] : [span(below, "warning")];
  const elsewhere = listColumns === 0 ? othersUnread(model) : [];
  return spread([name, ...state], [...newer, ...elsewhere], paneColumns);
}

/**
 * The unread counts of other conversations; shown in the title if there is no room for the list.
 */
function othersUnread(model: ChatModel): Line {
  const others = listed(model).filter(({ key }) => key !== model.current);
  const mentions = others.reduce((sum, present) => sum + present.mentions, 0);
  const unread = others.reduce((sum, present) => sum + present.unread, 0);
  return mentions + unread === 0 ? [] : [countSpan({ mentions, unread }, "+")];
}

function countSpan(
  { mentions, unread }: Pick<Conversation, "mentions" | "unread">,
  sign: string,
): Span {
  if (mentions > 0) return span(` @${most(mentions)}`, "mention");
  return span(unread > 0 ? ` ${sign}${most(unread)}` : "", "bold");
}

function paneLines(model: ChatModel, { paneRows, paneColumns }: Layout): readonly Line[] {
  const { overlay, words } = model;
  if (overlay?.type === "help") {
    const lines = helpLines(words, paneColumns);
    return filled(lines.slice(overlay.top, overlay.top + paneRows), paneRows, "bottom");
  }
  if (overlay?.type === "switch") return switchLines(model, overlay, paneRows);
  const present = currentOf(model);
  const lines = visibleLines(model, present, paneRows);
  const shown = lines.length > 0 ? lines : edge(present, paneColumns, model).slice(0, paneRows);
  return filled(shown, paneRows, "top");
}

function filled(lines: readonly Line[], rows: number, where: "top" | "bottom"): readonly Line[] {
  const missing = Array.from({ length: Math.max(0, rows - lines.length) }, (): Line => []);
  return where === "top" ? [...missing, ...lines] : [...lines, ...missing];
}

function switchLines(
  model: ChatModel,
  { filter, chosen }: Overlay & { readonly type: "switch" },
  rows: number,
): readonly Line[] {
  const found = switchTargets(model, textOf(filter));
  if (found.length === 0)
    return filled([[span(model.words("chat.switchNothing"), "dim")]], rows, "bottom");
  const top = Math.max(0, Math.min(chosen - Math.floor(rows / 2), found.length - rows));
  const lines = found.slice(top, top + rows).map((target, at): Line => {
    const name = harmless(writeTarget(target));
    return top + at === chosen ? [span(`› ${name}`, "bold")] : [span(`  ${name}`)];
  });
  return filled(lines, rows, "bottom");
}

function nameOf({ words }: ChatModel, { key }: Conversation): string {
  return key === homeKey ? words("chat.home") : harmless(key);
}

function beside(list: readonly Line[], pane: readonly Line[], { listColumns }: Layout): Line[] {
  return pane.map((line, at) => [
    ...fillLine(list[at] ?? [], listColumns),
    span("│ ", "dim"),
    ...line,
  ]);
}

/** As many conversations as fit, including the current one. */
function listLines(model: ChatModel, { listColumns, paneRows, hasTitle }: Layout): Line[] {
  const rows = paneRows + Number(hasTitle);
  const list = listed(model);
  const at = list.findIndex(({ key }) => key === model.current);
  const top = Math.max(0, Math.min(at - Math.floor(rows / 2), list.length - rows));
  return list
    .slice(top, top + rows)
    .map((present, index) => listLine(model, present, { number: top + index + 1, listColumns }));
}

function listLine(
  model: ChatModel,
  present: Conversation,
  { number, listColumns }: { readonly number: number; readonly listColumns: number },
): Line {
  const { key, unread, isMuted, target } = present;
  const count = countSpan(present, "");
  const presence = target?.user === undefined ? undefined : model.presence.get(target.user);
  const dot = presence === undefined ? [] : [span(" •", presence === "online" ? "good" : "dim")];
  const room = listColumns - 3 - count.text.length - dot.length * 2;
  const name = cut(nameOf(model, present), Math.max(1, room));
  const isCurrent = key === model.current;
  const style = isCurrent || (unread > 0 && !isMuted) ? "bold" : isMuted ? "dim" : "plain";
  const marker = isCurrent ? span("›", "bold") : span(number <= 9 ? String(number) : " ", "dim");
  const left: Line = [marker, span(" "), span(name, style), ...dot];
  return spread(left, [count, span(" ")], listColumns);
}

function most(count: number): string {
  return count > 99 ? "99+" : String(count);
}
