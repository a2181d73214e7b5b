import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listen } from "../../src/net/listen.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("binding a Unix socket in a missing folder fails with an error that says to check the folder", async () => {
  await using folder = await temporaryFolder();
  const endpoint = `ipc://${join(folder.path, "missing", "socket")}`;
  await expect(listen(createServer(), endpoint)).rejects.toThrow("check that its folder exists");
});
