import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openLogFile } from "../platform/log.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import { isMap } from "../protocol/fields.ts";
import { parseVector, type Vector } from "../protocol/vector.ts";
import { type FileTrouble, KeptFile } from "../storage/kept-file.ts";
import type { Salvage } from "../storage/salvage.ts";
import type { Text } from "../texts/texts.ts";
import type { Context } from "./commands/context.ts";
import { homeKey, nothingSaved, type SavedChat } from "./core/chat-model.ts";
import { mergedSaved } from "./core/saved-chat.ts";
import { clusterOf, fileName } from "./session-files.ts";

const mostLogBytes = 1_000_000;
/** Time from `saveSoon` to the save. */
const saveMs = 1_000;

/**
 * @returns the files of one person in the cluster that a command uses
 * @throws Problem if the person has no folder for files
 */
export function personFiles({ config, text }: Context, user: string): PersonFiles {
  const { keptIn, brokers } = config;
  if (keptIn === undefined) throw new Problem(text("problem.noFolder"));
  return new PersonFiles(keptIn, brokers, user);
}

/** The files of one person's chats in one cluster: read marks, unsent messages, a log. */
export class PersonFiles {
  /** Called for each damaged or unreadable file. */
  onTrouble: (trouble: FileTrouble) => void = () => {};
  /** Called if a save that `saveSoon` scheduled fails with an error of the file system. */
  onNotSaved: (error: Error) => void = () => {};
  readonly #folder: string;
  readonly #file: KeptFile<SavedChat>;
  /** The state that this chat last read or saved. */
  #saved = nothingSaved;
  #hasTrouble = false;
  #unsaved: (() => SavedChat) | undefined;
  #saving: NodeJS.Timeout | undefined;

  /** @param root the folder with the person's sessions and chats */
  constructor(root: string, brokers: readonly string[], user: string) {
    this.#folder = join(root, "chats", fileName([clusterOf(brokers), user]));
    this.#file = new KeptFile(join(this.#folder, "chat.json"), parseSaved, (trouble) => {
      this.#hasTrouble = true;
      // The file has lost some or all of its content. So nothing counts as saved now, and the next
      // save writes all that this chat knows.
      if ("aside" in trouble) this.#saved = nothingSaved;
      this.onTrouble(trouble);
    });
  }

  get outboxFolder(): string {
    return join(this.#folder, "outbox");
  }

  /**
   * Opens the chat's log, and creates its folder if needed.
   * @throws Problem if the folder or the file can't be used
   */
  openLogFile(text: Text): ReturnType<typeof openLogFile> {
    const folder = this.#folder;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const path = join(folder, "chat.log");
      return openLogFile(path, mostLogBytes);
    } catch (error) {
      const code = errorCode(error);
      if (code === undefined) throw error;
      throw new Problem(text("problem.chatFolder", { folder, code }));
    }
  }

  /**
   * After `read`: whether no chat of the person in this cluster was saved. A damaged file counts as
   * a saved chat.
   */
  get isNew(): boolean {
    return this.#saved === nothingSaved && !this.#hasTrouble;
  }

  /**
   * @returns the saved state; an empty state, in which everything is unread, if the file is missing
   * or unreadable
   */
  read(): SavedChat {
    this.#saved = this.#file.read() ?? nothingSaved;
    return this.#saved;
  }

  /**
   * Saves this chat's changes since its last save. Changes that another chat of the person has
   * saved stay.
   * @throws the file system's error
   */
  save(chat: SavedChat): void {
    this.#file.update((there) =>
      there === undefined ? chat : mergedSaved(there, { before: this.#saved, after: chat }),
    );
    this.#saved = chat;
  }

  /** Saves within a second. A process that ends before that save must call `saveNow`. */
  saveSoon(chat: () => SavedChat): void {
    this.#unsaved = chat;
    this.#saving ??= setTimeout(() => this.saveNow(), saveMs).unref();
  }

  /** Makes the save that `saveSoon` has scheduled, if there is one. */
  saveNow(): void {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    const chat = this.#unsaved;
    this.#unsaved = undefined;
    try {
      if (chat !== undefined) this.save(chat());
    } catch (error) {
      // The chat works without a saved state, so an error of the file system, or a file that a newer
      // version has written meanwhile, is only reported.
      if (errorCode(error) === undefined && !(error instanceof Problem)) throw error;
      this.onNotSaved(error as Error);
    }
  }
}

/** Reads the valid parts of a file. A conversation whose read mark is damaged counts as unread. */
function parseSaved(value: unknown, salvage: Salvage): SavedChat {
  const fields = salvage.value(value, asMap, {});
  const names = (given: unknown = []) => salvage.list(given, asText);
  // An older version saved a single text per conversation.
  const begun = (texts: unknown) => names(typeof texts === "string" ? [texts] : texts);
  const entries = (given: unknown = {}) => Object.entries(salvage.value(given, asMap, {}));
  const vector = <T>(given: unknown, otherwise: T) =>
    salvage.value<Vector | T>(given, (found) => parseVector(found, "vector"), otherwise);
  const { joined, muted, closed, read, heard, current = homeKey, drafts } = fields;
  return {
    joined: names(joined),
    muted: names(muted),
    closed: names(closed),
    read: Object.fromEntries(entries(read).map(([key, mark]) => [key, vector(mark, {})])),
    heard: heard === undefined ? undefined : vector(heard, undefined),
    current: salvage.value(current, asText, homeKey),
    drafts: Object.fromEntries(entries(drafts).map(([key, texts]) => [key, begun(texts)])),
  };
}

function asMap(value: unknown): Readonly<Record<string, unknown>> {
  if (!isMap(value)) throw new Error("it is not a map");
  return value;
}

function asText(value: unknown): string {
  if (typeof value !== "string") throw new Error("it is not a text");
  return value;
}
