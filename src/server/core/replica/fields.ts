import assert from "node:assert";
import type { Fields } from "./fact.ts";

/** @throws Error if the field is no text */
export function readText(data: Fields, field: string): string {
  const value = data[field];
  assert(typeof value === "string", `\`${field}\` is no text`);
  return value;
}

/** @returns undefined rather than false: only what is true stands in an event */
export function readFlag(value: unknown): true | undefined {
  return value === true ? true : undefined;
}
