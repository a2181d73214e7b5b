import { harmless } from "../../../protocol/harmless.ts";
import type { Text } from "../../../texts/texts.ts";
import type { Finding, Kind } from "./finding.ts";

/** Says what was found and, unless its level is `ok`, what a person can do. */
export function sentenceOf({ kind, level: _, ...values }: Finding, text: Text): string {
  // The type of a finding says that it has the values of its kind's text.
  const told = text as (
    key: `finding.${Kind}`,
    values: Readonly<Record<string, unknown>>,
  ) => string;
  const clean = Object.entries(values).map(([name, value]) => [name, harmless(String(value))]);
  return told(`finding.${kind}`, Object.fromEntries(clean));
}
