import type { ChatEvent } from "../../../client/core/chat-events.ts";
import {
  type ChatModel,
  type Conversation,
  type ConversationKey,
  change,
  currentOf,
  find,
} from "../../../client/core/chat-model.ts";
import {
  atEnd,
  countUnread,
  goTo,
  open,
  type Step,
  still,
} from "../../../client/core/chat-steps.ts";
import { completed, update } from "../../../client/core/chat-update.ts";
import { emptyEditor, submitted, textOf, withText } from "../../../client/core/line-editor.ts";
import { linksOf } from "../../../client/core/links.ts";
import { isRead } from "../../../client/core/message-list.ts";
import { type Command, parseLine } from "../../../client/core/slash-command.ts";
import { submit } from "../../../client/core/submit.ts";
import type { Target } from "../../../client/core/target.ts";
import { join, type Vector } from "../../../protocol/vector.ts";

/** What happens in the page, besides the events of every chat. */
export type PageEvent =
  | ChatEvent
  | { readonly type: "opened"; readonly target: Target }
  | { readonly type: "written"; readonly text: string }
  | { readonly type: "submitted" }
  /** Whether the person sees the newest message: not if they scrolled up or the page is hidden. */
  | { readonly type: "looks"; readonly isAtEnd: boolean }
  | { readonly type: "wantsOlder" }
  /** Here messages are missing; undefined means in all private conversations. */
  | { readonly type: "gap"; readonly key: ConversationKey | undefined }
  /** Another tab of the person has read messages. */
  | { readonly type: "readElsewhere"; readonly read: Readonly<Record<ConversationKey, Vector>> };

/** The commands of the chat that need a terminal. */
const terminalCommands: readonly Command[] = ["duel", "quit"];

/** @returns the chat after an event, and what the page must do. A pure function. */
export function updatePage(chat: ChatModel, event: PageEvent): Step {
  switch (event.type) {
    case "opened":
      return completed(chat, goTo(chat, event.target));
    case "written":
      return completed(chat, still({ ...chat, editor: withText(chat.editor, event.text) }));
    case "submitted":
      return completed(chat, send(chat));
    case "looks":
      return completed(chat, still(looks(chat, event.isAtEnd)));
    case "wantsOlder":
      return completed(chat, wantOlder(chat));
    case "gap":
      return completed(chat, still(gap(chat, event.key)));
    case "readElsewhere":
      return completed(chat, still(readElsewhere(chat, event.read)));
    default:
      return update(chat, event);
  }
}

/** Handles Enter. The commands about pages, links and the end have a meaning of their own here. */
function send(chat: ChatModel): Step {
  const line = parseLine(textOf(chat.editor));
  const left = { ...chat, editor: submitted(chat.editor) };
  if (line.type === "history") return wantOlder(left);
  if (line.type === "links" && linksOf(currentOf(chat)).length > 0) {
    const lines = linksOf(currentOf(chat));
    return update(left, { type: "notice", lines });
  }
  if (terminalCommands.some((name) => name === line.type)) {
    return update(left, { type: "notice", lines: [chat.words("page.noCommand")] });
  }
  return submit(chat);
}

function looks(chat: ChatModel, isAtEnd: boolean): ChatModel {
  const { current } = chat;
  const present = currentOf(chat);
  if (isAtEnd) return present.anchor === undefined ? chat : open(chat, current);
  if (present.anchor !== undefined) return chat;
  return change(chat, current, (there) => ({ ...there, anchor: { item: "", line: 0 } }));
}

function wantOlder(chat: ChatModel): Step {
  const { older, isFetching, target, key } = currentOf(chat);
  if (older === undefined || isFetching || target === undefined) return still(chat);
  return {
    model: change(chat, key, (present) => ({ ...present, isFetching: true })),
    effects: [{ type: "fetch", target, before: older }],
  };
}

function gap(chat: ChatModel, key: ConversationKey | undefined): ChatModel {
  const isMeant = (there: Conversation) =>
    key === undefined ? there.target?.user !== undefined : there.key === key;
  const number = chat.notices + 1;
  const lines = [chat.words("page.gap")];
  const notice = { kind: "notice", number, lines, isProblem: true } as const;
  const conversations = chat.conversations.map((there) =>
    isMeant(there) ? { ...there, items: [...there.items, notice] } : there,
  );
  return { ...chat, notices: number, conversations };
}

function readElsewhere(
  chat: ChatModel,
  marks: Readonly<Record<ConversationKey, Vector>>,
): ChatModel {
  let model = chat;
  for (const [key, mark] of Object.entries(marks)) {
    const present = find(model, key);
    if (present === undefined) continue;
    const isNews = present.items.some(
      (item) => item.kind === "message" && !isRead(present.read, item) && isRead(mark, item),
    );
    if (!isNews) continue;
    const read = join(present.read, mark);
    const counts = countUnread(present.items, { ...present, read, me: chat.me });
    model = change(model, key, (there) => ({ ...there, read, ...counts }));
  }
  return model;
}

/** Puts the text of an editor that the shell could not send back, unless there is another text. */
export function withLine(chat: ChatModel, text: string): ChatModel {
  const present = change(chat, chat.current, atEnd);
  return chat.editor.graphemes.length > 0
    ? present
    : { ...present, editor: withText(emptyEditor, text) };
}
