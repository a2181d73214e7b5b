import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findDamagedLine, lineChecksums, linesOf } from "./line-file.ts";

/** The name of the file with the CRC-32 of each line of all other files of a saved state. */
export const table = "lines.json";

/** For each file name, the CRC-32 of each line. */
export type LineTables = Readonly<Record<string, readonly number[]>>;

/**
 * Returns the table's lines, one for each file. Builds each line only when it is read, because
 * building a long line blocks the process.
 */
export function* tableLines(tables: LineTables): Generator<string> {
  const last = Object.keys(tables).at(-1);
  let lead = "{";
  for (const [name, list] of Object.entries(tables)) {
    yield `${lead}"${name}":"${toBase64(list)}"${name === last ? "}" : ","}\n`;
    lead = "";
  }
}

/** Returns the first damaged line, from 1, of a damaged file, by its checksums in the table. */
export function findByTable(folder: string, name: string): number {
  const path = join(folder, table);
  for (const line of existsSync(path) ? linesOf(path) : []) {
    const [, of, list = ""] = /^\{?"([^"]+)":"([A-Za-z0-9+/=]*)"/.exec(line) ?? [];
    if (of === name) return findDamagedLine(join(folder, name), fromBase64(list));
  }
  return 1;
}

/**
 * Returns the first damaged line, from 1, of the table itself. The table's expected text is built
 * from the undamaged other files. The lines are compared as text, not as checksums, because a comma
 * or a newline may be damaged.
 * @param names the names of the other files, in order
 * @param whole the names of the undamaged files among them
 */
export function findInTable(
  folder: string,
  names: readonly string[],
  whole: readonly string[],
): number {
  const isWhole = (name: string) => whole.includes(name);
  const tables = names.map((name) => [
    name,
    isWhole(name) ? lineChecksums(join(folder, name)) : [],
  ]);
  const expected = [...tableLines(Object.fromEntries(tables))];
  const found = readFileSync(join(folder, table), "utf8").split(/(?<=\n)/);
  const at = names.findIndex((name, index) => isWhole(name) && expected[index] !== found[index]);
  return at < 0 ? found.length : at + 1;
}

/** Encodes each number in four bytes, little-endian. */
export function toBase64(list: readonly number[]): string {
  const bytes = Buffer.alloc(4 * list.length);
  let at = 0;
  for (const checksum of list) at = bytes.writeUInt32LE(checksum, at);
  return bytes.toString("base64");
}

export function fromBase64(text: string): number[] {
  const bytes = Buffer.from(text, "base64");
  const count = Math.floor(bytes.length / 4);
  return Array.from({ length: count }, (_, index) => bytes.readUInt32LE(4 * index));
}
