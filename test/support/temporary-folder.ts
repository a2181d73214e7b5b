import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryFolder(parent = tmpdir()): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(parent, "tertulia-test-"));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/**
 * A folder in memory where the system has one, for thousands of files whose syncs are not tested.
 */
export function memoryFolder(): Promise<TemporaryFolder> {
  return temporaryFolder(existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
}
