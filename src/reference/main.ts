import { announceReady, runProcess } from "../platform/run-process.ts";
import type { Settings } from "../platform/settings.ts";
import { referenceConfig } from "./config.ts";
import { startReference } from "./reference.ts";

/** `tertulia reference`: the reference in the foreground. */
export function runReference(settings: Settings): Promise<void> {
  return runProcess(async () => {
    const reference = await startReference(referenceConfig(settings));
    announceReady({ name: "reference", endpoints: { bind: reference.endpoint } });
    return reference;
  });
}
