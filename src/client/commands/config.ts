import { flagOf, rows, type SettingName, type Settings } from "../../platform/settings.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { Text } from "../../texts/texts.ts";
import { table } from "../core/table.ts";
import type { Output } from "./output.ts";

/** `tertulia config`: prints each setting, its value and the origin of the value. */
export function listSettings(settings: Settings, output: Output, text: Text): void {
  const names = Object.keys(rows) as SettingName[];
  // A wrong value throws here, as in any command that uses the setting.
  for (const name of names) settings.optional(name);
  const found = names.map((name) => {
    const { text: value, source } = settings.lookUp(name);
    return { setting: name, value: value ?? null, source, flag: flagOf(name), env: rows[name].env };
  });
  if (output.json) {
    for (const row of found) output.value(row);
    return;
  }
  const columns = [
    { heading: text("config.setting") },
    { heading: text("config.value") },
    { heading: text("config.source") },
  ];
  const cells = found.map(({ value, source, flag, env }) => {
    const origin = source === "environment" ? `${text("config.environment")} (${env})` : "";
    const shown = value === null ? text("config.none") : harmless(value);
    return [flag.slice(2), shown, origin || text(`config.${source}`)];
  });
  for (const line of table(columns, cells)) output.line(line);
}
