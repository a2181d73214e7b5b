import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { KeyMismatchError, unpack } from "../../src/backup/backup-file.ts";
import { WrongKeyError } from "../../src/backup/encrypted-stream.ts";
import { format, type Manifest, NewerFormatError } from "../../src/backup/manifest.ts";
import { packed } from "../support/packed-backup.ts";
import { memoryFolder } from "../support/temporary-folder.ts";

const key = "the long key of a test";
const { signal } = new AbortController();
const otherKey = "another key of the same length";

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000);
}

/** Unpacks a backup. @returns the manifest, and the files by name */
async function unpacked(bytes: Buffer, secret?: string) {
  await using folder = await memoryFolder();
  const manifest = await unpack(inPieces(bytes), folder.path, { secret, signal });
  const files = manifest.files.map(({ name }) => {
    return [name, readFileSync(join(folder.path, name), "utf8")] as const;
  });
  return { manifest, files: new Map(files) };
}

const kinds = [
  { kind: "a plain backup", secret: undefined },
  { kind: "an encrypted backup", secret: key },
];

describe.each(kinds)("$kind", ({ secret }) => {
  let whole: Buffer;

  beforeAll(async () => {
    whole = await packed(secret);
  });

  test(`[O53] ${secret === undefined ? "a plain" : "an encrypted"} backup unpacks to the files of the saved state`, async () => {
    const { manifest, files } = await unpacked(whole, secret);
    expect(manifest.counts).toMatchObject({ publications: 300 });
    expect(JSON.parse(files.get("publications.json") ?? "")).toHaveLength(300);
  });

  test(`[O53] ${secret === undefined ? "a plain" : "an encrypted"} backup with a changed byte at any place is refused`, async () => {
    const change = fc.record({
      at: fc.nat(whole.length - 1),
      bits: fc.integer({ min: 1, max: 255 }),
    });
    // The key is derived from its text slowly, so an encrypted backup gets fewer runs.
    const numRuns = secret === undefined ? 600 : 25;
    await fc.assert(
      fc.asyncProperty(change, async ({ at, bits }) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ bits;
        await expect(unpacked(bytes, secret)).rejects.toThrow();
      }),
      { numRuns },
    );
  }, 60_000);

  test(`[O53] ${secret === undefined ? "a plain" : "an encrypted"} backup that is cut off, or has more bytes at its end, is refused`, async () => {
    const lengths = [0, 1, 9, 24, 25, whole.length >> 1, whole.length - 97, whole.length - 1];
    for (const length of lengths) {
      await expect(unpacked(whole.subarray(0, length), secret), `${length}`).rejects.toThrow();
    }
    const longer = Buffer.concat([whole, Buffer.from([0])]);
    await expect(unpacked(longer, secret)).rejects.toThrow();
  });
});

test("[O53] every bit at the beginning and the end of a plain backup counts, also those that gzip ignores", async () => {
  const whole = await packed(undefined, 3);
  for (let at = 0; at < whole.length; at += 1) {
    if (at === 40) at = whole.length - 130;
    for (let bit = 0; bit < 8; bit += 1) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      await expect(unpacked(bytes), `bit ${bit} of byte ${at}`).rejects.toThrow();
    }
  }
});

test("[O53] `gunzip` turns a plain backup into a sequence of JSON values", async () => {
  const text = gunzipSync(await packed(undefined, 3)).toString();
  const [manifest = "", ...rest] = text.split("\n");
  const { files } = JSON.parse(manifest) as Manifest;
  const after = rest.join("\n");
  const [users] = files;
  expect(JSON.parse(after.slice(0, users?.bytes))).toBeTypeOf("object");
  expect(JSON.parse(rest.at(-2) ?? "")).toEqual({ checksum: expect.stringMatching(/^[0-9a-f]+$/) });
});

test("[O53] an encrypted backup shows none of its texts, and two backups of one state differ", async () => {
  const [one, other] = [await packed(key), await packed(key)];
  expect(one.includes("publications.json")).toBe(false);
  expect(one.subarray(8).equals(other.subarray(8))).toBe(false);
  expect(one.length).toBe(other.length);
});

test("[O53] an encrypted backup whose pieces are exchanged, left out or repeated is refused", async () => {
  const whole = await packed(key, 30_000);
  const piece = 64 * 1024 + 16;
  const at = (number: number) => whole.subarray(24 + number * piece, 24 + (number + 1) * piece);
  const head = whole.subarray(0, 24);
  const rest = whole.subarray(24 + 2 * piece);
  expect(rest.length).toBeGreaterThan(0);
  await unpacked(Buffer.concat([head, at(0), at(1), rest]), key);
  const forged = [
    [at(1), at(0), rest],
    [at(0), rest],
    [at(0), at(0), at(1), rest],
    [at(0), at(1)],
  ];
  for (const pieces of forged) {
    await expect(unpacked(Buffer.concat([head, ...pieces]), key)).rejects.toThrow();
  }
}, 30_000);

describe("the key of a backup", () => {
  test("[O53] another key than that of the backup is refused as such", async () => {
    await expect(unpacked(await packed(key), otherKey)).rejects.toThrow(WrongKeyError);
  });

  test("[O53] an encrypted backup without a key, and a plain one with a key, are refused as such", async () => {
    const isEncrypted = { isEncrypted: true };
    await expect(unpacked(await packed(key))).rejects.toMatchObject(isEncrypted);
    await expect(unpacked(await packed(undefined), key)).rejects.toThrow(KeyMismatchError);
  });
});

test("[O54] a backup of a newer format is refused, and the error names the version that made it", async () => {
  const newer = await packed(undefined, 3, { format: format + 1, version: "9.0.0" });
  await expect(unpacked(newer)).rejects.toThrow(NewerFormatError);
  await expect(unpacked(newer)).rejects.toMatchObject({ version: "9.0.0" });
});
