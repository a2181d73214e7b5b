import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Session } from "../../client/session.ts";
import { now, pause } from "../../platform/clock.ts";
import { workOnPassword } from "../../platform/password.ts";
import { errorCode } from "../../platform/problem.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { limits } from "../../protocol/limits.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { HistoryOptions } from "../../protocol/request-data.ts";
import { parseVector } from "../../protocol/vector.ts";
import { checkpointFiles, openCheckpoint } from "../../storage/checkpoint.ts";
import {
  type Change,
  type ChangedReplica,
  firstPassword,
  type KeptOperations,
} from "./core/changes.ts";
import type { Files, Seen, ServerReport } from "./core/checker.ts";
import { type Account, type AccountsFile, grouped } from "./core/names.ts";
import { nameOf, seenOf } from "./load.ts";

/** Which servers and conversations to ask about, and the time limit. */
export interface Question {
  /** Returns a session that may read the conversation. */
  readonly clientFor: (conversation: string) => Session;
  readonly servers: readonly string[];
  readonly conversations: readonly string[];
  readonly limitMs: number;
}

/** A row of `accounts.json`, or of an engine's table. */
export interface SavedAccount extends Account {
  readonly credential: string;
  readonly locked?: boolean | null;
}

/** A row of `checkpoint.json` with the operations that a user has asked for. */
interface SavedAsker {
  readonly operation: string;
  readonly by: string;
  readonly kept: readonly {
    readonly slot: number;
    readonly outcome: string;
    readonly operation: { readonly id: string };
  }[];
  readonly floor: number;
}

interface Page {
  readonly server: string;
  readonly entries: readonly Entry[];
  /** The page's vector as text; equal vectors have equal texts. */
  readonly seen: string;
  readonly more: boolean;
}

const restMs = 100;

/** Asks the servers until all have the same vector, or the time is over. */
export async function agree(question: Question): Promise<void> {
  const { clientFor, servers, conversations, limitMs } = question;
  const untilMs = now().steadyMs + limitMs;
  const [conversation = ""] = conversations;
  while (now().steadyMs < untilMs) {
    const seen = new Map<string, string>();
    // The broker chooses the servers in turn. One round may skip a server, because other clients
    // send requests in between. So there are three rounds.
    for (let count = 0; count < 3 * servers.length && now().steadyMs < untilMs; count += 1) {
      const page = await readPage(clientFor(conversation), conversation, { limit: 1 });
      if (page !== undefined) seen.set(page.server, page.seen);
    }
    if (servers.every((server) => seen.has(server)) && new Set(seen.values()).size === 1) return;
    await pause(restMs);
  }
}

/**
 * Returns each server's report of each conversation; a server without a complete report is left
 * out.
 */
export async function reportsOf(question: Question): Promise<ServerReport[]> {
  const untilMs = now().steadyMs + question.limitMs;
  const reports: ServerReport[] = [];
  for (const conversation of question.conversations) {
    reports.push(...(await reportsOn(conversation, question, untilMs)));
  }
  return reports;
}

/**
 * Reads a conversation from all servers page by page. The broker chooses the server for each page;
 * the page is added to that server's report.
 */
async function reportsOn(
  conversation: string,
  { clientFor, servers }: Question,
  untilMs: number,
): Promise<ServerReport[]> {
  const readers = servers.map((server) => {
    return { server, entries: [] as Seen[], since: "{}", isDone: false };
  });
  for (;;) {
    const next = readers.find(({ isDone }) => !isDone);
    if (next === undefined || now().steadyMs > untilMs) break;
    const { since } = next;
    const query = { since: parseVector(JSON.parse(since), "since"), limit: limits.historyEntries };
    const page = await readPage(clientFor(conversation), conversation, query);
    const reader = readers.find(({ server }) => server === page?.server);
    // A page is used only if it is the next page of the answering server's report.
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
  client: Session,
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
    // The server may still be restarting. The caller tries again until its time limit.
    if (!(error instanceof ProtocolError)) throw error;
    return undefined;
  }
}

/**
 * Returns checksums of each replica's files. Before the call, all servers must have stopped, and
 * each server's saved state must have all events of its journal.
 */
export async function filesOf(folder: string): Promise<Files[]> {
  const replicas = await replicasIn(folder);
  return Promise.all(
    replicas.map(async (replica) => {
      const checksums = checkpointFiles.map(async (name) => {
        return [name, await checksumOf(join(folder, replica, name))] as const;
      });
      return { replica, checksums: Object.fromEntries(await Promise.all(checksums)) };
    }),
  );
}

/**
 * Returns the accounts of each replica. Before the call, all servers must have stopped, and each
 * server's saved state must have all events of its journal.
 */
export async function accountsOf(folder: string): Promise<AccountsFile[]> {
  const replicas = await replicasIn(folder);
  return Promise.all(
    replicas.map(async (replica) => {
      const text = await textOf(join(folder, replica, "accounts.json"));
      const accounts = text === undefined ? undefined : (JSON.parse(text) as Account[]);
      return { replica, accounts };
    }),
  );
}

/**
 * Returns what each replica's disk says about the accounts that clients changed. Before the call, all
 * servers must have stopped, and each server's saved state must have all events of its journal.
 */
export async function changedOf(
  folder: string,
  changes: readonly Change[],
): Promise<ChangedReplica[]> {
  const replicas = await replicasIn(folder);
  const known = new KnownPasswords(changes);
  return replicas.map((replica) => {
    const { checkpoint } = openCheckpoint(join(folder, replica));
    const lines = [...(checkpoint?.entries("accounts.json") ?? [])];
    const accounts = lines.map((line) => JSON.parse(line) as SavedAccount);
    const rows = [...(checkpoint?.rows ?? [])].map((line) => JSON.parse(line) as SavedAsker);
    const operations = new Map(
      rows.filter(({ operation }) => operation === "asker").map((row) => [row.by, keptOf(row)]),
    );
    return { replica, operations, ...changedIn(accounts, known) };
  });
}

/** Returns the passwords and locks that a replica's accounts have. */
export function changedIn(
  accounts: readonly SavedAccount[],
  known: KnownPasswords,
): Pick<ChangedReplica, "passwords" | "locked"> {
  return {
    passwords: known.of(accounts),
    locked: new Set(accounts.flatMap(({ user, locked }) => (locked === true ? [user] : []))),
  };
}

/** The passwords that clients tried to set. */
export class KnownPasswords {
  readonly #tried: ReadonlyMap<string, readonly Change[]>;
  /** By credential. */
  readonly #found = new Map<string, string | undefined>();

  constructor(changes: readonly Change[]) {
    const passwords = changes.filter(({ kind }) => kind === "password");
    this.#tried = grouped(passwords, ({ user }) => user);
  }

  /** Returns for each of the accounts that clients changed which of the passwords is right. */
  of(accounts: readonly SavedAccount[]): Map<string, string | undefined> {
    const changed = accounts.filter(({ user }) => this.#tried.has(user));
    return new Map(changed.map((account) => [account.user, this.#passwordOf(account)]));
  }

  #passwordOf({ user, credential }: SavedAccount): string | undefined {
    // The password that was told comes first, because each check takes tens of milliseconds.
    const likely = [...(this.#tried.get(user) ?? [])].sort((a, b) => b.told.length - a.told.length);
    const isRight = (password: string) => {
      return workOnPassword({ check: { password, credential } }).isRight;
    };
    if (!this.#found.has(credential)) {
      const values = [...likely.map(({ value }) => value), firstPassword];
      this.#found.set(credential, values.find(isRight));
    }
    return this.#found.get(credential);
  }
}

function keptOf({ kept, floor }: SavedAsker): KeptOperations {
  return { kept: kept.map(({ operation: { id }, ...told }) => ({ id, ...told })), floor };
}

async function replicasIn(folder: string): Promise<string[]> {
  const slots = await readdir(join(folder, "servers"));
  return slots.sort().map((slot) => `servers/${slot}`);
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
