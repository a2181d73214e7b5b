import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nothingSaved } from "../../src/client/core/chat-model.ts";
import { parseTarget, type Target } from "../../src/client/core/target.ts";
import { Outbox } from "../../src/client/outbox.ts";
import { PersonFiles } from "../../src/client/person-files.ts";
import { SessionFiles } from "../../src/client/session-files.ts";
import { digest } from "../../src/platform/digest.ts";
import { Problem } from "../../src/platform/problem.ts";
import { Settings } from "../../src/platform/settings.ts";
import { noEpoch } from "../../src/protocol/epoch.ts";
import type { UserName } from "../../src/protocol/ids.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import { referenceConfig } from "../../src/reference/config.ts";
import { startReference } from "../../src/reference/reference.ts";
import { openCheckpoint, writeCheckpoint } from "../../src/storage/checkpoint.ts";
import { ClockFile } from "../../src/storage/clock-file.ts";
import { nameOf, noPromises, readPromises, writePromises } from "../../src/storage/identity.ts";
import { openProcessFile } from "../../src/storage/process-file.ts";
import { textsIn } from "../../src/texts/texts.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { makeMember, OpenDisk } from "../support/open-disk.ts";
import { memoryFolder } from "../support/temporary-folder.ts";

interface Kind {
  /** The path of the file in the folder; for a name that is not known, a pattern. */
  readonly file: string | RegExp;
  /** Writes the file if it does not exist, and reads it as a starting process does. */
  readonly open: (folder: string) => unknown;
  /** Whether the file's checksum has to be written again after a change. */
  readonly sealed?: (text: string) => string;
}

const ana = "ana" as UserName;
const brokers = ["tcp://a:5555"];
const token = `a.${Buffer.from(JSON.stringify({ sub: "ana" })).toString("base64url")}.c`;

async function openDisk(folder: string): Promise<void> {
  if (readdirSync(folder).length === 0) makeMember(folder);
  const open = await OpenDisk.at(folder);
  open.put(new EventMaker().many(serverName(1), Object.keys(open.held).length === 0 ? 3 : 0));
  await open.settled();
  await open.disk.close(undefined);
}

async function openReference(folder: string): Promise<void> {
  const settings = { data: folder, bind: "tcp://127.0.0.1:*", logLevel: "silent" } as const;
  const reference = await startReference(referenceConfig(new Settings(settings, {})));
  await reference[Symbol.asyncDispose]();
}

async function openPromises(folder: string): Promise<void> {
  if ((await readPromises(folder)) === undefined) await writePromises(folder, noPromises);
}

async function openClock(folder: string): Promise<void> {
  const file = await ClockFile.open(folder, new LamportClock(), (reason) => {
    throw new Error(reason);
  });
  await file[Symbol.asyncDispose]();
}

async function openBroker(folder: string): Promise<void> {
  await using _file = await openProcessFile(folder, "broker", () => "broker_1");
}

function openSession(folder: string): void {
  const files = new SessionFiles(folder, brokers);
  if (files.read("ana") === undefined) files.save(token);
  expect(files.read("ana")).toEqual({ user: "ana", token });
}

function openChat(folder: string): void {
  const files = new PersonFiles(folder, brokers, "ana");
  files.save({ ...files.read(), joined: ["#geral"] });
  expect(files.read()).not.toEqual(nothingSaved);
}

function openOutbox(folder: string): void {
  const outbox = Outbox.open(folder, () => textsIn("en"));
  try {
    if (outbox.waiting.length === 0) outbox.add(parseTarget("#geral") as Target, ana, "hello");
    expect(outbox.troubles).toEqual([]);
  } finally {
    outbox.close();
  }
}

async function openState(folder: string): Promise<void> {
  if (readdirSync(folder).length === 0) {
    const mark = { vector: {}, chains: {}, clock: 0, times: {}, epoch: noEpoch };
    await writeCheckpoint(folder, { mark, files: [], rows: [] });
  }
  expect(openCheckpoint(folder).damages).toEqual([]);
}

/** Writes the checksum of a checkpoint.json again. */
function sealState(text: string): string {
  const body = text.slice(0, text.lastIndexOf('"checksum":"'));
  return `${body}"checksum":"${createHash("sha256").update(body).digest("hex")}"}\n`;
}

/** Writes the checksum of a journal's header again. */
function sealHeader(text: string): string {
  const [header = "", ...rest] = text.split("\n");
  const body = header.slice(0, header.lastIndexOf(',"crc":"'));
  return [`${body},"crc":"${digest.checksum(body)}"}`, ...rest].join("\n");
}

const kinds: Kind[] = [
  { file: "identity.json", open: nameOf },
  { file: "promises.json", open: openPromises },
  { file: "clock.json", open: openClock },
  { file: "1/broker.json", open: openBroker },
  { file: "reference/reference.json", open: openReference },
  { file: "journal/00000001.jsonl", open: openDisk, sealed: sealHeader },
  { file: "checkpoint.json", open: openState, sealed: sealState },
  { file: /^\w{32}\.json$/, open: openSession },
  { file: /chat\.json$/, open: openChat },
  { file: "1/outbox.jsonl", open: openOutbox },
];

function pathOf(folder: string, file: string | RegExp): string {
  if (typeof file === "string") return join(folder, file);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return join(folder, names.find((name) => file.test(name)) ?? "");
}

describe.each(kinds)("$file", ({ file, open, sealed = (text) => text }) => {
  async function changed(folder: string, change: (text: string) => string): Promise<string> {
    await open(folder);
    const path = pathOf(folder, file);
    const text = readFileSync(path, "utf8");
    expect(text).toContain('"format":1');
    writeFileSync(path, sealed(change(text)));
    return path;
  }

  test("[O60] a process reads $file with a field that it does not know", async () => {
    await using folder = await memoryFolder();
    await changed(folder.path, (text) => text.replace('"format":1', '"format":1,"further":[2]'));
    await open(folder.path);
  });

  test("[O60] a process reads $file without a format, as version 0.1.0 writes it", async () => {
    await using folder = await memoryFolder();
    await changed(folder.path, (text) => text.replace(/,"format":1|"format":1,\n/, ""));
    await open(folder.path);
  });

  test("[O60] a process refuses $file of a newer format in one sentence, and leaves it unchanged", async () => {
    await using folder = await memoryFolder();
    const path = await changed(folder.path, (text) => text.replace('"format":1', '"format":2'));
    const before = readFileSync(path, "utf8");
    const said =
      `${path} has format 2, and this version reads formats up to 1: ` +
      "start the newer version again.";
    // `open` may throw before it returns a promise.
    await expect((async () => open(folder.path))()).rejects.toThrow(new Problem(said));
    expect(readFileSync(path, "utf8")).toBe(before);
  });
});
