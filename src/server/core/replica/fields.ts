import assert from "node:assert";
import type { Fields } from "../../../protocol/fields.ts";

/** @throws Error if the field is not a text */
export function readText(data: Fields, field: string): string {
  const value = data[field];
  assert(typeof value === "string", `\`${field}\` is no text`);
  return value;
}

/** @returns undefined rather than false: an event has a flag only if it is set */
export function readFlag(value: unknown): true | undefined {
  return value === true ? true : undefined;
}
