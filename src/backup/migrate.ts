import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLog } from "../platform/log.ts";
import { folderProblem, Problem } from "../platform/problem.ts";
import { harmless, harmlessJson } from "../protocol/harmless.ts";
import { engineConfig } from "../server/config.ts";
import { EngineUnavailable } from "../server/engine/engine.ts";
import {
  type Moved,
  moveIn,
  refuseUnlessEmpty,
  SchemaUsedError,
} from "../server/engine/postgres/move-in.ts";
import { openEngine } from "../server/engine/postgres/start.ts";
import type { Calling } from "./backup.ts";
import { readKeyFile } from "./key-file.ts";
import type { Manifest } from "./manifest.ts";
import { backupProblem, fileSystemCode, loadUnpacked, unpackNamed } from "./opened-backup.ts";
import { openWorkFolder } from "./work-folder.ts";

/**
 * `tertulia migrate FILE`: moves the state of a backup into the empty schema of an engine.
 * @throws Problem if the engine or the backup can't be used; then nothing is moved
 */
export async function runMigrate(calling: Calling): Promise<void> {
  const { settings, text, host } = calling;
  const engine = engineConfig(settings);
  if (engine === undefined) throw new Problem(text("migrate.noEngine"), 2);
  const secret = readKeyFile(settings.optional("keyFile"), text);
  const stopping = new AbortController();
  using _listening = host.onStop(() => stopping.abort());
  const { signal } = stopping;
  const { schema } = engine.address;
  const log = openLog({ level: "silent", role: "migrate", name: () => "", clock: () => 0 });
  try {
    const onUnconfirmed = (why: string) => host.errors.write(`${harmless(why)}\n`);
    await using pool = await openEngine({ ...engine, log }, { onUnconfirmed, signal });
    // Before the long unpacking; `moveIn` checks again in its own transaction.
    await pool.transaction(refuseUnlessEmpty);
    const opened = await open(calling, { secret, signal });
    const { mark, ...content } = opened.state;
    const clock = Math.max(opened.manifest.clock, mark.clock);
    const moved = await moveIn(pool, { ...content, vector: mark.vector, clock }, signal);
    printResult(calling, opened, { moved, schema });
  } catch (error) {
    if (signal.aborted) throw new Problem(text("migrate.stopped"));
    throw problemOf(error, calling, schema);
  }
}

interface Opened {
  readonly manifest: Manifest;
  readonly state: ReturnType<typeof loadUnpacked>;
}

/** Unpacks, checks and loads the backup. */
async function open(
  calling: Calling,
  options: { readonly secret: string | undefined; readonly signal: AbortSignal },
): Promise<Opened> {
  const { file, text } = calling;
  const temporary = mkdtempSync(join(tmpdir(), "tertulia-migrate-"));
  using work = openWorkFolder(temporary, calling);
  if (work === undefined) throw new Problem(text("restore.inUse", { folder: temporary }));
  try {
    const manifest = await unpackNamed(calling, { folder: work.path, ...options });
    return { manifest, state: loadUnpacked(work.path, manifest) };
  } catch (error) {
    options.signal.throwIfAborted();
    const problem = backupProblem(error, calling);
    if (problem !== undefined) throw problem;
    if (fileSystemCode(error) !== undefined) throw folderProblem(temporary, error);
    throw new Problem(text("migrate.damaged", { file, why: (error as Error).message }));
  }
}

function printResult(
  { file, json, text, host }: Calling,
  { manifest: { made, newest, vector, chains } }: Opened,
  { moved: { counts, channels, digest }, schema }: { moved: Moved; schema: string },
): void {
  if (json) {
    const rows = { counts: Object.fromEntries(counts), channels: Object.fromEntries(channels) };
    const value = { file, schema, made, newest, vector, chains, ...rows, digest };
    host.output.write(`${harmlessJson(JSON.stringify(value))}\n`);
    return;
  }
  const all = [...counts].map(([name, rows]) => `${name} ${rows}`).join(", ");
  const lines = [
    text("migrate.done", { schema, newest: newest ?? made }),
    text("migrate.same", { counts: all, channels: channels.size, digest }),
    text("migrate.next"),
  ];
  for (const line of lines) host.output.write(`${harmless(line)}\n`);
}

function problemOf(error: unknown, { text }: Calling, schema: string): unknown {
  if (error instanceof Problem) return error;
  if (error instanceof SchemaUsedError) {
    return new Problem(text(error.isRunning ? "migrate.running" : "migrate.used", { schema }));
  }
  const why = (error as Error).message;
  return new Problem(
    text(error instanceof EngineUnavailable ? "migrate.lost" : "migrate.failed", { why }),
  );
}
