import { announceReady, runProcess } from "../platform/run-process.ts";
import type { Settings } from "../platform/settings.ts";
import { referenceConfig } from "./config.ts";
import { startReference } from "./reference.ts";

/** `tertulia reference`: runs the reference in the foreground. */
export function runReference(settings: Settings): Promise<void> {
  const config = referenceConfig(settings);
  return runProcess(async () => {
    const reference = await startReference(config);
    const { endpoint: bind, metrics } = reference;
    announceReady({ name: "reference", endpoints: { bind, metrics } });
    return reference;
  });
}
