import { once } from "node:events";
import { openSecret, secretSource } from "../../src/platform/secret.ts";
import { Settings } from "../../src/platform/settings.ts";

// Prints that it is loaded, waits for input, opens the folder's secret and prints a key derived
// from it.
process.stdout.write("ready\n");
await once(process.stdin, "data");
const secret = openSecret(secretSource(new Settings({ data: process.argv[2] }, {})));
process.stdout.write(`${secret.deriveKey("peer").export().toString("hex")}\n`);
process.stdin.destroy();
