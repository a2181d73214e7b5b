import { encode } from "../../src/protocol/codec.ts";

/** Bytes that are written unchanged in the place of a value. */
export class Raw {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** A map as it is written: keys may have any type, and may repeat. */
export class Pairs {
  readonly entries: [key: Tree, value: Tree][];

  constructor(entries: [key: Tree, value: Tree][]) {
    this.entries = entries;
  }
}

/** A value that can be written in invalid forms. */
export type Tree = null | boolean | number | string | Uint8Array | Raw | Pairs | Tree[];

export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return value.map(treeOf);
  if (typeof value !== "object" || value === null) return value as Tree;
  if (value instanceof Uint8Array) return value;
  return new Pairs(Object.entries(value).map(([key, each]) => [key, treeOf(each)]));
}

export function writeTree(tree: Tree): Buffer {
  if (tree instanceof Raw) return Buffer.from(tree.bytes);
  if (Array.isArray(tree)) {
    return Buffer.concat([header(0x90, 0xdc, tree.length), ...tree.map(writeTree)]);
  }
  if (tree instanceof Pairs) {
    const parts = tree.entries.flatMap(([key, value]) => [writeTree(key), writeTree(value)]);
    return Buffer.concat([header(0x80, 0xde, tree.entries.length), ...parts]);
  }
  return Buffer.from(encode(tree));
}

/** Writes JSON, in which keys may repeat too; raw bytes are written unchanged. */
export function writeJsonTree(tree: Tree): string {
  if (tree instanceof Raw) return Buffer.from(tree.bytes).toString("latin1");
  if (Array.isArray(tree)) return `[${tree.map(writeJsonTree).join(",")}]`;
  if (tree instanceof Pairs) {
    const entries = tree.entries.map(([key, value]) => {
      const text = typeof key === "string" ? key : writeJsonTree(key);
      return `${JSON.stringify(text)}:${writeJsonTree(value)}`;
    });
    return `{${entries.join(",")}}`;
  }
  return JSON.stringify(tree) ?? "null";
}

/**
 * The header of an array or a map.
 * @param short the first byte for a count up to 15
 * @param long the first byte for a count in two bytes; `long` + 1 is the first byte for a count in
 * four bytes
 */
function header(short: number, long: number, count: number): Buffer {
  if (count < 16) return Buffer.of(short + count);
  const bytes = Buffer.alloc(5, long + 1);
  bytes.writeUInt32BE(count, 1);
  return bytes;
}
