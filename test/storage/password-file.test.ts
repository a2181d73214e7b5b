import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ownPassword, readPasswordFile } from "../../src/storage/password-file.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("a password file gives its first line as the password, unless that line is empty", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "password");
  await writeFile(path, "  with spaces \r\nnot this\n");
  expect(readPasswordFile(path)).toBe("  with spaces ");
  await writeFile(path, "\ufeffsecret\r\n");
  expect(readPasswordFile(path)).toBe("secret");
  await writeFile(path, "\nnot this\n");
  expect(() => readPasswordFile(path)).toThrow(/is empty/);
  expect(() => readPasswordFile(folder.path)).toThrow(/can't be read \(EISDIR\)/);
});

test("a process creates its own password once, with 48 hexadecimal digits, in a file that only its owner can read", async () => {
  await using folder = await temporaryFolder();
  const password = await ownPassword(folder.path);
  expect(password).toMatch(/^[0-9a-f]{48}$/);
  expect(await ownPassword(folder.path)).toBe(password);
  expect((await stat(join(folder.path, "password"))).mode & 0o777).toBe(0o600);
});
