import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLogFile } from "../../src/platform/log.ts";
import { CoordinatorWatch } from "../../src/trials/coordinator-watch.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const servers = [1, 2].map((number) => {
  return { role: "server", number, label: `server ${number}` } as const;
});
const time = "2026-01-01T00:00:00.500Z";
const wallMs = Date.parse(time);

let temporary: TemporaryFolder;
let watch: CoordinatorWatch;

beforeEach(async () => {
  temporary = await temporaryFolder();
  mkdirSync(join(temporary.path, "logs"));
  for (const { number } of servers) write(number, "");
  watch = new CoordinatorWatch(temporary.path, servers);
});
afterEach(() => temporary[Symbol.asyncDispose]());

function pathOf(number: number): string {
  return join(temporary.path, "logs", `server-${number}.log`);
}

function write(number: number, text: string): void {
  appendFileSync(pathOf(number), text);
}

function log(number: number, fields: object): void {
  write(number, `${JSON.stringify({ level: "info", time, msg: "Whatever it says", ...fields })}\n`);
}

function enter(number: number, term: number): void {
  log(number, { event: "coordinator", epoch: { view: 3, term } });
}

test("the coordinator watch reads the field `event` of the log lines, not their sentences", () => {
  expect(watch.coordinator).toBeUndefined();
  enter(2, 2);
  enter(1, 1);
  expect(watch.entered()).toEqual([
    { node: "server 1", epoch: { view: 3, term: 1 }, wallMs },
    { node: "server 2", epoch: { view: 3, term: 2 }, wallMs },
  ]);
  expect(watch.coordinator).toBe("server 2");
  enter(1, 3);
  expect(watch.coordinator).toBe("server 1");
});

test("the coordinator watch knows no coordinator after the latest one has resigned or restarted", () => {
  enter(1, 1);
  log(1, { event: "resigned", epoch: { view: 3, term: 1 } });
  expect(watch.coordinator).toBeUndefined();
  enter(1, 2);
  expect(watch.coordinator).toBe("server 1");
  log(1, { event: "started" });
  expect(watch.coordinator).toBeUndefined();
});

test("the coordinator watch reads a log line only once the line is complete, and ignores lines without an event", () => {
  write(1, "tertulia: a sentence at the end of a process\nnull\n");
  log(1, { msg: "Coordinator, epoch 3.1 — olá" });
  const line = JSON.stringify({ time, event: "coordinator", epoch: { view: 3, term: 2 } });
  write(1, line.slice(0, 60));
  expect(watch.entered()).toEqual([]);
  write(1, `${line.slice(60)}\n`);
  expect(watch.coordinator).toBe("server 1");
});

test("the coordinator watch misses no term when a log is rotated because of its length", () => {
  enter(1, 1);
  for (let count = 0; count < 100; count += 1) log(1, {});
  expect(watch.entered()).toHaveLength(1);
  enter(1, 2);
  openLogFile(pathOf(1), 1_000).close();
  enter(1, 3);
  expect(watch.entered().map(({ epoch }) => epoch.term)).toEqual([1, 2, 3]);
  enter(1, 4);
  expect(watch.entered()).toHaveLength(4);
});
