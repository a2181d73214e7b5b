import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SessionFiles } from "../../src/client/session-files.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const brokers = ["tcp://a:5555", "tcp://b:5555"];

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(() => folder[Symbol.asyncDispose]());

/** A token whose user can be read and whose signature is invalid, since clients never check it. */
function tokenOf(user: string, version = 1): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS256" })}.${part({ sub: user, version })}.signature`;
}

const files = (endpoints: readonly string[] = brokers) => new SessionFiles(folder.path, endpoints);

test("a command that names no user reads the session of the user chosen last, not the session saved last", () => {
  files().save(tokenOf("ana"));
  expect(files().read(undefined)).toBeUndefined();
  files().choose("ana");
  files().save(tokenOf("bia"));
  expect(files().read(undefined)).toEqual({ user: "ana", token: tokenOf("ana") });
  expect(files().read("bia")).toEqual({ user: "bia", token: tokenOf("bia") });
  expect(files().read("caio")).toBeUndefined();
});

test("a saved session is found if the brokers are listed in another order, but not if the brokers' keys are missing", () => {
  const keyed = ["a", "b"].map((host) => `tcp://${host}:5555#${"0f".repeat(32)}`);
  files(keyed).save(tokenOf("ana"));
  expect(files([...keyed].reverse()).read("ana")).toBeDefined();
  expect(
    files(keyed.map((endpoint) => endpoint.split("#")[0] as string)).read("ana"),
  ).toBeUndefined();
});

test("when two commands save sessions in turn, no saved session is lost", () => {
  const [one, other] = [files(), files()];
  one.save(tokenOf("ana"));
  other.save(tokenOf("bia"));
  one.save(tokenOf("ana", 2));
  other.choose("bia");
  expect(files().read("ana")?.token).toBe(tokenOf("ana", 2));
  expect(files().read(undefined)?.user).toBe("bia");
});

test("each valid user name has a session file of its own, and no file is made for an invalid name", () => {
  const names = ["a".repeat(64), "😀".repeat(64), "Ana", "ana", "a..b"];
  for (const name of [...names, "..", "a/b"]) files().save(tokenOf(name));
  // The folder also has one lock file.
  expect(readdirSync(folder.path)).toHaveLength(names.length + 1);
  for (const name of names) expect(files().read(name)?.user).toBe(name);
});

test.each(["{", "", "[]", "7", '{"user":"ana"}', '{"user":1,"token":"x"}', '{"token":"x"}'])(
  "a damaged session file (%s) is renamed and reported, and a session saved afterwards can be read",
  (content) => {
    for (const first of ["read", "save"] as const) {
      files().save(tokenOf("ana"));
      const [name = ""] = readdirSync(folder.path);
      const path = join(folder.path, name);
      writeFileSync(path, content);
      const finding = files();
      if (first === "read") expect(finding.read("ana")).toBeUndefined();
      finding.save(tokenOf("ana", 2));
      const aside = `${path}.damaged-${first === "read" ? 1 : 2}`;
      expect(finding.troubles).toEqual([{ path, aside }]);
      expect(readFileSync(aside, "utf8")).toBe(content);
      expect(files().read("ana")?.token).toBe(tokenOf("ana", 2));
    }
  },
);

test("saving a session keeps the fields that a newer version added to its file", () => {
  files().save(tokenOf("ana"));
  const [name = ""] = readdirSync(folder.path);
  const path = join(folder.path, name);
  writeFileSync(path, JSON.stringify({ user: "ana", token: tokenOf("ana"), device: "d" }));
  files().save(tokenOf("ana", 2));
  const kept = JSON.parse(readFileSync(path, "utf8"));
  expect(kept).toEqual({ user: "ana", token: tokenOf("ana", 2), device: "d", format: 1 });
});

test("without a folder, a session is not saved, and `failure` says that there is no folder", () => {
  const nowhere = new SessionFiles(undefined, brokers);
  nowhere.save(tokenOf("ana"));
  expect(nowhere.read("ana")).toBeUndefined();
  expect(nowhere.failure).toBe("no folder");
});

test("an invalid token is not saved, and if the folder can't be used, `failure` names the folder", () => {
  files().save("nonsense");
  expect(readdirSync(folder.path)).toEqual([]);
  const path = join(folder.path, "file");
  writeFileSync(path, "");
  const nowhere = new SessionFiles(path, brokers);
  nowhere.save(tokenOf("ana"));
  const code = expect.stringMatching(/EEXIST|ENOTDIR/);
  expect(nowhere.failure).toEqual({ folder: path, code });
});
