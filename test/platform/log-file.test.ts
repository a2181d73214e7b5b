import { readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openLogFile } from "../../src/platform/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

test("a log file above its size limit is emptied, and its text is moved to a second file", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "server-1.log");
  const file = openLogFile(path, 1_000);
  try {
    for (const line of ["a", "b"]) {
      writeSync(file.fd, line.repeat(2_000));
      await until(() => statSync(path).size === 0, "the log begins again");
      expect(readFileSync(`${path}.1`, "utf8")).toBe(line.repeat(2_000));
    }
    writeSync(file.fd, "short");
    expect(readFileSync(path, "utf8")).toBe("short");
  } finally {
    file.close();
  }
  // A file above its size limit is emptied as soon as the file is opened.
  openLogFile(path, 3).close();
  expect(statSync(path).size).toBe(0);
});
