import { join } from "node:path";
import { pack } from "../../src/backup/backup-file.ts";
import { format, type Manifest } from "../../src/backup/manifest.ts";
import { countsOf, newReplica } from "../../src/backup/state.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import { checkpointFiles, writeCheckpoint } from "../../src/storage/checkpoint.ts";
import { measureFile } from "../../src/storage/line-file.ts";
import { EventMaker, serverName } from "./event-lines.ts";
import { memoryFolder } from "./temporary-folder.ts";

/** Makes a backup of a state with `messages` publications; `change` changes its manifest. */
export async function packed(
  secret: string | undefined,
  messages = 300,
  change: Partial<Manifest> = {},
): Promise<Buffer> {
  await using folder = await memoryFolder();
  const server = serverName(1);
  const replica = newReplica(server, new LamportClock());
  for (const line of new EventMaker().many(server, messages)) replica.recoverEvent(line);
  await writeCheckpoint(folder.path, replica.checkpoint());
  const { vector, chains, clock } = replica.mark;
  const files = checkpointFiles.map((name) => {
    const { bytes, checksum } = measureFile(join(folder.path, name));
    return { name, bytes, checksum };
  });
  const time = "2026-01-31T12:00:00.000Z";
  const manifest: Manifest = {
    ...{ format, version: "0.1.0", cluster: "tertulia", made: time, newest: time },
    ...{ view: { number: 3, members: [server] }, clock, vector, chains },
    ...{ counts: countsOf(replica.checkpoint()), files, ...change },
  };
  const pieces: Uint8Array[] = [];
  const { signal } = new AbortController();
  await pack({ folder: folder.path, manifest, secret, signal }, async (bytes) => {
    for await (const piece of bytes) pieces.push(piece);
  });
  return Buffer.concat(pieces);
}
