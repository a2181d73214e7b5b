import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listen } from "../../src/net/listen.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("the error of a Unix socket that can't be bound mentions its folder, not a port", async () => {
  await using folder = await temporaryFolder();
  const endpoint = `ipc://${join(folder.path, "missing", "socket")}`;
  await expect(listen(createServer(), endpoint)).rejects.toThrow("check that its folder exists");
});
