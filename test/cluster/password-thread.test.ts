import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

type Module = typeof import("../../src/platform/password-thread.ts");

/** The built file, because Node itself loads a thread's first file. */
const built = pathToFileURL(resolve("dist/platform/password-thread.js")).href;

test("a stop while a password is being hashed is not an error", async () => {
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

test.skipIf(process.platform !== "linux")(
  "a password is worked on beside busy threads at a tenth of their pace, not at next to nothing",
  async () => {
    const { PasswordThread } = (await import(built)) as Module;
    const thread = new PasswordThread();
    const before = priorities();
    await thread.work({ hash: "one" });
    const [own] = priorities().filter((priority) => !before.includes(priority));
    await thread.close();
    expect(own).toBe(10);
  },
);

/** The `nice` value of each thread of this process. */
function priorities(): number[] {
  return readdirSync("/proc/self/task").map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, "latin1");
    // The name before the last parenthesis may hold anything; the value is the 17th behind it.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
  });
}
