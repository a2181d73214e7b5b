import { join } from "node:path";
import { now } from "../platform/clock.ts";
import { randomHex } from "../platform/random.ts";
import { isServerName, type ServerName } from "../protocol/ids.ts";
import { parseClock } from "../protocol/lamport-clock.ts";
import { type Heads, parseHeads } from "../protocol/mark.ts";
import { noView, type View } from "../protocol/messages.ts";
import { isMap } from "../protocol/parse-message.ts";
import { parseView } from "../protocol/parse-peer.ts";
import { isoTime } from "../protocol/time.ts";
import { readJson, writeJson } from "../storage/json-file.ts";

/** The name in a data folder, if it has one yet. @throws Problem if the file is damaged */
export function readName(folder: string): Promise<ServerName | undefined> {
  return readJson(join(folder, "identity.json"), (value) => {
    if (!isMap(value) || !isServerName(value.name)) throw new Error("it has no server's `name`");
    return value.name;
  });
}

/** The folder's name; a new folder is a new server, so that no `seq` is ever used twice. */
export async function nameOf(folder: string): Promise<ServerName> {
  const known = await readName(folder);
  if (known !== undefined) return known;
  const name = `server_${randomHex(4)}` as ServerName;
  await writeJson(join(folder, "identity.json"), { name, created: isoTime(now().wallMs) });
  return name;
}

/** What a server has promised, on its disk before it is spoken of (R2). */
export interface Promises {
  /** The adopted view. */
  readonly view: View;
  /** What this disk once had and lost: the server is mute until it is there again (J5). */
  readonly owed: Heads;
  /** Where it was lost, for a person. */
  readonly damages: readonly string[];
  /** The journal has a file with this number, or a later one: without any, all of it was lost. */
  readonly journal: number | undefined;
}

/** @throws Problem if the file is damaged */
export async function readPromises(folder: string): Promise<Promises> {
  const promises = await readJson(join(folder, "promises.json"), (value) => {
    if (!isMap(value) || !isMap(value.view)) throw new Error("it has no `view`");
    const { owed, damages, journal } = value;
    return {
      view: parseView(value.view),
      owed: owed === undefined ? {} : parseHeads(owed),
      damages: Array.isArray(damages) ? damages.map(String) : [],
      journal: parseClock(journal),
    };
  });
  return promises ?? { view: noView, owed: {}, damages: [], journal: undefined };
}

export function writePromises(folder: string, promises: Promises): Promise<void> {
  const { view, owed, damages, journal } = promises;
  const lost = Object.keys(owed).length === 0 ? {} : { owed, damages };
  return writeJson(join(folder, "promises.json"), { view, epoch: null, journal, ...lost });
}
