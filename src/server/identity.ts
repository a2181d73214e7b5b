import { join } from "node:path";
import { now } from "../platform/clock.ts";
import { randomHex } from "../platform/random.ts";
import { isServerName, type ServerName } from "../protocol/ids.ts";
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

/** The adopted view (R2). @throws Problem if the file is damaged */
export async function readPromises(folder: string): Promise<View> {
  const view = await readJson(join(folder, "promises.json"), (value) => {
    if (!isMap(value) || !isMap(value.view)) throw new Error("it has no `view`");
    return parseView(value.view);
  });
  return view ?? noView;
}

export function writePromises(folder: string, view: View): Promise<void> {
  return writeJson(join(folder, "promises.json"), { view, epoch: null });
}
