import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TemporaryFolder } from "../../bench/processes.ts";

// Makes a folder of a bench, prints its path, and ends while the folder is being removed.
const folder = await TemporaryFolder.make();
mkdirSync(join(folder.path, "data"));
writeFileSync(join(folder.path, "data", "file"), "");
process.stdout.write(folder.path);
void folder[Symbol.asyncDispose]();
process.exit(130);
