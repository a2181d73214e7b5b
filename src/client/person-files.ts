import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openLogFile } from "../platform/log.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import { isMap } from "../protocol/parse-message.ts";
import { parseVector, type Vector } from "../protocol/vector.ts";
import { type FileTrouble, KeptFile } from "../storage/kept-file.ts";
import type { Text } from "../texts/texts.ts";
import type { Context } from "./commands/context.ts";
import { nothingSaved, type SavedChat } from "./core/chat-model.ts";
import { mergedSaved } from "./core/saved-chat.ts";
import { clusterOf, fileName } from "./session-files.ts";

const mostLogBytes = 1_000_000;

/**
 * The files of one person in the cluster of a command.
 * @throws Problem if the person has no folder for them
 */
export function personFiles({ config, text }: Context, user: string): PersonFiles {
  const { keptIn, brokers } = config;
  if (keptIn === undefined) throw new Problem(text("problem.noFolder"));
  return new PersonFiles(keptIn, brokers, user);
}

/** What one person's chats in one cluster keep: what was read, what waits to be sent, a log. */
export class PersonFiles {
  /** Called for each file that could not be read. */
  onTrouble: (trouble: FileTrouble) => void = () => {};
  readonly #folder: string;
  readonly #file: KeptFile<SavedChat>;
  /** What this chat saved last, or began with. */
  #saved = nothingSaved;

  /** @param root of all that the person's programs keep */
  constructor(root: string, brokers: readonly string[], user: string) {
    this.#folder = join(root, "chats", fileName([clusterOf(brokers), user]));
    this.#file = new KeptFile(join(this.#folder, "chat.json"), parseSaved, (trouble) =>
      this.onTrouble(trouble),
    );
  }

  get outboxFolder(): string {
    return join(this.#folder, "outbox");
  }

  /**
   * Made if need be.
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

  /** Without a readable file nothing is saved, and so all counts as unread. */
  read(): SavedChat {
    this.#saved = this.#file.read() ?? nothingSaved;
    return this.#saved;
  }

  /** Another chat of the same person keeps what it has saved meanwhile. @throws what the file system says */
  save(chat: SavedChat): void {
    const change = { before: this.#saved, after: chat };
    this.#file.update((there) => (there === undefined ? chat : mergedSaved(there, change)));
    this.#saved = chat;
  }
}

/** @throws Error if it is not what a chat saves */
function parseSaved(value: unknown): SavedChat {
  if (!isMap(value)) throw new Error("it is no map");
  const read: Record<string, Vector> = {};
  for (const [key, vector] of Object.entries(isMap(value.read) ? value.read : {})) {
    read[key] = parseVector(vector, key);
  }
  return {
    joined: strings(value.joined),
    muted: strings(value.muted),
    closed: strings(value.closed),
    read,
    heard: value.heard === undefined ? undefined : parseVector(value.heard, "heard"),
    current: typeof value.current === "string" ? value.current : "",
    drafts: texts(value.drafts),
  };
}

function texts(value: unknown = {}): Record<string, string> {
  const found: Record<string, string> = {};
  if (!isMap(value)) throw new Error("it is no map of texts");
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") throw new Error("it is no map of texts");
    found[key] = text;
  }
  return found;
}

function strings(value: unknown = []): string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new Error("it is no list of names");
}
