import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { digest } from "../platform/digest.ts";
import { printLine, printValue } from "../platform/print.ts";
import { Problem } from "../platform/problem.ts";
import { describeDamage } from "../storage/damage.ts";
import { lockFolderOrFail } from "../storage/slot-lock.ts";
import { serverFolders, type Verified, verifyFolder } from "../storage/verify.ts";
import type { Text } from "../texts/texts.ts";

/**
 * `tertulia verify FOLDER`: checks a data folder, or one server's folder, which no process may use
 * meanwhile.
 * @throws Problem (exit code 1) if a file is damaged
 */
export function runVerify(folder: string, json: boolean, text: Text): void {
  const folders = serverFolders(folder);
  if (folders.length === 0) throw new Problem(text("verify.nothing", { folder }), 2);
  let damages = 0;
  for (const path of folders) {
    const verified = verifyUnused(path);
    damages += verified.damages.length;
    if (json) printValue(verified);
    else printVerified(folder, verified, text);
  }
  if (damages > 0) throw new Problem(text("verify.damaged", { count: damages }));
}

function verifyUnused(folder: string): Verified {
  // Locking would create the lock file, but `verify` changes no folder. So a folder without a lock
  // file, such as a backup, is checked without locking it.
  using _slot = existsSync(join(folder, "lock")) ? lockFolderOrFail(folder) : undefined;
  return verifyFolder(folder, digest);
}

function printVerified(base: string, verified: Verified, text: Text): void {
  const { savedEvents, journalEvents, tornBytes, damages } = verified;
  for (const damage of damages) printLine(describeDamage(damage));
  const folder = relative(base, verified.folder) || verified.folder;
  const counts = { folder, savedEvents, journalEvents };
  printLine(text(damages.length > 0 ? "verify.bad" : "verify.good", counts));
  if (tornBytes > 0) printLine(text("verify.torn", { folder, tornBytes }));
}
