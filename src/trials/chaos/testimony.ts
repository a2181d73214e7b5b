import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ChatClient } from "../../client/chat-client.ts";
import { now, pause } from "../../platform/clock.ts";
import { errorCode } from "../../platform/problem.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { limits } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { HistoryOptions } from "../../protocol/request-data.ts";
import { parseVector } from "../../protocol/vector.ts";
import { checkpointFiles } from "../../storage/checkpoint.ts";
import type { Files, Seen, Telling } from "./core/checker.ts";
import type { Account, AccountsFile } from "./core/claims.ts";
import { nameOf, seenOf } from "./load.ts";

/** Whom to ask, of what, and for how long. */
export interface Question {
  readonly client: ChatClient;
  readonly servers: readonly string[];
  readonly conversations: readonly string[];
  readonly limitMs: number;
}

interface Page {
  readonly server: string;
  readonly entries: readonly Entry[];
  /** A vector, as text that is equal where the vector is. */
  readonly seen: string;
  readonly more: boolean;
}

const restMs = 100;

/** Asks until every server says that it has the same as the others. @returns whether they did */
export async function agree({ client, servers, conversations, limitMs }: Question) {
  const untilMs = now().steadyMs + limitMs;
  const [conversation = ""] = conversations;
  while (now().steadyMs < untilMs) {
    const seen = new Map<string, string>();
    // The broker asks one after the other; a few rounds, as somebody else may ask between.
    for (let count = 0; count < 3 * servers.length && now().steadyMs < untilMs; count += 1) {
      const page = await readPage(client, conversation, { limit: 1 });
      if (page !== undefined) seen.set(page.server, page.seen);
    }
    if (servers.every((server) => seen.has(server)) && new Set(seen.values()).size === 1) {
      return true;
    }
    await pause(restMs);
  }
  return false;
}

/** The whole of each conversation, as each server tells it; without those that never answered. */
export async function tellAll(question: Question): Promise<Telling[]> {
  const untilMs = now().steadyMs + question.limitMs;
  const tellings: Telling[] = [];
  for (const conversation of question.conversations) {
    tellings.push(...(await tell(question, conversation, untilMs)));
  }
  return tellings;
}

/** All servers are asked page by page: whoever answers goes on where he had been. */
async function tell(
  { client, servers }: Question,
  conversation: string,
  untilMs: number,
): Promise<Telling[]> {
  const readers = servers.map((server) => {
    return { server, entries: [] as Seen[], since: "{}", isDone: false };
  });
  for (;;) {
    const next = readers.find(({ isDone }) => !isDone);
    if (next === undefined || now().steadyMs > untilMs) break;
    const { since } = next;
    const query = { since: parseVector(JSON.parse(since), "since"), limit: limits.historyEntries };
    const page = await readPage(client, conversation, query);
    const reader = readers.find(({ server }) => server === page?.server);
    // Somebody who stands elsewhere answered: what he says belongs to another question.
    if (page === undefined || reader?.since !== since || reader.isDone) continue;
    reader.entries.push(...page.entries.map(seenOf));
    reader.since = page.seen;
    reader.isDone = !page.more;
  }
  return readers
    .filter(({ isDone }) => isDone)
    .map(({ server, entries }) => ({ server, conversation, entries }));
}

async function readPage(
  client: ChatClient,
  conversation: string,
  query: HistoryOptions,
): Promise<Page | undefined> {
  try {
    const reply = await client.ask("history", { ...nameOf(conversation), ...query });
    return {
      server: String(reply.server),
      entries: reply.entries,
      seen: JSON.stringify(reply.seen),
      more: reply.next !== undefined,
    };
  } catch (error) {
    // It may still be on its way back; the limit ends the asking.
    if (!(error instanceof ProtocolError)) throw error;
    return undefined;
  }
}

/** Checksums of each replica's files, once all have stopped. */
export async function filesOf(folder: string): Promise<Files[]> {
  const slots = await readdir(join(folder, "servers"));
  return Promise.all(
    slots.sort().map(async (slot) => {
      const checksums = checkpointFiles.map(async (name) => {
        return [name, await checksumOf(join(folder, "servers", slot, name))] as const;
      });
      return {
        replica: `servers/${slot}`,
        checksums: Object.fromEntries(await Promise.all(checksums)),
      };
    }),
  );
}

/** The accounts of each replica, once all have stopped. */
export async function accountsOf(folder: string): Promise<AccountsFile[]> {
  const slots = await readdir(join(folder, "servers"));
  return Promise.all(
    slots.sort().map(async (slot) => {
      const text = await textOf(join(folder, "servers", slot, "accounts.json"));
      const accounts = text === undefined ? undefined : (JSON.parse(text) as Account[]);
      return { replica: `servers/${slot}`, accounts };
    }),
  );
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function checksumOf(path: string): Promise<string | undefined> {
  const text = await textOf(path);
  return text === undefined ? undefined : createHash("sha256").update(text).digest("hex");
}
