import { join } from "node:path";
import { digest } from "../platform/digest.ts";
import { Problem } from "../platform/problem.ts";
import { Settings } from "../platform/settings.ts";
import { LamportClock } from "../protocol/lamport-clock.ts";
import { covers } from "../protocol/vector.ts";
import { retentionOf } from "../server/config.ts";
import { ServerCore } from "../server/core/step.ts";
import { openCheckpoint, readCheckpoint, writeCheckpoint } from "../storage/checkpoint.ts";
import { describeDamage } from "../storage/damage.ts";
import { snapshotFolder } from "../storage/fetch-snapshot.ts";
import { nameOf } from "../storage/identity.ts";
import { readWholeLines } from "../storage/journal-recovery.ts";
import { serverFolders, verifyFolder } from "../storage/verify.ts";

/**
 * Saves the state of each stopped server again, with all events of its journal. If saving takes too
 * long, a stopping server leaves its state unsaved (R11). Its last saved state then lacks the newest
 * events, which only the journal has.
 * @param environment the environment of the servers
 * @throws Problem if a file is damaged
 */
export async function saveJournals(data: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const retention = retentionOf(new Settings({}, environment));
  for (const folder of serverFolders(data)) await saveJournal(folder, retention);
}

/** Saves one server's state. A saved state that has all events of the journal stays unchanged. */
async function saveJournal(
  folder: string,
  retention: ReturnType<typeof retentionOf>,
): Promise<void> {
  const own = openCheckpoint(folder).checkpoint;
  const { vector, damages } = verifyFolder(folder, digest);
  if (damages.length > 0) throw new Problem(damages.map(describeDamage).join("; "));
  if (own !== undefined && covers(own.mark.vector, vector)) return;
  const name = await nameOf(folder);
  const core = new ServerCore({ name, clock: new LamportClock(), digest, address: "", retention });
  const fetched = readCheckpoint(join(folder, snapshotFolder)).checkpoint;
  for (const state of [own, fetched]) if (state !== undefined) core.recoverState(state, state.mark);
  for (const line of readWholeLines(join(folder, "journal"), digest)) core.recoverEvent(line);
  await writeCheckpoint(folder, core.checkpoint());
}
