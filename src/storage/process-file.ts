import { join } from "node:path";
import { fieldsOf } from "../protocol/fields.ts";
import { type LamportClock, parseClock } from "../protocol/lamport-clock.ts";
import { readJson, writeJson } from "./json-file.ts";
import { takeSlot } from "./slot-lock.ts";

/** The saved data of a broker, a proxy or a bot: its name and its Lamport clock. */
export interface ProcessFile extends AsyncDisposable {
  readonly name: string;
  readonly folder: string;
  readonly savedClock: number;
  save(clock: LamportClock): Promise<void>;
}

/**
 * Opens `<role>.json` in a numbered slot of a folder that several processes share (J4). A missing
 * file is created with a new name.
 * @throws Problem if the folder can't be used or the file is damaged
 */
export async function openProcessFile(
  parent: string,
  role: string,
  newName: () => string,
): Promise<ProcessFile> {
  const slot = await takeSlot(parent);
  const path = join(slot.folder, `${role}.json`);
  const saved = await readJson(path, (value) => {
    const { name, clock } = fieldsOf(value);
    if (typeof name !== "string") throw new Error("it has no `name`");
    return { name, clock: parseClock(clock) ?? 0 };
  });
  const name = saved?.name ?? newName();
  const save = (clock: number) => writeJson(path, { name, clock });
  if (saved === undefined) await save(0);
  return {
    name,
    folder: slot.folder,
    savedClock: saved?.clock ?? 0,
    save: (clock) => save(clock.value),
    [Symbol.asyncDispose]: async () => slot[Symbol.dispose](),
  };
}
