import { nothingSaved, type SavedChat } from "../../client/core/chat-model.ts";
import { mergedSaved } from "../../client/core/saved-chat.ts";
import { languageOf } from "../../texts/texts.ts";
import { type Preferences, themes } from "./core/page-model.ts";

/** What the browser keeps of a person's chat. */
export interface KeptChat {
  readonly chat: SavedChat;
  /** Where the subscription to the private messages goes on; undefined before the first one. */
  readonly position: string | undefined;
}

const preferencesName = "tertulia preferences";
const nameOf = (user: string) => `tertulia chat ${user}`;

/** Reads what is kept. Without storage, such as in a strict private window, nothing is. */
export function readChat(user: string): KeptChat {
  const { chat, position } = (read(nameOf(user)) ?? {}) as Partial<KeptChat>;
  return { chat: chat === undefined ? nothingSaved : { ...nothingSaved, ...chat }, position };
}

/**
 * Keeps a chat's changes since the last time, besides those of other tabs.
 * @param before the chat as it was kept last
 */
export function writeChat(user: string, before: SavedChat, { chat, position }: KeptChat): void {
  const there = readChat(user);
  const merged = mergedSaved(there.chat, { before, after: chat });
  write(nameOf(user), { chat: merged, position: position ?? there.position });
}

/** Calls back when another tab has kept the person's chat. */
export function watchChat(user: string, onChat: (kept: KeptChat) => void): () => void {
  const listen = ({ key }: StorageEvent) => {
    if (key === nameOf(user)) onChat(readChat(user));
  };
  addEventListener("storage", listen);
  return () => removeEventListener("storage", listen);
}

export function readPreferences(): Preferences {
  const kept = (read(preferencesName) ?? {}) as Partial<Preferences>;
  const { language = navigator.language } = kept;
  return {
    language: languageOf(language) ?? "en",
    theme: themes.find((theme) => theme === kept.theme) ?? "system",
    notifies: kept.notifies === true,
  };
}

export function writePreferences(preferences: Preferences): void {
  write(preferencesName, preferences);
}

function read(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null");
  } catch {
    return undefined;
  }
}

function write(name: string, value: unknown): void {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden: the chat goes on, and the next one begins without this state.
  }
}
