import { harmless, harmlessJson } from "../protocol/harmless.ts";

/** Writes a line of data to stdout, escaped so that it can't control a terminal. */
export function printLine(line: string): void {
  process.stdout.write(`${harmless(line)}\n`);
}

/** Writes a value to stdout as a line of JSON, escaped so that it can't control a terminal. */
export function printValue(value: unknown): void {
  process.stdout.write(`${harmlessJson(JSON.stringify(value))}\n`);
}
