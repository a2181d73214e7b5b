import { parseVector, type Vector } from "../../protocol/vector.ts";

/** Where to begin: behind a vector, or at a time in milliseconds since 1970. */
export type Since = { readonly vector: Vector } | { readonly timeMs: number };

/** @returns undefined if the text is no vector in JSON */
export function parseSinceVector(text: string): Vector | undefined {
  try {
    return parseVector(JSON.parse(text), "since");
  } catch {
    return undefined;
  }
}

const isoPattern = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$/;

/** @returns undefined if the text is neither a vector in JSON nor an ISO 8601 time */
export function parseSince(text: string): Since | undefined {
  const vector = parseSinceVector(text);
  if (vector !== undefined) return { vector };
  const timeMs = isoPattern.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : { timeMs };
}
