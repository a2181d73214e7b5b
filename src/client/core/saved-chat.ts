import { join, type Vector } from "../../protocol/vector.ts";
import { type ChatModel, isKnown, type SavedChat } from "./chat-model.ts";
import { draftOf } from "./line-editor.ts";

/** @returns the part of a chat that is saved */
export function savedOf(model: ChatModel): SavedChat {
  const { conversations, current, saved, heard } = model;
  const read: Record<string, Vector> = { ...saved.read };
  const isThere = (key: string) => conversations.some((present) => present.key === key);
  for (const present of conversations) if (isKnown(present)) read[present.key] = present.read;
  return {
    closed: Object.keys(read).filter((key) => key.startsWith("@") && !isThere(key)),
    joined: conversations.flatMap(({ target }) => target?.channel ?? []),
    muted: [
      ...saved.muted.filter((key) => !isThere(key)),
      ...conversations.flatMap(({ isMuted, key }) => (isMuted ? [key] : [])),
    ],
    read,
    heard: heard ?? saved.heard,
    current,
    drafts: draftsOf(model),
  };
}

/** @returns the unsent texts, by conversation */
function draftsOf({ drafts, editor, current }: ChatModel): SavedChat["drafts"] {
  const begun = Object.entries({ ...drafts, [current]: editor });
  const texts = begun.map(([key, draft]) => [key, [draftOf(draft)]] as const);
  return Object.fromEntries(texts.filter(([, [text]]) => text !== ""));
}

/**
 * Returns when the chat must be saved; undefined if nothing has changed. Changed read marks and
 * drafts are saved soon, other changes at once. Nothing is saved before the state of an earlier
 * chat is loaded, because a save would delete that state.
 */
export function savingOf(before: ChatModel, after: ChatModel): "at once" | "soon" | undefined {
  if (after.heard === undefined) return undefined;
  // A text was sent or cleared. If the process were killed before a save, the text would return as
  // a draft.
  if (draftOf(before.editor) !== "" && draftOf(after.editor) === "") return "at once";
  if (before.editor.graphemes !== after.editor.graphemes) return "soon";
  if (before.conversations === after.conversations && before.current === after.current) {
    return before.heard === after.heard ? undefined : "soon";
  }
  const outline = ({ current, conversations }: ChatModel) =>
    JSON.stringify([current, conversations.map(({ key, isMuted }) => [key, isMuted])]);
  if (outline(before) !== outline(after)) return "at once";
  const wasRead = new Map(before.conversations.map(({ key, read }) => [key, read]));
  const isRead = after.conversations.some(({ key, read }) => read !== wasRead.get(key));
  return isRead || before.heard !== after.heard ? "soon" : undefined;
}

/**
 * Merges this chat's changes since its last save into the saved state, which another chat of the
 * same person may have changed.
 */
export function mergedSaved(
  there: SavedChat,
  { before, after }: { readonly before: SavedChat; readonly after: SavedChat },
): SavedChat {
  const merged = (name: "joined" | "muted" | "closed") =>
    mergedList(there[name], before[name], after[name]);
  const read: Record<string, Vector> = { ...there.read };
  for (const [key, vector] of Object.entries(after.read)) {
    read[key] = join(read[key] ?? {}, vector);
  }
  // A conversation that is open in this chat is not saved as closed, even if another chat has
  // closed it, because it may have new messages.
  const isOpen = (key: string) => key in after.read && !after.closed.includes(key);
  const closed = merged("closed").filter((key) => !isOpen(key));
  const lists = { joined: merged("joined"), muted: merged("muted"), closed };
  const heard = after.heard && join(there.heard ?? {}, after.heard);
  const drafts: Record<string, readonly string[]> = {};
  for (const key of Object.keys({ ...there.drafts, ...after.drafts })) {
    const texts = mergedList(there.drafts[key], before.drafts[key], after.drafts[key]);
    if (texts.length > 0) drafts[key] = texts;
  }
  return { ...lists, read, heard: heard ?? there.heard, current: after.current, drafts };
}

function mergedList(
  there: readonly string[] = [],
  before: readonly string[] = [],
  after: readonly string[] = [],
): readonly string[] {
  const kept = there.filter((item) => after.includes(item) || !before.includes(item));
  const added = after.filter((item) => !before.includes(item) && !kept.includes(item));
  return [...kept, ...added];
}
