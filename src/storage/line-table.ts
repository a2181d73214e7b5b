import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findDamagedLine, linesOf, readLineChecksums } from "./line-file.ts";

/** The file with the CRC-32 of each line of the other files of a saved state. */
export const table = "lines.json";

/** One line for each file, in the order of the names. */
export function* tableLines(tables: Readonly<Record<string, Uint32Array>>): Generator<string> {
  const names = Object.keys(tables);
  for (const [index, name] of names.entries()) {
    const open = index === 0 ? "{" : "";
    const list = toBase64(tables[name] as Uint32Array);
    yield `${open}"${name}":"${list}"${index === names.length - 1 ? "}" : ","}\n`;
  }
}

/** The first damaged line, from 1, of a file that is not as it was written. */
export function findByTable(folder: string, name: string): number {
  const expected = readTables(join(folder, table)).get(name) ?? new Uint32Array();
  return findDamagedLine(join(folder, name), expected) ?? 1;
}

/**
 * The first damaged line, from 1, of the table itself, by what it should say of the other files.
 * @param names the other files, in their order
 * @param whole those of them that are as they were written
 */
export function findInTable(
  folder: string,
  names: readonly string[],
  whole: readonly string[],
): number {
  const tables = Object.fromEntries(
    names.map((name) => [
      name,
      whole.includes(name) ? readLineChecksums(join(folder, name)) : new Uint32Array(),
    ]),
  );
  const expected = [...tableLines(tables)].join("").split("\n");
  const found = readFileSync(join(folder, table), "utf8").split("\n");
  const bad = expected.findIndex((line, at) => {
    const name = names[at];
    return line !== found[at] && (name === undefined || whole.includes(name));
  });
  return bad < 0 ? 1 : bad + 1;
}

/** As many as can be read, line by line. */
function readTables(path: string): Map<string, Uint32Array> {
  const tables = new Map<string, Uint32Array>();
  if (!existsSync(path)) return tables;
  for (const line of linesOf(path)) {
    const [, name, text] = /^\{?"([^"]+)":"([A-Za-z0-9+/=]*)"/.exec(line) ?? [];
    if (name !== undefined && text !== undefined) tables.set(name, fromBase64(text));
  }
  return tables;
}

/** Four bytes each, little-endian. */
export function toBase64(list: Uint32Array): string {
  const bytes = Buffer.alloc(4 * list.length);
  for (const [index, checksum] of list.entries()) bytes.writeUInt32LE(checksum, 4 * index);
  return bytes.toString("base64");
}

export function fromBase64(text: string): Uint32Array {
  const bytes = Buffer.from(text, "base64");
  const list = new Uint32Array(Math.floor(bytes.length / 4));
  for (let index = 0; index < list.length; index += 1) list[index] = bytes.readUInt32LE(4 * index);
  return list;
}
