import { Pairs, Raw, type Tree } from "./tree.ts";

export const oddNumbers: readonly Tree[] = [
  ...[-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e308, 2 ** 53, -(2 ** 53), 2 ** 31],
  Number.MAX_SAFE_INTEGER,
  // The largest and the smallest integer of 64 bits.
  new Raw(Buffer.from("cfffffffffffffffff", "hex")),
  new Raw(Buffer.from("d38000000000000000", "hex")),
];
export const oddTexts: readonly Tree[] = [
  ...[
    "",
    "\0",
    ".",
    "..",
    "servers",
    "replication",
    "__proto__",
    "constructor",
    "\u202e",
    "é".repeat(64),
  ],
  ...["x".repeat(65), "x".repeat(5_000), "\r\n{}", "server_00000000", "tcp://127.0.0.1:1"],
  // These are not UTF-8: a byte that never occurs, a surrogate, a sequence that is cut off.
  new Raw(Buffer.from("a1ff", "hex")),
  new Raw(Buffer.from("a3eda080", "hex")),
  new Raw(Buffer.from("a2e282", "hex")),
];
export const oddKeys: readonly Tree[] = [
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "", "then"],
  ...[0, -1, 1.5, null, true, Buffer.from("user")],
  [["a"]],
  new Pairs([["a", 1]]),
  new Raw(Buffer.from("a1ff", "hex")),
];
export const otherTypes: readonly Tree[] = [
  ...[null, true, false, 0, "", "x", Buffer.from("x"), [], [null], new Pairs([])],
  // An extension, and a timestamp, which decodes to a date.
  new Raw(Buffer.from("d40501", "hex")),
  new Raw(Buffer.from("d6ff00000000", "hex")),
];
export const oddJson = [
  "1e999",
  '"\\ud800"',
  "[".repeat(20_000),
  '{"a":'.repeat(5_000),
  '{"__proto__":{"service":"login"}}',
  "9007199254740993",
  "NaN",
  "//",
];
export const topics = [
  ...["replication", "replication2", "servers", "", "#geral\0", "@ana\0", "geral", "ana", "#", "@"],
  ...["\0", "replicatio", "REPLICATION", "x".repeat(1_000)],
];
/** Headers of maps, arrays, texts and binary with the largest counts that they can hold. */
export const promises = [
  "ddffffffff",
  "dfffffffff",
  "dbffffffff",
  "c6ffffffff",
  "dcffff",
  "deffff",
  "c9ffffffff01",
];
