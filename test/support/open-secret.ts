import { once } from "node:events";
import { openSecret, secretSource } from "../../src/platform/secret.ts";
import { Settings } from "../../src/platform/settings.ts";

// Says that it is loaded, waits for a word, opens the folder's secret and says which key it gives.
process.stdout.write("ready\n");
await once(process.stdin, "data");
const secret = openSecret(secretSource(new Settings({ data: process.argv[2] }, {})));
process.stdout.write(`${secret.deriveKey("peer").export().toString("hex")}\n`);
process.stdin.destroy();
