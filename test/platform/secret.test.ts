import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { openSecret, readSecret, Secret, secretSource } from "../../src/platform/secret.ts";
import { Settings } from "../../src/platform/settings.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const opener = fileURLToPath(new URL("../support/open-secret.ts", import.meta.url));

function source(flags: Record<string, string>, env: Record<string, string> = {}) {
  return secretSource(new Settings(flags, env));
}

function keyOf(secret: Secret): string {
  return secret.deriveKey("peer").export().toString("hex");
}

test("[X1] processes that start at the same time use one secret, which one of them creates", async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, "data");
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ["--import", "tsx", opener, data], {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  const outputs = children.map(async (child) => {
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += String(chunk);
    });
    await once(child, "close");
    return text.split("\n").filter((line) => line !== "ready");
  });
  // All processes are loaded before the first one opens the secret.
  await Promise.all(children.map((child) => once(child.stdout, "data")));
  for (const child of children) child.stdin.end("go\n");
  const keys = (await Promise.all(outputs)).flat().filter((line) => line !== "");
  expect(keys).toHaveLength(6);
  expect(new Set(keys).size).toBe(1);
  expect(readdirSync(data)).toEqual(["secret"]);
  expect(statSync(join(data, "secret")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(data, "secret"), "utf8")).toMatch(/^[0-9a-f]{64}\n$/);
}, 60_000);

test("[X1] the secret is taken from the flag, else from the environment, else from the file", async () => {
  await using folder = await temporaryFolder();
  const [named, data] = [join(folder.path, "named"), join(folder.path, "data")];
  mkdirSync(data);
  writeFileSync(named, "what the file says\n", { mode: 0o600 });
  const text = { TERTULIA_SECRET: "what the environment says" };
  const origin = (flags: Record<string, string>, env: Record<string, string>) =>
    openSecret(source({ data, ...flags }, env)).origin;
  expect(origin({ secretFile: named }, text)).toBe(named);
  expect(origin({}, { ...text, TERTULIA_SECRET_FILE: named })).toBe("TERTULIA_SECRET");
  expect(origin({}, { TERTULIA_SECRET: "", TERTULIA_SECRET_FILE: named })).toBe(named);
  expect(existsSync(join(data, "secret"))).toBe(false);
  expect(origin({}, {})).toBe(join(data, "secret"));
});

test("[X1] the error for a missing or too short secret says what to do", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "secret");
  expect(() => openSecret(source({ secretFile: path }))).toThrow(/no secret at .*: copy it/);
  // Commands use `readSecret`, which never creates a secret.
  expect(() => readSecret(source({ data: folder.path }))).toThrow(/no secret at/);
  writeFileSync(path, "fifteen letters");
  expect(() => openSecret(source({ data: folder.path }))).toThrow(/shorter than 16 characters/);
  expect(() => openSecret(source({}, { TERTULIA_SECRET: "short" }))).toThrow("TERTULIA_SECRET");
});

test("[X1] a secret's file that others can read causes a warning", async () => {
  await using folder = await temporaryFolder();
  expect(openSecret(source({ data: folder.path })).warning).toBeUndefined();
  chmodSync(join(folder.path, "secret"), 0o644);
  expect(openSecret(source({ data: folder.path })).warning).toContain("chmod 600");
});

test("[X1] each purpose in each cluster has a key of its own", () => {
  const of = (cluster: string) =>
    new Secret("a secret of the cluster", { ...source({}), text: "x", cluster });
  const purposes = ["replication", "peer", "reference"] as const;
  const keys = ["one", "two"].flatMap((cluster) =>
    purposes.map((purpose) => of(cluster).deriveKey(purpose).export().toString("hex")),
  );
  expect(new Set(keys).size).toBe(6);
  expect(keyOf(of("one"))).toBe(keyOf(of("one")));
  expect(keyOf(of("one"))).toHaveLength(64);
});

test("[X1] inspect and JSON.stringify of a secret do not reveal it", () => {
  const secret = openSecret(source({}, { TERTULIA_SECRET: "a secret of the cluster" }));
  expect(`${inspect(secret, { depth: 9, showHidden: true })}${JSON.stringify(secret)}`).not.toMatch(
    /a secret of|61 20 73/,
  );
});

test("[X1] a byte order mark before a secret, or a Windows line end after the secret, does not change the secret", async () => {
  await using folder = await temporaryFolder();
  const secretFile = join(folder.path, "secret");
  const text = "0123456789abcdef0123456789abcdef";
  const keys = [`${text}\n`, `\ufeff${text}\r\n`].map((written) => {
    writeFileSync(secretFile, written, { mode: 0o600 });
    return keyOf(readSecret(source({ secretFile })));
  });
  expect(keys[1]).toBe(keys[0]);
  expect(keyOf(readSecret(source({}, { TERTULIA_SECRET: `${text}\r` })))).toBe(keys[0]);
});

test("[O55] a secret's text has one secret on each line; the first is in use, and white space and empty lines do not count", () => {
  const [old, next] = ["the old secret of the cluster", "the new secret of the cluster"];
  const alone = [old, next].map((text) => openSecret(source({}, { TERTULIA_SECRET: text })));
  const both = openSecret(source({}, { TERTULIA_SECRET: `\n ${old}\r\n\n${next}\t\r` }));
  expect(both.each.map(keyOf)).toEqual(alone.map(keyOf));
  expect(keyOf(both)).toBe(keyOf(alone[0] as Secret));
  const keys = both.deriveKeys("peer").map((key) => key.export().toString("hex"));
  expect(keys).toEqual(alone.map(keyOf));
  expect(`${inspect(both, { depth: 9, showHidden: true })}${JSON.stringify(both)}`).not.toMatch(
    /secret of the|61 20 73/,
  );
});

test("[O55] each of several secrets needs 16 characters, and a text has at most three secrets", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, number) => `secret ${number} of the cluster`).join("\n");
  const open = (text: string) => openSecret(source({}, { TERTULIA_SECRET: text }));
  expect(open(many(3)).each).toHaveLength(3);
  expect(() => open(many(4))).toThrow(/TERTULIA_SECRET has more than 3 lines: /);
  expect(() => open(`${many(1)}\nshort`)).toThrow(/shorter than 16 characters/);
  expect(() => open(`${many(2)}\n${many(1)}`)).toThrow(
    "TERTULIA_SECRET has the same secret twice: remove one of these lines.",
  );
});

test("[O55] a fingerprint has 8 hex digits, differs by secret, and is no part of any other key", () => {
  const text = "the old secret of the cluster\nthe new secret of the cluster";
  const secret = openSecret(source({}, { TERTULIA_SECRET: text }));
  const [old = "", next = ""] = secret.fingerprints;
  expect([old, next].join(" ")).toMatch(/^[0-9a-f]{8} [0-9a-f]{8}$/);
  expect(old).not.toBe(next);
  expect(secret.others[0]?.fingerprints).toEqual([next]);
  for (const purpose of ["peer", "token", "members", "curve"] as const) {
    expect(secret.deriveKey(purpose).export().toString("hex")).not.toContain(old);
  }
});
