import { announceReady, runProcess } from "../platform/run-process.ts";
import type { Settings } from "../platform/settings.ts";
import { serverConfig } from "./config.ts";
import { startServer } from "./server.ts";

/** Runs the command `tertulia server`: one replica in the foreground. */
export function runServer(settings: Settings): Promise<void> {
  const config = serverConfig(settings);
  return runProcess(async () => {
    const server = await startServer(config);
    void server.firstServing.then(() => {
      const { name, address: peer, metrics } = server;
      announceReady({ name, endpoints: { peer, metrics } });
    });
    return server;
  });
}
