import { announceReady, runProcess } from "../platform/run-process.ts";
import type { Settings } from "../platform/settings.ts";
import { gatewayConfig } from "./config.ts";
import { startGateway } from "./gateway.ts";

/** `tertulia gateway`: runs one gateway in the foreground. */
export async function runGateway(settings: Settings): Promise<void> {
  const config = gatewayConfig(settings);
  await runProcess(async () => {
    const gateway = await startGateway(config);
    void gateway.firstReady.then(() => {
      const { name, http, metrics } = gateway;
      announceReady({ name, endpoints: { http, metrics } });
    });
    return gateway;
  });
}
