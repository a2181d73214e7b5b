import { once } from "node:events";
import { startOwnEngine } from "./own-engine.ts";

/** Runs a PostgreSQL with a standby, and prints its address, until this process is asked to end. */
await using postgres = await startOwnEngine();
console.log(postgres.url);
await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
