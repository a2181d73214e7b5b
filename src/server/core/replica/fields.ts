import assert from "node:assert";
import type { Fields } from "../../../protocol/fields.ts";

/** @throws Error if the field is not a string */
export function readText(data: Fields, field: string): string {
  const value = data[field];
  assert(typeof value === "string", `\`${field}\` is no text`);
  return value;
}

/** @returns true or undefined, never false, because an event has a flag only if the flag is set */
export function readFlag(value: unknown): true | undefined {
  return value === true ? true : undefined;
}
