import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

type Module = typeof import("../../src/platform/password-thread.ts");

/** Built: a thread begins with a file of its own, which Node has to understand. */
const built = pathToFileURL(resolve("dist/platform/password-thread.js")).href;

test("a password that is worked on when its process stops is no error", async () => {
  const { PasswordThread } = (await import(built)) as Module;
  const thread = new PasswordThread();
  const ends: string[] = [];
  const [first, ...left] = ["one", "two", "three"].map((hash) => thread.work({ hash }));
  for (const work of left) {
    work.then(
      () => ends.push("done"),
      (error: Error) => ends.push(error.message),
    );
  }
  await first;
  await thread.close();
  await new Promise((done) => setImmediate(done));
  expect(ends.filter((end) => end !== "done")).toEqual([]);
});
