import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Problem } from "../../src/platform/problem.ts";
import { Settings } from "../../src/platform/settings.ts";
import { readSettingsFile } from "../../src/platform/settings-file.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const roles = ["broker", "server"];
let folder: TemporaryFolder;
let path: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, "tertulia.yaml");
});

afterAll(() => folder[Symbol.asyncDispose]());

async function read(text: string | Uint8Array) {
  await writeFile(path, text);
  return readSettingsFile(path, roles);
}

/** The error of a file, without the folder in front. */
async function refusal(text: string): Promise<string> {
  const error = await read(text).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(Problem);
  const { message, exitCode } = error as Problem;
  expect(exitCode).toBe(2);
  return message.replaceAll(`${folder.path}/`, "");
}

describe("a settings file", () => {
  test("[O56] a settings file gives values by the names of the flags, and a list is joined by commas", async () => {
    const file = await read(
      "broker-back:\n  - tcp://a:1\n  - tcp://[fd00::1]:2\nproxy: [tcp://b:3, tcp://b:4]\n" +
        "curve: true\nkeep-messages: 5\nuser: 2024\n",
    );
    expect(file.common).toEqual({
      brokerBack: "tcp://a:1,tcp://[fd00::1]:2",
      proxy: "tcp://b:3,tcp://b:4",
      curve: "true",
      keepMessages: "5",
      user: "2024",
    });
    const settings = new Settings({}, {}, file.common);
    expect(settings.get("curve")).toBe(true);
    expect(settings.get("brokerBack")).toEqual(["tcp://a:1", "tcp://[fd00::1]:2"]);
  });

  test("[O56] a flag overrides the environment, which overrides the settings file, which overrides the default", () => {
    const file = { user: "a", cluster: "b", lang: "c" };
    const settings = new Settings({ user: "f" }, { TERTULIA_USER: "e", TERTULIA_LANG: "e" }, file);
    expect(settings.lookUp("user")).toEqual({ text: "f", source: "flag" });
    expect(settings.lookUp("lang")).toEqual({ text: "e", source: "environment" });
    expect(settings.lookUp("cluster")).toEqual({ text: "b", source: "file" });
    expect(settings.lookUp("data")).toEqual({ text: "./data", source: "default" });
    expect(settings.fromFile()).toEqual({ TERTULIA_CLUSTER: "b" });
  });

  test("[O56] the section `roles` has settings of one role only, beside the common ones", async () => {
    const file = await read(
      "log-level: warn\nroles:\n  server: { bind: 'tcp://h:1' }\n  broker:\n    log-level: info\n",
    );
    expect(file.common).toEqual({ logLevel: "warn" });
    expect(Object.fromEntries(file.roles)).toEqual({
      server: { bind: "tcp://h:1" },
      broker: { logLevel: "info" },
    });
  });

  test("[O56] a relative path in a settings file begins at the file's folder", async () => {
    const { common } = await read("data: data\nsecret-file: /etc/secret\n");
    expect(common).toEqual({ data: join(folder.path, "data"), secretFile: "/etc/secret" });
  });

  test("[O47] a settings file may have a byte order mark, UTF-16 or the line ends of Windows", async () => {
    const common = { user: "ana", cluster: "c" };
    expect(await read("\ufeffuser: ana\r\ncluster: c\r\n")).toMatchObject({ common });
    expect(await read(Buffer.from("\ufeffuser: ana\ncluster: c", "utf16le"))).toMatchObject({
      common,
    });
  });

  test("an empty settings file, or one with comments only, sets nothing", async () => {
    for (const text of ["", "# nothing\n", "---\n"]) {
      expect(await read(text)).toEqual({ common: {}, roles: new Map() });
    }
  });

  test.each([
    ["user: ana\nbrokr: tcp://h:1", 'tertulia.yaml:2: "brokr" is no setting'],
    ["config: other.yaml", 'tertulia.yaml:1: "config" is no setting'],
    ["__proto__: x", 'tertulia.yaml:1: "__proto__" is no setting'],
    ["\n\nbroker: here", 'tertulia.yaml:3: broker: "here" won\'t do'],
    ["curve: maybe", "one of true, false, 1, 0, yes, no is wanted"],
    ["keep-logins: 0", "a whole number from 1 to 10000 is wanted"],
    ["cluster: [a, b]", 'tertulia.yaml:1: "cluster" takes a single value, and not a list.'],
    ["data: [a, b]", 'tertulia.yaml:1: "data" takes a single value, and not a list.'],
    ["user:", 'tertulia.yaml:1: "user" needs a value, or a list of values'],
    ["broker: []", 'tertulia.yaml:1: "broker" needs a value'],
    ["broker: {a: b}", 'tertulia.yaml:1: "broker" needs a value'],
    ["user: &a ana\ncluster: *a", 'tertulia.yaml:2: "cluster" needs a value'],
    ["user: ana\nuser: bia", "tertulia.yaml:2: this key is set twice: correct it."],
    ["user: ana\n\tcluster: c", "tertulia.yaml:2: this is no valid YAML ("],
    ["broker: [tcp://a:1", "tertulia.yaml:1: this is no valid YAML ("],
    ["user: ana\n---\nuser: bia", "tertulia.yaml:2: this is no valid YAML ("],
    ["just words", "tertulia.yaml:1: the file needs lines of the form `key: value`."],
    ["? [a]\n: b", "tertulia.yaml:1: a key in the file is no text"],
    ["user: ana\nsecret: abc", "tertulia.yaml:2: the secret does not belong here: name its file"],
    ["roles:\n  brokr: {}", 'tertulia.yaml:2: "brokr" is no role: write one of broker, server.'],
    ["roles:\n  broker:", 'tertulia.yaml:2: "broker" needs lines of the form'],
    ["roles: server", 'tertulia.yaml:1: "roles" needs lines of the form'],
    ["roles:\n  server:\n    bind: x", 'tertulia.yaml:3: bind: "x" won\'t do'],
    ["roles:\n  server:\n    secret: x", "tertulia.yaml:3: the secret does not belong here"],
  ])("[O56] the settings file %j is refused with its line and one sentence", async (text, said) => {
    const message = await refusal(text);
    expect(message).toContain(said);
    expect(message).toMatch(/\.$/);
    expect(message).not.toContain("\n");
  });

  test("[O56] a settings file that can't be read is refused with its name", () => {
    const missing = join(folder.path, "missing.yaml");
    expect(() => readSettingsFile(missing, roles)).toThrow(
      `The settings file "${missing}" can't be read (ENOENT)`,
    );
    expect(() => readSettingsFile(folder.path, roles)).toThrow("can't be read (EISDIR)");
  });
});
