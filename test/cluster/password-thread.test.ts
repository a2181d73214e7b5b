import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

type Module = typeof import("../../src/platform/password-thread.ts");

/** The built file, because Node loads a thread's first file without the test's loader. */
const built = pathToFileURL(resolve("dist/platform/password-thread.js")).href;

test("closing a password thread while it hashes causes no error", async () => {
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
  "the password thread has the nice value 10, which means about a tenth of a busy thread's CPU time",
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
    // The thread's name before the last ")" may contain spaces. `nice` is the 17th field after it.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
  });
}
