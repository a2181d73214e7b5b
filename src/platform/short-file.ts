import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** The most bytes read: far more than a key, a secret or a password needs. */
const mostBytes = 65_536;

/**
 * Reads a file that a person has named; it may be a pipe, or endless like `/dev/zero`.
 * @throws the error of the file system, or an error with the code EFBIG above 64 KiB
 */
export function readShortFile(path: string): ShortFile {
  return readAndClose(openSync(path, "r"), path);
}

/**
 * Reads a file that another process has written, and never waits: opening a named pipe would wait for
 * a writer.
 * @throws as `readShortFile`, and an error with the code EFTYPE if it is a pipe, socket or device
 */
export function readShortRegularFile(path: string): ShortFile {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const status = fstatSync(fd);
  // Reading a folder gives its own error.
  if (status.isFile() || status.isDirectory()) return readAndClose(fd, path);
  closeSync(fd);
  throw Object.assign(new Error(`${path} is no regular file`), { code: "EFTYPE" });
}

interface ShortFile {
  readonly bytes: Buffer;
  readonly mode: number;
}

function readAndClose(fd: number, path: string): ShortFile {
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
