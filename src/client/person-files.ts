import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openLogFile } from "../platform/log.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import { randomHex } from "../platform/random.ts";
import { isMap } from "../protocol/parse-message.ts";
import { parseVector, type Vector } from "../protocol/vector.ts";
import { ownerOnly } from "../storage/file-modes.ts";
import type { Text } from "../texts/texts.ts";
import { nothingSaved, type SavedChat } from "./core/chat-model.ts";
import { mergedSaved } from "./core/saved-chat.ts";
import { clusterOf, fileName } from "./session-files.ts";

const mostLogBytes = 1_000_000;

/** What one person's chats in one cluster keep: what was read, what waits to be sent, a log. */
export class PersonFiles {
  readonly #folder: string;
  /** What this chat saved last, or began with. */
  #saved = nothingSaved;

  /** @param root of all that the person's programs keep */
  constructor(root: string, brokers: readonly string[], user: string) {
    this.#folder = join(root, "chats", fileName([clusterOf(brokers), user]));
  }

  get outboxFolder(): string {
    return join(this.#folder, "outbox");
  }

  /**
   * Made if need be; one that has grown large begins anew.
   * @throws Problem if the folder or the file can't be used
   */
  openLogFile(text: Text): ReturnType<typeof openLogFile> {
    const folder = this.#folder;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const path = join(folder, "chat.log");
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (size > mostLogBytes) truncateSync(path);
      return openLogFile(path);
    } catch (error) {
      const code = errorCode(error);
      if (code === undefined) throw error;
      throw new Problem(text("problem.chatFolder", { folder, code }));
    }
  }

  /** Nothing, if there is no such file or it is damaged: then all counts as unread. */
  read(): SavedChat {
    this.#saved = this.#read() ?? nothingSaved;
    return this.#saved;
  }

  /** Another chat of the same person keeps what it has saved meanwhile. @throws what the file system says */
  save(chat: SavedChat): void {
    const there = this.#read();
    const change = { before: this.#saved, after: chat };
    const merged = there === undefined ? chat : mergedSaved(there, change);
    const own = `${this.#path}.${randomHex(4)}`;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    try {
      writeFileSync(own, `${JSON.stringify(merged)}\n`, { mode: ownerOnly });
      renameSync(own, this.#path);
    } catch (error) {
      rmSync(own, { force: true });
      throw error;
    }
    this.#saved = chat;
  }

  #read(): SavedChat | undefined {
    try {
      return parseSaved(JSON.parse(readFileSync(this.#path, "utf8")));
    } catch {
      return undefined;
    }
  }

  get #path(): string {
    return join(this.#folder, "chat.json");
  }
}

function parseSaved(value: unknown): SavedChat | undefined {
  if (!isMap(value)) return undefined;
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
  };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
