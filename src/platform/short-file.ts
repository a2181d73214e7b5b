import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** The most bytes read: far more than a key, a secret or a password needs. */
const mostBytes = 65_536;

/**
 * Reads a file that a person has named; it may be a pipe, or endless like `/dev/zero`.
 * @throws the error of the file system, or an error with the code EFBIG above 64 KiB
 */
export function readShortFile(path: string): { readonly bytes: Buffer; readonly mode: number } {
  const fd = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(mostBytes + 1);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(fd, bytes, length, bytes.length - length, null);
      if (read === 0) return { bytes: bytes.subarray(0, length), mode: fstatSync(fd).mode };
      length += read;
    }
  } finally {
    closeSync(fd);
  }
  throw Object.assign(new Error(`${path} is too long`), { code: "EFBIG" });
}
