import { printLine, printValue } from "../platform/print.ts";
import { Problem } from "../platform/problem.ts";
import { mostSecrets, readSecret, type Secret, secretSource } from "../platform/secret.ts";
import { changeSecretFile, isSecretChange, type SecretChange } from "../platform/secret-file.ts";
import type { Settings } from "../platform/settings.ts";
import type { Text } from "../texts/texts.ts";

export interface SecretCall {
  readonly settings: Settings;
  readonly action: string;
  readonly json: boolean;
  readonly text: Text;
}

/**
 * `tertulia secret add|switch|drop`: does one step of a change of the secret in its file (O55), and
 * prints what a person must do next. The output has only fingerprints of the secrets.
 * @throws Problem if the file does not allow the step
 */
export function runSecret({ settings, action, json, text }: SecretCall): void {
  if (!isSecretChange(action)) throw new Problem(text("secret.action", { action }), 2);
  const source = secretSource(settings);
  if (source.text !== undefined) throw new Problem(text("secret.inEnvironment"), 2);
  const before = readSecret(source);
  assertAllowed(action, before, text);
  changeSecretFile(source.path, action);
  const after = readSecret(source);
  if (json) {
    printValue({ action, file: source.path, secrets: after.fingerprints });
    return;
  }
  const [used = "", ...others] = after.fingerprints;
  const dropped = before.fingerprints.at(-1) ?? "";
  const values = { file: source.path, used, others: others.join(", "), dropped };
  printLine(text(`secret.${action}`, values));
  printLine(text("secret.restart"));
  const isLast = others.length === 0;
  printLine(text(isLast ? "secret.lastNext" : `secret.${action}Next`, values));
}

function assertAllowed(action: SecretChange, { origin: file, others }: Secret, text: Text): void {
  if (action === "add" && others.length >= mostSecrets - 1) {
    throw new Problem(text("secret.full", { file, most: mostSecrets }));
  }
  if (action !== "add" && others.length === 0) throw new Problem(text("secret.single", { file }));
}
