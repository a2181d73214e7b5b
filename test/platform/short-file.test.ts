import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { serverKey } from "../../src/platform/curve.ts";
import { readSecret } from "../../src/platform/secret.ts";
import { Settings } from "../../src/platform/settings.ts";
import { readPasswordFile } from "../../src/storage/password-file.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const secretAt = (path: string) =>
  readSecret({ text: undefined, path, isDefault: false, cluster: "tertulia" });

const readers: readonly (readonly [what: string, read: (path: string) => unknown])[] = [
  ["a password", readPasswordFile],
  ["a secret", secretAt],
  ["the cluster's key", (serverKeyFile) => serverKey(new Settings({ serverKeyFile }, {}))],
];

describe.each(readers)("%s in a named file", (_, read) => {
  test.runIf(existsSync("/dev/zero"))(
    "a file with a password, secret or key is refused if the file has no end",
    () => {
      expect(() => read("/dev/zero")).toThrow("(EFBIG)");
    },
  );

  test("a file with a password, secret or key is refused if it is far too long, or is a folder", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "long");
    writeFileSync(path, "a".repeat(65_537));
    expect(() => read(path)).toThrow("(EFBIG)");
    mkdirSync(join(folder.path, "folder"));
    expect(() => read(join(folder.path, "folder"))).toThrow("(EISDIR)");
  });
});

test("a pipe in place of the gateways' key is refused at once, without a wait for its writer", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "pipe");
  execFileSync("mkfifo", [path]);
  // In a process of its own: a wait in this process would hang the tests.
  const program = `
    import { readGatewayKey } from "./src/platform/gateway-key.ts";
    import { Settings } from "./src/platform/settings.ts";
    readGatewayKey(new Settings({ gatewayKeyFile: process.argv[1] }, {}));`;
  const args = ["--import", "tsx", "--input-type=module", "--eval", program, path];
  const { stderr, signal } = spawnSync(process.execPath, args, { timeout: 15_000 });
  expect(signal).toBeNull();
  expect(stderr.toString()).toContain(`can't be read at ${path} (EFTYPE)`);
});

test("a password may come through a pipe, in several pieces", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "pipe");
  execFileSync("mkfifo", [path]);
  const writer = spawn("sh", ["-c", '(printf "correct horse "; printf "battery\\n") >"$0"', path]);
  expect(readPasswordFile(path)).toBe("correct horse battery");
  await once(writer, "exit");
});
