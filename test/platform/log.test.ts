import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openLog, RequestLog, readable } from "../../src/platform/log.ts";
import { harmful, signs } from "../support/harmful.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

async function open() {
  const folder = await temporaryFolder();
  const path = join(folder.path, "log");
  const fd = openSync(path, "a");
  const log = openLog({ level: "info", role: "server", name: () => "x", clock: () => 1, fd });
  const lines = () =>
    readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  return { log, lines, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const left = (text: string) => signs.filter((sign) => text.includes(sign));

describe("a log line", () => {
  test("a log line has no character that controls a terminal, and programs read its text unchanged", async () => {
    await using opened = await open();
    const { log, lines } = opened;
    log.info({ user: harmful }, `Recebido: ${harmful}`);
    const [line = ""] = lines();
    expect(lines()).toHaveLength(1);
    expect(left(line)).toEqual([]);
    expect(JSON.parse(line)).toMatchObject({ user: harmful, msg: `Recebido: ${harmful}` });
  });

  test("a log line on a terminal shows symbols for characters that would control the terminal", () => {
    process.env.NO_COLOR = "1";
    const entry = { level: "info", time: "2026-01-01T00:00:00Z", name: "x", clock: 1 };
    const shown = readable(JSON.stringify({ ...entry, msg: harmful, user: harmful }));
    delete process.env.NO_COLOR;
    expect(shown.endsWith("\n")).toBe(true);
    expect(left(shown.slice(0, -1))).toEqual([]);
    expect(shown).toContain("␛]0;owned␇");
    expect(shown).toContain("<U+202E>");
  });

  test("a log line on a terminal omits fields that its sentence repeats", () => {
    process.env.NO_COLOR = "1";
    const entry = { level: "info", time: "2026-01-01T00:00:00Z", name: "x", clock: 1 };
    const event = { event: "coordinator", epoch: { view: 3, term: 2 } };
    const shown = readable(JSON.stringify({ ...entry, ...event, msg: "Coordinator, epoch 3.2" }));
    delete process.env.NO_COLOR;
    expect(shown).toBe("00:00:00 [x Clock=1] Coordinator, epoch 3.2\n");
  });
});

test("[O18] a process logs at most 50 lines a second about single requests, and one line that counts the omitted lines", async () => {
  await using opened = await open();
  const { log, lines } = opened;
  const requestLog = new RequestLog(log);
  const startMs = performance.now();
  for (let count = 0; count < 5_000; count += 1) {
    requestLog.write("info", "Recebido: rank", { user: "guest" });
  }
  const seconds = Math.ceil((performance.now() - startMs) / 1_000) + 1;
  expect(lines().length).toBeGreaterThanOrEqual(50);
  expect(lines().length).toBeLessThanOrEqual(51 * seconds);
  const written = lines().filter((line) => line.includes("Recebido: rank"));
  expect(requestLog.skippedLines).toBe(5_000 - written.length);
});
